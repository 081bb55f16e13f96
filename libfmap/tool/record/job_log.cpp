// SPDX-License-Identifier: BSD-3-Clause
// The job log's lines.
#include "tool/record/job_log.hpp"

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <optional>

#include "tool/command/shell_context.hpp"

namespace fmap::tool {

namespace {

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\t')
      result += "\\t";
    else if (c == '\n')
      result += "\\n";
    else if (c == '\\')
      result += "\\\\";
    else
      result += c;
  }
  return result;
}

std::string as_it_was(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\' || at + 1 == text.size()) {
      result += text[at];
      continue;
    }
    const char c = text[++at];
    if (c == 't')
      result += '\t';
    else if (c == 'n')
      result += '\n';
    else if (c == '\\')
      result += '\\';
    else
      result += {'\\', c};
  }
  return result;
}

template <class Number>
std::optional<Number> number_in(std::string_view text) {
  Number n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return n;
}

std::string seconds_text(std::chrono::nanoseconds time) {
  char text[48];
  std::snprintf(text, sizeof text, "%.3f", static_cast<double>(time.count()) / 1e9);
  return text;
}

}  // namespace

std::string job_log_line(const job& j, const std::optional<std::string>& command) {
  int status = 0, signal = 0;
  if (j.end.timed_out)
    status = -1;
  else if (j.end.how == ending::kind::exited)
    status = j.end.code;
  else if (j.end.how == ending::kind::signalled)
    signal = j.end.code;
  else
    status = j.end.how == ending::kind::not_started && j.end.code == ENOENT ? 127 : 126;
  return std::to_string(j.what.number) + "\t:\t" + seconds_text(j.used.started.time_since_epoch())
         + "\t" + seconds_text(j.used.wall) + "\t" + std::to_string(j.used.sent) + "\t"
         + std::to_string(j.received) + "\t" + std::to_string(status) + "\t"
         + std::to_string(signal) + "\t"
         + escaped(command ? *command : as_shell_text(j.used.arguments)) + "\n";
}

std::map<std::uint64_t, logged> read_job_log(std::string_view text) {
  std::map<std::uint64_t, logged> all;
  while (!text.empty()) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) break;  // torn
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    std::vector<std::string_view> columns;
    while (columns.size() < 8) {
      const auto tab = line.find('\t');
      if (tab == std::string_view::npos) break;
      columns.push_back(line.substr(0, tab));
      line.remove_prefix(tab + 1);
    }
    if (columns.size() < 8) continue;
    const auto number = number_in<std::uint64_t>(columns[0]);
    const auto status = number_in<int>(columns[6]);
    const auto signal = number_in<int>(columns[7]);
    if (number && status && signal) all[*number] = {*status, *signal, as_it_was(line)};
  }
  return all;
}

}  // namespace fmap::tool
