// SPDX-License-Identifier: BSD-3-Clause
// Reads the command line by the table of options.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <utility>

#include <getopt.h>

#include "tool/input/columns.hpp"
#include "tool/options/options.hpp"
#include "tool/options/table.hpp"

namespace fmap::tool {

namespace {

bool is_separator(std::string_view word) {
  return word == ":::" || word == ":::+" || word == "::::" || word == "::::+";
}

std::uint64_t number_from(const std::string& option, const std::string& text, std::uint64_t least,
                          const char* advice) {
  std::uint64_t n = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, n);
  if (error != std::errc{} || end != last)
    throw usage_error{option + " " + text + ": that is no whole number"};
  if (n < least) throw usage_error{option + " " + text + ": " + advice};
  return n;
}

std::string bytes_from(const std::string& option, const std::string& text) {
  try {
    std::string bytes = unescaped(text);
    if (bytes.empty()) throw usage_error{option + ": the text must not be empty"};
    return bytes;
  } catch (const std::invalid_argument& e) {
    throw usage_error{option + " " + text + ": " + e.what()};
  }
}

void take_option(options& o, option what, const std::string& name, const std::string& value,
                 std::size_t processors) {
  switch (what) {
    case option::null: o.input.delimiter = std::string(1, '\0'); break;
    case option::delimiter: o.input.delimiter = bytes_from(name, value); break;
    case option::skip_empty: o.input.skip_empty = true; break;
    case option::arg_file: o.sources.push_back({true, {value}, false}); break;
    case option::columns: o.input.columns = bytes_from(name, value); break;
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
    case option::jobs: o.jobs = jobs_from(value, processors); break;
    case option::buffer:
    case option::buffersize:
      o.buffer = number_from(name, value, 2,
                             "at least 2 items must be in flight, one that runs and one whose "
                             "output is written");
      break;
    case option::buffer_bytes: o.buffer_bytes = size_from(name, value); break;
    case option::spill: o.spill = size_from(name, value); break;
    case option::ordered: o.ordered = true; break;
    case option::ungroup: o.ungroup = true; break;
    case option::dry_run: o.dry_run = true; break;
    case option::verbose: o.verbose = true; break;
    case option::quiet: o.quiet = true; break;
    case option::timeout:
      o.timeout = time_from(name, value);
      if (o.timeout->count() == 0)
        throw usage_error{"--timeout 0: nothing could run; leave it out for no time-out"};
      break;
    case option::kill_after: o.kill_after = time_from(name, value); break;
    case option::grace: o.grace = time_from(name, value); break;
    case option::linger: o.linger = time_from(name, value); break;
    case option::orphans:
      if (value != "leave") throw usage_error{"--orphans " + value + ": only leave is known"};
      o.leave_orphans = true;
      break;
    case option::help: o.help = true; break;
    case option::version: o.version = true; break;
  }
}

/// The sentence about a word that getopt_long does not take.
std::string complaint(const std::string& word, char letter) {
  if (!word.starts_with("--")) {
    const std::string text = std::string{"-"} + letter;
    for (const char later : std::string_view{"nov"})
      if (letter == later) return text + ": this version does not have that option yet";
    return text + ": there is no such option";
  }
  const std::string name = word.substr(2, word.find('=') - 2);
  if (std::find(std::begin(planned), std::end(planned), name) != std::end(planned))
    return "--" + name + ": this version does not have that option yet";
  std::vector<std::string_view> matches;
  for (const row& r : table)
    if (std::string_view{r.name}.starts_with(name)) matches.emplace_back(r.name);
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

void check(const options& o) {
  if (o.help || o.version) return;
  if (o.script && !o.command.empty())
    throw usage_error{"'" + o.command.front()
                      + "': with -c there is no COMMAND; items stand behind :::"};
  if (!o.script && o.command.empty())
    throw usage_error{"which command? fmap COMMAND [ARGUMENT]..."};
  if (o.input.csv && o.input.columns)
    throw usage_error{"--csv and --tsv split records themselves: not with -C"};
  if (o.input.csv && o.input.delimiter != "\n")
    throw usage_error{"--csv and --tsv end records themselves: not with -0 or -d"};
  const auto files = [&](const source_option& s) { return s.is_file && s.words.front() == "-"; };
  if (std::count_if(o.sources.begin(), o.sources.end(), files) > 1)
    throw usage_error{"standard input can be read once only"};
  if (o.jobs && o.buffer && *o.buffer < *o.jobs)
    throw usage_error{"-b " + std::to_string(*o.buffer) + " is less than -j "
                      + std::to_string(*o.jobs) + ": so many could never run at a time"};
}

}  // namespace

std::size_t jobs_from(const std::string& text, std::size_t processors) {
  const auto fail = [&](const char* why) -> usage_error {
    return usage_error{"-j " + text + ": " + why};
  };
  std::string digits = text;
  const char sign = text.starts_with('+') || text.starts_with('-') ? text.front() : '\0';
  if (sign != '\0') digits.erase(0, 1);
  const bool percent = digits.ends_with('%');
  if (percent) digits.pop_back();
  std::uint64_t n = 0;
  const char* last = digits.data() + digits.size();
  const auto [end, error] = std::from_chars(digits.data(), last, n);
  if (error != std::errc{} || end != last || digits.empty() || (percent && sign != '\0'))
    throw fail("write a number, 50%, +2 or -1 (of the processors)");
  if (n > 1'000'000) throw fail("that is more than a million");
  if (percent) n = (n * processors + 99) / 100;
  if (sign == '+') n = processors + n;
  if (sign == '-') n = n < processors ? processors - n : 1;
  if (n == 0)
    throw fail("at least one must run at a time; for all processors write -j 100% or leave it out");
  return static_cast<std::size_t>(n);
}

std::uint64_t size_from(const std::string& option, const std::string& text) {
  std::uint64_t n = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, n);
  const std::string_view unit{end, static_cast<std::size_t>(last - end)};
  const std::string_view units = "kmgt";
  const auto which = unit.size() == 1 ? units.find(static_cast<char>(unit[0] | 0x20)) : units.npos;
  if (error != std::errc{} || (!unit.empty() && which == units.npos))
    throw usage_error{option + " " + text + ": write a size as 65536, 64k, 10m, 1g"};
  const unsigned shift = unit.empty() ? 0 : 10 * (static_cast<unsigned>(which) + 1);
  if (n > (UINT64_MAX >> 1 >> shift))
    throw usage_error{option + " " + text + ": that is too large"};
  return n << shift;
}

std::chrono::nanoseconds time_from(const std::string& option, const std::string& text) {
  double n = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, n, std::chars_format::fixed);
  const std::string_view unit{end, static_cast<std::size_t>(last - end)};
  double seconds = 0;
  if (unit.empty() || unit == "s")
    seconds = n;
  else if (unit == "ms")
    seconds = n / 1000;
  else if (unit == "m")
    seconds = n * 60;
  else if (unit == "h")
    seconds = n * 3600;
  else if (unit == "d")
    seconds = n * 86400;
  else
    seconds = -1;
  if (error != std::errc{} || !(seconds >= 0))
    throw usage_error{option + " " + text + ": write a time as 2, 500ms, 2s, 5m, 1h"};
  seconds = std::min(seconds, 3.0e9);  // 95 years
  return std::chrono::nanoseconds{std::llround(seconds * 1e9)};
}

options parse(int argc, char* const* argv, std::size_t processors) {
  std::string letters = "+:";
  std::vector<::option> names;
  for (const row& r : table) {
    const bool takes = r.value != nullptr;
    names.push_back(
        {r.name, takes ? required_argument : no_argument, nullptr, 256 + static_cast<int>(r.what)});
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
  return o;
}

}  // namespace fmap::tool
