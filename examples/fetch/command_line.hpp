// SPDX-License-Identifier: BSD-3-Clause
// The command line of fetch.
#pragma once

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#define CXXOPTS_VECTOR_DELIMITER '\0'  // a comma may be part of a URL
#include <cxxopts.hpp>

namespace fetch {

struct command_line {
  std::vector<std::string> urls;
  std::size_t at_once = 5;
  std::optional<std::string> help;  // the text to print instead of doing anything
};

/// Throws an exception that says what is wrong with the arguments.
inline command_line parse(int argc, char** argv) {
  cxxopts::Options options{"fetch",
                           "Downloads pages, several at a time, and prints the size and the URL of "
                           "each as it arrives.\n"};
  options.positional_help("URL ...").show_positional_help();
  auto add = options.add_options();
  add("n,at-once", "have at most N requests open", cxxopts::value<int>()->default_value("5"), "N");
  add("h,help", "print this text");
  options.add_options("arguments")("urls", "", cxxopts::value<std::vector<std::string>>());
  options.parse_positional({"urls"});

  auto given = options.parse(argc, argv);
  command_line result;
  if (given.count("help") > 0) {
    result.help = options.help({""});
    return result;
  }
  const int at_once = given["at-once"].as<int>();
  if (at_once < 1) throw std::invalid_argument("--at-once must be at least 1");
  result.at_once = static_cast<std::size_t>(at_once);
  if (given.count("urls") == 0) throw std::invalid_argument("no URL given");
  result.urls = given["urls"].as<std::vector<std::string>>();
  return result;
}

}  // namespace fetch
