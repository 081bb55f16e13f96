// SPDX-License-Identifier: BSD-3-Clause
// What is written behind options. Everything throws usage_error, with the option's name and what to write.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "tool/options/options.hpp"

namespace fmap::tool {

/// `advice`: what to write if it is less than `least`.
std::uint64_t number_from(const std::string& option, const std::string& text, std::uint64_t least,
                          const char* advice);
/// With escapes; not empty.
std::string bytes_from(const std::string& option, const std::string& text);
time_limit time_limit_from(const std::string& text);
/// T[,MAX[,FACTOR]]
void take_delay(retry_rule& rule, const std::string& text);
exit_rule exit_rule_from(const std::string& text);

/// What `read` makes of the text; its complaint with the option's name before it.
template <class Read>
auto checked(const std::string& option, const std::string& text, Read read) {
  try {
    return read(text);
  } catch (const std::invalid_argument& e) {
    throw usage_error{option + " " + text + ": " + e.what()};
  }
}

/// Whether the options make sense together. Throws usage_error.
void check(const options& o);

}  // namespace fmap::tool
