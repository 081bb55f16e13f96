// SPDX-License-Identifier: BSD-3-Clause
// Regular expressions, by the C library: std::regex needs a stack as deep as a line is long.
#include "tool/input/regex.hpp"

#include <stdexcept>

#include <regex.h>

namespace fmap::tool {

namespace {

/// The C library knows \s and \w, and not these.
std::string with_control_characters(const std::string& text) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    result += text[at];
    if (text[at] != '\\' || at + 1 == text.size()) continue;
    const char next = text[++at];
    if (next == 't' || next == 'n' || next == 'r')
      result.back() = next == 't' ? '\t' : next == 'n' ? '\n' : '\r';
    else
      result += next;
  }
  return result;
}

}  // namespace

regex::regex(const std::string& text) : text_{text} {
  auto made = std::make_unique<regex_t>();
  const int error = ::regcomp(made.get(), with_control_characters(text).c_str(), REG_EXTENDED);
  if (error != 0) {
    char why[200];
    ::regerror(error, made.get(), why, sizeof why);
    throw std::invalid_argument{why};
  }
  compiled_ = std::shared_ptr<const regex_t>{made.release(), [](const regex_t* r) {
                                               ::regfree(const_cast<regex_t*>(r));
                                               delete r;
                                             }};
}

std::vector<std::string> regex::split(std::string_view text) const {
  std::vector<std::string> columns;
  std::size_t begun = 0;
  for (std::size_t at = 0; at < text.size();) {
    regmatch_t match{static_cast<regoff_t>(at), static_cast<regoff_t>(text.size())};
    const int flags = REG_STARTEND | (at == 0 ? 0 : REG_NOTBOL);
    if (::regexec(static_cast<const regex_t*>(compiled_.get()), text.data(), 1, &match, flags) != 0)
      break;
    const auto from = static_cast<std::size_t>(match.rm_so);
    const auto to = static_cast<std::size_t>(match.rm_eo);
    if (from == to) {
      at = to + 1;
      continue;
    }
    columns.emplace_back(text.substr(begun, from - begun));
    begun = at = to;
  }
  columns.emplace_back(text.substr(begun));
  return columns;
}

}  // namespace fmap::tool
