// SPDX-License-Identifier: BSD-3-Clause
// Joins the rooms: items through a map whose function runs a command, outputs to where ours goes.
#include "tool/run.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

#include <fmap/future_map.hpp>

#include "tool/command/command.hpp"
#include "tool/command/limits.hpp"
#include "tool/input/items.hpp"
#include "tool/input/open.hpp"
#include "tool/launch/environment.hpp"
#include "tool/launch/guard.hpp"
#include "tool/launch/launcher.hpp"
#include "tool/launch/outputs.hpp"
#include "tool/output/consumer.hpp"
#include "tool/output/dry_run.hpp"
#include "tool/policy/exit_status.hpp"
#include "tool/policy/measures.hpp"
#include "tool/record/files.hpp"
#include "tool/record/job_log.hpp"
#include "tool/record/journal.hpp"
#include "tool/record/take_up.hpp"
#include "tool/ui/bar.hpp"
#include "tool/ui/signals.hpp"
#include "tool/worker/coprocesses.hpp"

namespace fmap::tool {

namespace {

constexpr std::size_t spare_seats = 1024;  // for jobs that SIGUSR1 adds

launch_options how_to_launch(const options& o, const measures& m) {
  launch_options how;
  how.jobs = m.jobs;
  how.ordered = o.ordered;
  how.ungrouped = o.ungroup;
  how.show_commands = o.show_commands;
  how.verbose = o.verbose;
  how.tty = o.tty;
  how.item_to_input = o.to_input;
  how.split_failed = o.split_failed;
  how.output_stays = !o.journal.empty();
  how.watched = o.bar;
  how.linger = o.linger;
  how.kill_after = o.kill_after;
  how.grace = o.grace;
  how.limit = o.limit;
  how.deadline = o.deadline;
  how.retry = o.retry;
  how.halt = o.halt;
  how.environment = job_environment(m.jobs);
  for (const std::string& variable : o.variables) set_variable(how.environment, variable);
  how.files = raise_limit(m.jobs);
  how.surroundings = o.surroundings;
  how.pace = o.pace;
  how.when = {o.load, o.memory_free};
  how.jobs_file = o.jobs_file;
  how.jobs_most = most_jobs();
  return how;
}

worker_options workers_of(const options& o) {
  worker_options w = *o.worker;
  if (o.tries_given) w.deaths = o.retry.tries;
  w.retries_timeouts = o.tries_given && o.retry.tries > 1;
  w.json_items = o.input.json;
  w.buffer_bytes = o.buffer_bytes;
  return w;
}

/// Without placeholders: it is not started for one item.
std::vector<std::string> worker_words(const options& o) {
  return o.script ? std::vector<std::string>{o.shell, "-c", *o.script, "fmap"} : o.command;
}

/// Writes the lines of --line-buffer until it is destroyed, which is when all commands have ended.
class line_thread {
public:
  line_thread(line_queue& from, consumer& to)
      : from_{from}, thread_{[&from, &to] { to.write_lines(from); }} {}
  ~line_thread() {
    from_.close();
    thread_.join();
  }

private:
  line_queue& from_;
  std::thread thread_;
};

}  // namespace

int run(const options& given) {
  options o = given;
  if (o.retry_failed) o.command = {"/bin/sh", "-c"};
  flag stop;
  combinations from = open_sources(o, stop);
  const std::optional<std::uint64_t> total = o.total ? o.total : from.total();
  // With -n there are fewer commands than items; how many is not known if their sizes change.
  std::optional<std::uint64_t> of_commands = total;
  if (total && o.auto_items) of_commands.reset();
  if (total && o.max_items && !o.auto_items)
    of_commands = (*total + *o.max_items - 1) / *o.max_items;
  std::optional<command> what;
  if (!o.worker) what.emplace(o, of_commands);
  if (o.halt.needs_total() && !total)
    throw usage_error{"--halt done=N%: how many items there will be is not known before they are "
                      "read; say it with "
                      "--total=N"};
  const measures m = measure(o);
  sizes each{o, m};
  bound tokens{o.dry_run ? SIZE_MAX : m.in_flight};
  batching together;
  if (m.items_each > 1) {
    const std::vector<std::string> environment = job_environment(m.jobs);
    const std::size_t fixed = what->cost({});
    std::size_t room = room_for_words(environment);
    if (o.script) room = std::min(room, longest_word);  // it is one word
    together = {[&] { return each.now(); }, !o.auto_items,
                [&what, fixed](const item& i) { return what->cost(i) - fixed; },
                room > fixed ? room - fixed : 0};
  }
  item_reader input{std::move(from), stop, tokens, std::move(together)};
  if (o.dry_run) return o.worker ? print_command(worker_words(o)) : print_commands(input, *what);

  output_file out{o.output, !o.resume && !o.retry_failed, STDOUT_FILENO};
  output_file jsonl{o.jsonl == "-" ? "" : o.jsonl, !o.resume, o.jsonl == "-" ? STDOUT_FILENO : -1};
  std::optional<item_counter> counter;  // before anything has been read
  if (o.bar && !total) counter.emplace(o);
  std::optional<journal> book;
  if (!o.journal.empty()) {
    book.emplace(journal_options{o.journal, o.resume, o.resume_failed, o.resume_by_item, o.sync,
                                 what_matters(o)},
                 o.output.empty() ? -1 : out.descriptor());
    book->take_up(input);
  } else if (!o.job_log.empty() && (o.resume || o.retry_failed)) {
    take_up(input, o);
  }
  const bool appends = o.job_log_appends || o.resume || o.retry_failed;
  output_file job_log{o.job_log, !appends, -1};
  output_file quarantine{o.quarantine, !appends, -1};

  launch_options how = how_to_launch(o, m);
  how.total = total;
  how.succeeded = [&](std::size_t items, std::chrono::nanoseconds took) { each.note(items, took); };
  std::optional<word> folder;
  if (!o.workdir.empty()) {
    folder.emplace(o.workdir, o.input.has_names());
    how.folder = [&](const item& i, std::size_t slot) {
      return folder->expand(i, {slot, of_commands});
    };
  }
  if (!o.buffer)
    how.jobs_changed = [&](std::size_t jobs) { tokens.widen(in_flight_for(jobs) * m.items_each); };
  outputs held{o.buffer_bytes, o.worker ? 0 : o.spill};  // answers are many and small
  if (book) {
    how.began = [&](const job& j, pid_t process) { book->began(j, process); };
    how.ended = [&](job& j, const ending& e) { book->ended(j, e, held); };
    how.saved = [&](job& j) { return book->lend(j, held); };
  }
  line_queue lines;
  if (o.line_buffer && !o.ordered) how.lines = &lines;
  how.signals = take_signals();
  std::optional<guard> watched;
  if (!o.leave_orphans) watched.emplace(m.jobs + spare_seats);
  for (const output_file* each : {&out, &jsonl, &job_log, &quarantine}) each->begin();
  job_log.title(job_log_title);
  const auto end_input = [&] {
    stop.raise();
    tokens.close();
  };
  guard* const guarded = watched ? &*watched : nullptr;
  consumer* judge = nullptr;  // there is one before a worker is begun
  std::unique_ptr<runner> jobs;
  if (o.worker)
    jobs = std::make_unique<coprocesses>(
        std::move(how), workers_of(o), worker_words(o), held, end_input, guarded,
        [&, fixed = o.buffer.has_value()](std::size_t items) {
          if (!fixed) tokens.widen(std::min(items, m.most_commands));
        },
        [&](const std::string& why) { judge->broken(why); });
  else
    jobs = std::make_unique<launcher>(
        std::move(how), [&](const item& i, std::size_t slot) { return what->words(i, slot); }, held,
        end_input, guarded);
  runner& launch = *jobs;
  input.on_end([&] { launch.input_ended(); });
  consumer results{o,
                   held,
                   launch,
                   {out.descriptor(), job_log.descriptor(), jsonl.descriptor(),
                    quarantine.descriptor(), book ? &*book : nullptr, of_commands}};
  judge = &results;
  std::optional<line_thread> line_writer;
  if (o.line_buffer && !o.ordered) line_writer.emplace(lines, results);
  std::optional<bar> progress_bar;
  if (o.bar)
    progress_bar.emplace(
        [&] {
          progress p;
          p.done = results.done();
          p.failed = results.failures();
          p.skipped = input.passed_over();
          p.total = counter ? counter->total() : total;
          const overview now = launch.look();
          p.running = now.running;
          p.oldest = now.oldest;
          p.age = std::chrono::duration_cast<std::chrono::seconds>(clock::now() - now.oldest_began);
          return p;
        },
        o.color.value_or(shows_colour()));
  try {
    future_map outcomes{[&](item i) { return launch.run(std::move(i)); }, items{input},
                        map_options{.buffersize = m.most_commands, .ordered = o.ordered}};
    for (job_ptr& next : outcomes) {
      const job_ptr j = std::move(next);
      try {
        results.take(*j);
      } catch (const std::system_error& e) {
        results.broken(e.what());  // which ends the input, too: the map waits for that
        break;
      }
      launch.written();
      tokens.give_back(many(j->what));
    }
  } catch (const std::system_error& e) {
    results.broken(e.what());
  }
  launch.finish();
  progress_bar.reset();
  results.finish(input.has_ended());
  if (const int error = out.close(); error != 0)
    results.broken(std::string{"cannot write: "} + std::strerror(error));
  if (results.reader_left()) die_of(SIGPIPE);
  if (const int signal = launch.signal(); signal != 0) die_of(signal);
  tally all = results.result();
  all.broken = all.broken || launch.in_doubt();
  return exit_status(all, o.exit);
}

}  // namespace fmap::tool
