// SPDX-License-Identifier: BSD-3-Clause
// What the command line asks for.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tool/input/records.hpp"
#include "tool/input/sources.hpp"
#include "tool/launch/surroundings.hpp"
#include "tool/policy/exit_status.hpp"
#include "tool/policy/halt.hpp"
#include "tool/policy/pace.hpp"
#include "tool/policy/retry.hpp"
#include "tool/policy/time_limit.hpp"
#include "tool/worker/options.hpp"

namespace fmap::tool {

/// The command line makes no sense.
struct usage_error : std::runtime_error {
  using runtime_error::runtime_error;
};

struct source_option {
  bool is_file = false;
  std::vector<std::string> words;  // the items, or the name of the file
  bool linked = false;             // to the source before
};

struct options {
  bool help = false;
  bool help_all = false;
  bool version = false;

  format input;
  std::vector<source_option> sources;  // none: standard input
  std::optional<std::uint64_t> total;

  std::vector<std::string> command;
  std::optional<std::string> script;
  std::string shell = "/bin/sh";
  std::string replace;  // the only placeholder; empty: all

  std::optional<std::size_t> jobs;
  std::string jobs_file;  // where that is read again
  std::optional<std::size_t> buffer;
  std::uint64_t buffer_bytes = 64u << 20;
  std::uint64_t spill = 1u << 30;

  std::optional<std::size_t> max_items;  // of a command; none: one
  bool auto_items = false;               // as many as pay
  bool split_failed = false;
  bool to_input = false;              // items go to standard input
  std::optional<record_format> pipe;  // blocks of records do

  bool ordered = false;
  bool ungroup = false;
  bool line_buffer = false;
  std::optional<std::string> tag;
  std::string output;   // a file; empty: standard output
  std::string results;  // a folder or template
  std::string jsonl;    // a file, or "-"
  bool jsonl_no_output = false;
  bool bar = false;
  std::optional<bool> color;  // none: on a terminal that has them
  bool dry_run = false;
  bool show_commands = false;
  bool verbose = false;
  bool quiet = false;
  std::string quarantine;  // a file
  std::string print;       // what is made from the table of options

  std::optional<worker_options> worker;  // commands stay, and are asked item by item

  retry_rule retry;
  bool tries_given = false;
  time_limit limit;
  std::optional<std::chrono::nanoseconds> deadline;
  halt_rule halt;
  exit_rule exit = exit_rule::fixed;
  std::chrono::nanoseconds kill_after = std::chrono::seconds{5};
  std::chrono::nanoseconds grace = std::chrono::seconds{10};
  std::chrono::nanoseconds linger = std::chrono::seconds{2};
  start_pace pace;
  std::optional<double> load;
  std::uint64_t memory_free = 0;
  child_surroundings surroundings;
  std::string workdir;                 // a template; empty: ours
  std::vector<std::string> variables;  // NAME=VALUE
  bool tty = false;
  bool leave_orphans = false;

  std::string job_log;
  bool job_log_appends = false;
  std::string journal;
  bool sync = false;
  bool resume = false;
  bool resume_by_item = false;
  bool resume_failed = false;  // what has failed is run again
  bool retry_failed = false;   // only that, from the job log alone
};

/// Throws usage_error. `processors`: how many may be used, for -j.
options parse(int argc, char* const* argv, std::size_t processors);

/// "10", "50%", "+2", "-1" of the processors. Throws usage_error.
std::size_t jobs_from(const std::string& text, std::size_t processors);
/// "64k", "1g". Throws usage_error.
std::uint64_t size_from(const std::string& option, const std::string& text);
/// "2", "500ms", "2s", "5m", "1h". Throws usage_error.
std::chrono::nanoseconds time_from(const std::string& option, const std::string& text);

/// From the table of options: one screen, or all.
std::string help_text(bool all = false);
/// fmap(1), or what shells need to complete command lines: "man", "bash", "zsh", "fish". Throws usage_error.
std::string printed(const std::string& what);

}  // namespace fmap::tool
