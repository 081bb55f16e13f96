// SPDX-License-Identifier: BSD-3-Clause
// Runs commands: starts them, collects their outputs, ends them. One thread of its own.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <signal.h>
#include <sys/resource.h>

#include <fmap/future.hpp>
#include <fmap/promise.hpp>

#include "tool/launch/guard.hpp"
#include "tool/launch/job.hpp"
#include "tool/launch/ladder.hpp"
#include "tool/launch/line_queue.hpp"
#include "tool/launch/outputs.hpp"
#include "tool/launch/runner.hpp"
#include "tool/launch/running.hpp"
#include "tool/launch/slots.hpp"
#include "tool/launch/surroundings.hpp"
#include "tool/policy/gate.hpp"
#include "tool/policy/halt.hpp"
#include "tool/policy/pace.hpp"
#include "tool/policy/retry.hpp"
#include "tool/policy/time_limit.hpp"

namespace fmap::tool {

struct launch_options {
  std::size_t jobs = 1;
  bool ordered = false;
  bool ungrouped = false;       // jobs write to our standard output and error themselves
  bool show_commands = false;   // each command is printed on standard error
  bool verbose = false;         // what is waited for is told there
  bool tty = false;             // the command is in our group, at our terminal
  bool item_to_input = false;   // the item and a newline are the command's standard input
  bool split_failed = false;    // a failed command of several items is run again by halves
  bool output_stays = false;    // until the command has ended, so that it can be recorded
  bool watched = false;         // somebody calls look()
  line_queue* lines = nullptr;  // where whole lines go as they come; null: outputs are grouped
  clock::duration linger = std::chrono::seconds{2};
  clock::duration kill_after = std::chrono::seconds{5};
  clock::duration grace = std::chrono::seconds{10};
  time_limit limit;
  std::optional<clock::duration> deadline;
  retry_rule retry;
  halt_rule halt;
  std::optional<std::uint64_t> total;  // items there will be, if known
  std::vector<std::string> environment;
  sigset_t signals;             // those that are ours to handle; blocked in all threads
  std::optional<rlimit> files;  // for the jobs
  child_surroundings surroundings;
  start_pace pace;
  gate when;
  std::size_t jobs_most = SIZE_MAX;
  std::string jobs_file;  // where it stands how many may run, read again when it changes

  // -- called by the launcher's thread --
  std::function<std::string(const item&, std::size_t)> folder;  // to run it in; none: ours
  std::function<void(std::size_t)> jobs_changed;
  std::function<void(const job&, pid_t)> began;
  std::function<void(job&, const ending&)> ended;  // before another is begun in its place
  std::function<ending(job&)> saved;               // puts what an earlier run left into the outputs
  std::function<void(std::size_t items, std::chrono::nanoseconds)> succeeded;
};

/// The words of the command for an item that runs in that slot. Throws `not_runnable`.
using make_command = std::function<std::vector<std::string>(const item&, std::size_t slot)>;

/// A job is handed over, as the value of its future, when its output may be written: when it has ended; in
/// input order or one at a time at once, so that the first one's output flows; and when all others wait for
/// room for their outputs. A job that may be tried again is handed over when it has ended, too.
class launcher final : public runner {
public:
  launcher(launch_options options, make_command command, outputs& to,
           std::function<void()> no_more_input, guard* watched);

  /// Ends what runs.
  ~launcher() override;

  future<job_ptr> run(item i) override;
  void written() override;
  void terminate() override;
  int signal() const override { return signal_.load(); }
  stop stopped() const override { return stopped_.load(); }
  overview look() const override;

private:
  enum class about : std::uint64_t { wake, signals, in, out, err, process, jobs_file };

  // -- launcher.cpp: the thread --
  void loop();
  void handle(std::uint64_t serial, about what);
  void take_orders();
  std::optional<clock::time_point> next_due() const;
  void tick();
  void show_overview();
  static std::uint64_t tag(std::uint64_t serial, about what) {
    return serial << 3 | static_cast<std::uint64_t>(what);
  }
  void watch(int descriptor, std::uint64_t tag, bool to_write = false) const;
  void unwatch(int descriptor) const;
  void wake() const;

  // -- starting.cpp --
  void start_some();
  bool first_is_shut_out() const;
  bool may_begin();
  void put_back(order o);
  bool start_one(order& o);
  void start_process(running& r, bool& again);
  void complete(order& o, ending how);
  bool may_change(const job& j) const;
  std::vector<std::string> environment_for(const running& r) const;

  // -- streams.cpp --
  void read_some(running& r, stream_of which);
  void read_lines(running& r, stream_of which, std::string_view bytes);
  void feed(running& r);
  void resume_refused();
  void hand_over(order& o);
  void help_out();
  void close_stream(running& r, stream_of which);
  void close_input(running& r);

  // -- endings.cpp --
  void reap(running& r);
  void finish_if_over(running& r);
  void settle(order o, ending e);
  bool goes_on(order& o, const ending& e);
  void name_blamed(job& j);
  bool try_later(order& o, const ending& e);
  bool split(order& o, const ending& e);
  void count(const job& j, const ending& e);
  static void send(const running& r, int signal);
  void climb(running& r, ladder::step step);
  void look_at(running& r, clock::time_point now);

  // -- stopping.cpp --
  void drain();
  void terminate_all(bool kill);
  void stop_for(stop why);
  void watch_jobs_file();
  void read_jobs_file();
  void read_signals();
  void asked_to_end(int signal);
  void print_state();
  void signal_all(int signal);

  launch_options options_;
  make_command command_;
  outputs& to_;
  std::function<void()> no_more_input_;
  guard* guard_;

  // -- of this thread and others --
  mutable std::mutex mutex_;
  std::deque<order> orders_;
  bool terminate_ = false;
  bool leave_ = false;
  overview overview_;
  std::atomic<bool> room_{false};
  std::atomic<std::size_t> handed_{0};  // and not yet written
  std::atomic<int> signal_{0};
  std::atomic<stop> stopped_{stop::none};

  // -- of the launcher's thread --
  int epoll_ = -1;
  int wake_ = -1;
  int signals_ = -1;
  int null_ = -1;      // or the terminal
  int notified_ = -1;  // of --jobs' file
  bool waits_told_ = false;
  std::deque<order> waiting_;
  std::multimap<clock::time_point, order> later_;              // to be tried again
  std::map<std::uint64_t, std::unique_ptr<running>> running_;  // by serial: the oldest first
  std::uint64_t serial_ = 0;
  slots slots_;
  std::minstd_rand random_;
  bool draining_ = false;
  bool terminating_ = false;
  bool lingered_ = false;  // it was said once
  int asked_ = 0;          // times to end
  std::uint64_t finished_ = 0;
  std::optional<clock::time_point> grace_ends_;
  std::optional<clock::time_point> deadline_;
  std::optional<clock::time_point> start_again_;  // the system had no process for us

  std::thread thread_;
};

}  // namespace fmap::tool
