// SPDX-License-Identifier: BSD-3-Clause
// The command line of checksum.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#define CXXOPTS_VECTOR_DELIMITER '\0'  // a comma is part of a file's name
#include <cxxopts.hpp>

namespace checksum {

struct command_line {
  std::vector<std::string> paths;
  std::size_t jobs = 1;
  std::vector<std::string> nodes;  // hosts
  bool jobs_given = false;
  std::string listen, join_file;  // where other hosts dial in, and what they need for that
  std::optional<std::size_t> buffer;
  bool null_separated = false;
  bool ordered = false;
  bool processes = false;
  bool stats = false;
  std::optional<std::string> text;  // help or version: to print instead of doing anything
};

/// The number that was given for an option.
inline std::size_t number(const std::string& option, const std::string& text, std::size_t most) {
  std::size_t value = 0;
  const char* text_end = text.data() + text.size();
  auto [end, error] = std::from_chars(text.data(), text_end, value);
  if (error != std::errc{} || end != text_end || value == 0 || value > most)
    throw std::invalid_argument(option + " must be a number from 1 to " + std::to_string(most)
                                + ", not '" + text + "'");
  return value;
}

/// The hosts that were given for --nodes.
inline std::vector<std::string> hosts(const std::string& text) {
  std::vector<std::string> result;
  for (std::size_t begin = 0, end = 0; end != std::string::npos; begin = end + 1) {
    end = text.find(',', begin);
    result.push_back(text.substr(begin, end - begin));
    if (result.back().empty() || result.back().front() == '-')
      throw std::invalid_argument("--nodes must be host names, separated by commas, not '" + text
                                  + "'");
  }
  return result;
}

/// Throws an exception that says what is wrong with the arguments.
inline command_line parse(int argc, char** argv) {
  auto processors = std::to_string(std::max(1U, std::thread::hardware_concurrency()));
  cxxopts::Options options{
      "checksum",
      "Hashes files in parallel; `sha256sum -c` reads the output.\n"
      "A directory stands for the regular files below it; symbolic links there are not\n"
      "followed. - stands for paths on standard input, one per line, as they arrive. They\n"
      "are taken like arguments: a directory among them stands for the files below it, so\n"
      "let find print files only (find DIRECTORY -type f | checksum -).\n\n"
      "The exit status is 0 if all is well, and 1 if a file could not be hashed, something\n"
      "could not be printed, or the arguments make no sense.\n"};
  options.positional_help("FILE|DIRECTORY|- ...").show_positional_help();
  auto add = options.add_options();
  add("j,jobs", "hash N files at a time", cxxopts::value<std::string>()->default_value(processors),
      "N");
  add("b,buffer", "have at most N files in flight (default: chosen by fmap)",
      cxxopts::value<std::string>(), "N");
  add("o,ordered", "print in input order, not as files are done");
  add("0,null", "paths on standard input end with NUL, not newline");
  add("p,processes", "hash in processes of their own: a crash costs one file");
  add("n,nodes",
      "hash on these hosts, separated by commas, which ssh reaches and where program and files\n"
      "are found under the same names as here; : is this host. --jobs counts for each of them",
      cxxopts::value<std::string>(), "HOSTS");
  add("listen",
      "hash on hosts that dial in here, for instance at 0.0.0.0:4711; files have the same\n"
      "names there, and checksum --fmap-node=@FILE is what is started there",
      cxxopts::value<std::string>(), "ADDRESS");
  add("join-file", "with --listen: where to write the FILE that those hosts need",
      cxxopts::value<std::string>(), "FILE");
  add("s,stats", "print statistics on standard error at the end");
  add("h,help", "print this text");
  add("version", "print which version this is");
  options.add_options("arguments")("paths", "", cxxopts::value<std::vector<std::string>>());
  options.parse_positional({"paths"});

  auto given = options.parse(argc, argv);
  command_line result;
  if (given.count("help") > 0) {
    result.text = options.help({""});
    return result;
  }
  if (given.count("version") > 0) {
    result.text = "checksum (fmap) " CHECKSUM_VERSION "\n";
    return result;
  }
  if (given.count("paths") > 0) result.paths = given["paths"].as<std::vector<std::string>>();
  result.jobs = number("--jobs", given["jobs"].as<std::string>(), 1024);
  result.jobs_given = given.count("jobs") > 0;
  if (given.count("nodes") > 0) result.nodes = hosts(given["nodes"].as<std::string>());
  if (given.count("listen") > 0) result.listen = given["listen"].as<std::string>();
  if (given.count("join-file") > 0) result.join_file = given["join-file"].as<std::string>();
  if (given.count("buffer") > 0)
    result.buffer = number("--buffer", given["buffer"].as<std::string>(), 1'000'000);
  result.null_separated = given.count("null") > 0;
  result.ordered = given.count("ordered") > 0;
  result.processes = given.count("processes") > 0;
  result.stats = given.count("stats") > 0;

  if (result.paths.empty())
    throw std::invalid_argument("no file given (- reads paths from standard input)");
  if (result.listen.empty() != result.join_file.empty())
    throw std::invalid_argument("--listen and --join-file are needed together");
  if (!result.listen.empty() && !result.nodes.empty())
    throw std::invalid_argument("--listen and --nodes cannot be given together");
  if (result.null_separated && std::ranges::find(result.paths, "-") == result.paths.end())
    throw std::invalid_argument("--null is for paths on standard input, but - is not given");
  return result;
}

}  // namespace checksum
