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
/// "10", "10/s", "600/m", "5/h"
void take_rate(start_pace& pace, const std::string& text);
/// "4", "80%" of the processors
double load_from(const std::string& text, std::size_t processors);
int nice_from(const std::string& text);
/// "as=2g,cpu=60,core=0"
void take_limits(child_surroundings& to, const std::string& text);
/// False: there is no such file.
bool read_first_line(const std::string& file, std::string& line);
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
