// SPDX-License-Identifier: BSD-3-Clause
// Reads the command line by the table of options.
#include <algorithm>
#include <iterator>
#include <utility>

#include <getopt.h>

#include "tool/options/options.hpp"
#include "tool/options/table.hpp"
#include "tool/options/values.hpp"

namespace fmap::tool {

namespace {

bool is_separator(std::string_view word) {
  return word == ":::" || word == ":::+" || word == "::::" || word == "::::+";
}

record_format& records(options& o) {
  if (!o.pipe) o.pipe.emplace();
  return *o.pipe;
}

worker_options& workers(options& o) {
  if (!o.worker) o.worker.emplace();
  return *o.worker;
}

/// Where the next one begins is enough to tell where one ends.
void take_record_start(record_format& f, std::string text) {
  if (f.end == "\n") f.end.clear();
  f.start = std::move(text);
}

/// A number, or the name of a file that holds one.
void take_jobs(options& o, const std::string& value, std::size_t processors) {
  o.jobs_file.clear();
  try {
    o.jobs = jobs_from(value, processors);
  } catch (const usage_error&) {
    std::string text;
    if (!read_first_line(value, text)) throw;
    o.jobs = jobs_from(text, processors);
    o.jobs_file = value;
  }
}

void take_variable(options& o, const std::string& value) {
  const auto equals = value.find('=');
  if (equals == std::string::npos || equals == 0)
    throw usage_error{"--env " + value + ": write NAME=VALUE"};
  o.variables.push_back(value);
}

void take_option(options& o, option what, const std::string& name, const std::string& value,
                 std::size_t processors) {
  switch (what) {
    case option::null: o.input.delimiter = std::string(1, '\0'); break;
    case option::delimiter: o.input.delimiter = bytes_from(name, value); break;
    case option::skip_empty: o.input.skip_empty = true; break;
    case option::arg_file: o.sources.push_back({true, {value}, false}); break;
    case option::columns: o.input.columns = bytes_from(name, value); break;
    case option::columns_regex:
      o.input.columns_at =
          checked(name, value, [](const std::string& text) { return regex{text}; });
      break;
    case option::json_items: o.input.json = true; break;
    case option::csv: o.input.csv = ','; break;
    case option::tsv: o.input.csv = '\t'; break;
    case option::header: o.input.header = true; break;
    case option::total: o.total = number_from(name, value, 0, ""); break;
    case option::shell: o.script = value; break;
    case option::shell_program: o.shell = value; break;
    case option::replace:
      if (value.empty()) throw usage_error{"-I: the placeholder must not be empty"};
      o.replace = value;
      break;
    case option::jobs: take_jobs(o, value, processors); break;
    case option::buffer:
    case option::buffersize:
      o.buffer = number_from(name, value, 2,
                             "at least 2 items must be in flight, one that runs and one whose "
                             "output is written");
      break;
    case option::buffer_bytes: o.buffer_bytes = size_from(name, value); break;
    case option::spill: o.spill = size_from(name, value); break;
    case option::worker:
      workers(o).kind = value.empty() ? protocol_kind::lines : checked(name, value, protocol_from);
      break;
    case option::worker_depth:
      workers(o).depth = number_from(name, value, 1, "a worker is given at least one item");
      break;
    case option::answer_end: workers(o).answer_end = value; break;
    case option::worker_items:
      workers(o).items = number_from(name, value, 1, "a worker is given at least one item");
      break;
    case option::worker_memory: workers(o).memory = size_from(name, value); break;
    case option::worker_ready: workers(o).ready = value; break;
    case option::ordered: o.ordered = true; break;
    case option::ungroup: o.ungroup = true; break;
    case option::dry_run: o.dry_run = true; break;
    case option::show_commands: o.show_commands = true; break;
    case option::verbose: o.verbose = true; break;
    case option::quarantine: o.quarantine = value; break;
    case option::delay: o.pace.apart = time_from(name, value); break;
    case option::rate: take_rate(o.pace, value); break;
    case option::load: o.load = load_from(value, processors); break;
    case option::memfree: o.memory_free = size_from(name, value); break;
    case option::nice: o.surroundings.nice = nice_from(value); break;
    case option::rlimit: take_limits(o.surroundings, value); break;
    case option::workdir: o.workdir = value; break;
    case option::env: take_variable(o, value); break;
    case option::tty: o.tty = true; break;
    case option::quiet: o.quiet = true; break;
    case option::timeout: o.limit = time_limit_from(value); break;
    case option::kill_after: o.kill_after = time_from(name, value); break;
    case option::grace: o.grace = time_from(name, value); break;
    case option::linger: o.linger = time_from(name, value); break;
    case option::orphans:
      if (value != "leave") throw usage_error{"--orphans " + value + ": only leave is known"};
      o.leave_orphans = true;
      break;
    case option::max_items:
      o.auto_items = value == "auto";
      if (!o.auto_items)
        o.max_items = number_from(name, value, 1, "a command needs at least one item");
      break;
    case option::split_failed: o.split_failed = true; break;
    case option::to_input: o.to_input = true; break;
    case option::pipe: records(o); break;
    case option::block:
      records(o).block = size_from(name, value);
      if (records(o).block == 0) throw usage_error{"--block 0: a block holds at least a record"};
      break;
    case option::block_records:
      records(o).records = number_from(name, value, 1, "a block holds at least one record");
      break;
    case option::record_end: records(o).end = value.empty() ? "" : bytes_from(name, value); break;
    case option::record_start: take_record_start(records(o), bytes_from(name, value)); break;
    case option::record_bytes:
      records(o).bytes = number_from(name, value, 1, "a record has at least one byte");
      break;
    case option::line_buffer: o.line_buffer = true; break;
    case option::tag: o.tag = value.empty() ? "{}" : value; break;
    case option::output: o.output = value; break;
    case option::results: o.results = value; break;
    case option::jsonl: o.jsonl = value; break;
    case option::jsonl_no_output: o.jsonl_no_output = true; break;
    case option::bar: o.bar = true; break;
    case option::color:
      if (value != "auto" && value != "never" && value != "always")
        throw usage_error{"--color " + value + ": write auto, never or always"};
      if (value != "auto") o.color = value == "always";
      break;
    case option::tries:
    case option::retries:
      o.tries_given = true;
      o.retry.tries = static_cast<unsigned>(std::min<std::uint64_t>(
          number_from(name, value, 1, "the first try counts; write 1 for no other"), 1'000'000));
      break;
    case option::retry_delay: take_delay(o.retry, value); break;
    case option::retry_on: o.retry.on = checked(name, value, failures_from); break;
    case option::deadline: o.deadline = time_from(name, value); break;
    case option::halt:
      o.halt = checked(name, value, [](const std::string& text) { return halt_rule{text}; });
      break;
    case option::exit: o.exit = exit_rule_from(value); break;
    case option::job_log:
      o.job_log_appends = value.starts_with('+');
      o.job_log = value.substr(o.job_log_appends ? 1 : 0);
      break;
    case option::journal: o.journal = value; break;
    case option::sync: o.sync = true; break;
    case option::resume: o.resume = true; break;
    case option::resume_by:
      if (value != "item") throw usage_error{"--resume-by " + value + ": only item is known"};
      o.resume = o.resume_by_item = true;
      break;
    case option::resume_failed: o.resume = o.resume_failed = true; break;
    case option::retry_failed: o.retry_failed = true; break;
    case option::help:
      if (!value.empty() && value != "all")
        throw usage_error{"--help " + value + ": only all is known"};
      o.help = true;
      o.help_all = value == "all";
      break;
    case option::version: o.version = true; break;
    case option::print: o.print = value; break;
  }
}

/// The sentence about a word that getopt_long does not take.
std::string complaint(const std::string& word, char letter) {
  if (!word.starts_with("--")) {
    const std::string text = std::string{"-"} + letter;
    return text + ": there is no such option";
  }
  const std::string name = word.substr(2, word.find('=') - 2);
  if (std::find(std::begin(planned), std::end(planned), name) != std::end(planned))
    return "--" + name + ": this version does not have that option yet";
  std::vector<std::string_view> matches;
  for (const row& r : table)
    if (r.name != nullptr && std::string_view{r.name}.starts_with(name))
      matches.emplace_back(r.name);
  if (matches.size() == 1) return "--" + name + " takes no value";
  if (matches.size() > 1 && !name.empty()) {
    std::string text = "--" + name + " may be";
    for (const auto m : matches) text += " --" + std::string{m};
    return text + ": write more of it";
  }
  return "--" + name + ": there is no such option";
}

/// What stands behind the options: the command, and the sources.
void take_words(options& o, std::vector<std::string> words) {
  auto at = std::find_if(words.begin(), words.end(), is_separator);
  o.command.assign(words.begin(), at);
  while (at != words.end()) {
    const std::string separator = *at++;
    const auto end = std::find_if(at, words.end(), is_separator);
    std::vector<std::string> here{at, end};
    at = end;
    const bool linked = separator.back() == '+';
    if (linked && o.sources.empty())
      throw usage_error{separator + " is linked to the source before it, and there is none"};
    if (!separator.starts_with("::::")) {
      o.sources.push_back({false, std::move(here), linked});
      continue;
    }
    if (here.empty()) throw usage_error{separator + " needs the name of a file"};
    for (std::string& file : here) o.sources.push_back({true, {std::move(file)}, linked});
  }
}

}  // namespace

options parse(int argc, char* const* argv, std::size_t processors) {
  std::string letters = "+:";
  std::vector<::option> names;
  for (const row& r : table) {
    const bool may_take = r.value != nullptr && r.value[0] == '[';
    const bool takes = r.value != nullptr && !may_take;
    if (r.name != nullptr)
      names.push_back({r.name,
                       takes      ? required_argument
                       : may_take ? optional_argument
                                  : no_argument,
                       nullptr, 256 + static_cast<int>(r.what)});
    if (r.letter == 0) continue;
    letters += r.letter;
    if (takes) letters += ':';
  }
  names.push_back({});

  options o;
  optind = 0;  // glibc: begin anew
  opterr = 0;
  for (;;) {
    const int at = std::max(optind, 1);
    const int got = ::getopt_long(argc, argv, letters.c_str(), names.data(), nullptr);
    if (got == -1) break;
    if (got == ':') throw usage_error{std::string{argv[optind - 1]} + " needs a value"};
    if (got == '?') throw usage_error{complaint(argv[at], static_cast<char>(optopt))};
    const row* r = std::find_if(std::begin(table), std::end(table), [&](const row& candidate) {
      return got == candidate.letter || got == 256 + static_cast<int>(candidate.what);
    });
    const std::string name = got < 256 ? std::string{"-"} + r->letter : "--" + std::string{r->name};
    take_option(o, r->what, name, optarg != nullptr && r->value != nullptr ? optarg : "",
                processors);
  }
  take_words(o, {argv + optind, argv + argc});
  check(o);
  if (o.tty) {
    o.ungroup = true;
    o.ordered = false;
    o.jobs = 1;
  }
  return o;
}

}  // namespace fmap::tool
