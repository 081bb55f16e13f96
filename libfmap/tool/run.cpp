// SPDX-License-Identifier: BSD-3-Clause
// Joins the rooms: items through a map whose function runs a command, outputs to where ours goes.
#include "tool/run.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fmap/future_map.hpp>

#include "tool/command/command.hpp"
#include "tool/input/items.hpp"
#include "tool/input/sources.hpp"
#include "tool/launch/guard.hpp"
#include "tool/launch/launcher.hpp"
#include "tool/launch/outputs.hpp"
#include "tool/output/writer.hpp"
#include "tool/policy/exit_status.hpp"
#include "tool/policy/jobs.hpp"
#include "tool/ui/messages.hpp"
#include "tool/ui/signals.hpp"

namespace fmap::tool {

namespace {

constexpr std::uint64_t reported_in_full = 10;
constexpr std::size_t spare_seats = 1024;  // for jobs that SIGUSR1 adds

source_ptr open_source(const source_option& s, const format& f, const flag& stop) {
  if (!s.is_file) return words_source(s.words, f);
  const std::string& name = s.words.front();
  if (name == "-")
    return stream_source(std::make_unique<blocks>(STDIN_FILENO, "standard input"), f, stop);
  const int file = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) throw usage_error{name + ": " + std::strerror(errno)};
  return stream_source(std::make_unique<blocks>(file, name), f, stop);
}

combinations open_sources(const options& o, const flag& stop) {
  std::vector<source_option> wanted = o.sources;
  if (wanted.empty()) {
    wanted.push_back({true, {"-"}, false});
    if (::isatty(STDIN_FILENO) == 1)
      say("reading items from the terminal, one a line; ^D ends them");
  }
  std::vector<linked_sources> groups;
  for (const source_option& s : wanted) {
    if (!s.linked) groups.emplace_back();
    groups.back().push_back(open_source(s, o.input, stop));
  }
  return combinations{std::move(groups), o.input};
}

/// Each job that runs needs a few descriptors. Our limit is raised for that; jobs get the old one.
std::optional<rlimit> raise_limit(std::size_t jobs) {
  rlimit old{};
  if (::getrlimit(RLIMIT_NOFILE, &old) != 0) return std::nullopt;
  rlimit raised = old;
  raised.rlim_cur = raised.rlim_max;
  const bool can = old.rlim_cur == old.rlim_max || ::setrlimit(RLIMIT_NOFILE, &raised) == 0;
  const rlim_t most = can ? raised.rlim_cur : old.rlim_cur;
  const rlim_t needed = 4 * static_cast<rlim_t>(jobs) + 64;
  if (most != RLIM_INFINITY && needed > most)
    throw usage_error{"-j " + std::to_string(jobs) + " needs " + std::to_string(needed)
                      + " descriptors, and there may be " + std::to_string(most)
                      + ": see ulimit -n, or write a smaller -j"};
  return old;
}

std::vector<std::string> job_environment(std::size_t jobs) {
  std::vector<std::string> all;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view text = *at;
    bool ours = false;
    for (const std::string_view name : {"SEQ", "SLOT", "ATTEMPT", "JOBS", "PID", "HOST"})
      ours = ours || text.starts_with("FMAP_" + std::string{name} + "=");
    if (!ours) all.emplace_back(text);
  }
  all.push_back("FMAP_JOBS=" + std::to_string(jobs));
  all.push_back("FMAP_PID=" + std::to_string(::getpid()));
  all.emplace_back("FMAP_ATTEMPT=1");
  all.emplace_back("FMAP_HOST=:");
  return all;
}

/// Takes the outcomes: what is written, counted, and said.
class consumer {
public:
  consumer(const options& o, outputs& from, launcher& jobs)
      : options_{o}, from_{from}, jobs_{jobs} {}

  void take(job& j) {
    while (const auto piece = from_.next(j)) write(*piece);
    const ending& e = j.end;
    if (e.output_closed) nobody_reads();
    if (e.how == ending::kind::skipped) return;
    ++tally_.ended;
    if (!failed(e)) return;
    if (e.how == ending::kind::not_started) {
      if (tally_.start_error == 0) report_start(e);
      tally_.start_error = e.code;
      return;
    }
    ++tally_.failed;
    if (options_.quiet || nobody_reads_ || tally_.failed > reported_in_full) return;
    say(name_of(j.what) + ": " + reason(e));
  }

  void summary() const {
    if (options_.quiet || nobody_reads_ || tally_.failed == 0) return;
    say(std::to_string(tally_.failed) + " of " + counted(tally_.ended, "item") + " failed");
  }

  void broken(const std::string& why) {
    tally_.broken = true;
    say(why);
    jobs_.terminate();
  }

  bool reader_left() const { return nobody_reads_; }
  const tally& result() const { return tally_; }

private:
  void write(const outputs::piece& p) {
    const auto before = writer_.now();
    writer_.write(p.from, p.bytes);
    if (writer_.now() == before) return;
    if (writer_.now() == writer::state::nobody_reads)
      nobody_reads();
    else
      broken(std::string{"cannot write: "} + std::strerror(writer_.error()));
  }

  void nobody_reads() {
    if (!std::exchange(nobody_reads_, true)) jobs_.terminate();
  }

  void report_start(const ending& e) const {
    std::string text = reason(e);
    if (e.code == ENOENT && e.why.find(' ') != std::string::npos) text += "; did you mean -c?";
    say(text);
  }

  const options& options_;
  outputs& from_;
  launcher& jobs_;
  writer writer_;
  tally tally_;
  bool nobody_reads_ = false;
};

int print_commands(combinations& from, const command& what) {
  tally t;
  writer out;
  while (const auto i = from.next()) {
    ++t.ended;
    std::string problem = i->problem;
    try {
      if (problem.empty()) out.write(stream_of::out, as_shell_text(what.words(*i, 1)) + "\n");
    } catch (const not_runnable& e) {
      problem = e.what();
    }
    if (!problem.empty()) {
      ++t.failed;
      say(name_of(*i) + ": not runnable: " + problem);
    }
    if (out.now() == writer::state::nobody_reads) die_of(SIGPIPE);
    if (out.now() == writer::state::broken) {
      say(std::string{"cannot write: "} + std::strerror(out.error()));
      t.broken = true;
      break;
    }
  }
  return exit_status(t);
}

}  // namespace

int run(const options& o) {
  flag stop;
  combinations from = open_sources(o, stop);
  const command what{o, o.total ? o.total : from.total()};
  if (o.dry_run) {
    std::signal(SIGPIPE, SIG_IGN);
    return print_commands(from, what);
  }

  std::size_t jobs = o.jobs.value_or(processors());
  if (!o.jobs && o.buffer) jobs = std::min(jobs, *o.buffer);
  const std::size_t most = o.buffer.value_or(std::max<std::size_t>(4 * jobs, 16));

  launch_options how;
  how.jobs = jobs;
  how.ordered = o.ordered;
  how.ungrouped = o.ungroup;
  how.verbose = o.verbose;
  how.linger = o.linger;
  how.kill_after = o.kill_after;
  how.grace = o.grace;
  how.timeout = o.timeout;
  how.environment = job_environment(jobs);
  how.files = raise_limit(jobs);
  how.signals = take_signals();

  std::optional<guard> watched;
  if (!o.leave_orphans) watched.emplace(jobs + spare_seats);
  outputs held{o.buffer_bytes, o.spill};
  bound tokens{most};
  launcher launch{std::move(how),
                  [&](const item& i, std::size_t slot) { return what.words(i, slot); }, held,
                  [&] {
                    stop.raise();
                    tokens.close();
                  },
                  watched ? &*watched : nullptr};
  consumer out{o, held, launch};
  try {
    future_map outcomes{[&](item i) { return launch.run(std::move(i)); },
                        items{std::move(from), stop, tokens},
                        map_options{.buffersize = most, .ordered = o.ordered}};
    for (job_ptr& next : outcomes) {
      const job_ptr j = std::move(next);
      out.take(*j);
      launch.written();
      tokens.give_back();
    }
  } catch (const std::system_error& e) {
    out.broken(e.what());
  }
  out.summary();
  if (out.reader_left()) die_of(SIGPIPE);
  if (const int signal = launch.signal(); signal != 0) die_of(signal);
  return exit_status(out.result());
}

}  // namespace fmap::tool
