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
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include <signal.h>
#include <sys/resource.h>

#include <fmap/future.hpp>
#include <fmap/promise.hpp>

#include "tool/launch/guard.hpp"
#include "tool/launch/job.hpp"
#include "tool/launch/ladder.hpp"
#include "tool/launch/outputs.hpp"
#include "tool/launch/slots.hpp"

namespace fmap::tool {

struct launch_options {
  std::size_t jobs = 1;
  bool ordered = false;
  bool ungrouped = false;  // jobs write to our standard output and error themselves
  bool verbose = false;    // each command is printed on standard error
  clock::duration linger = std::chrono::seconds{2};
  clock::duration kill_after = std::chrono::seconds{5};
  clock::duration grace = std::chrono::seconds{10};
  std::optional<clock::duration> timeout;
  std::vector<std::string> environment;
  sigset_t signals;             // those that are ours to handle; blocked in all threads
  std::optional<rlimit> files;  // for the jobs
};

/// The words of the command for an item that runs in that slot. Throws `not_runnable`.
using make_command = std::function<std::vector<std::string>(const item&, std::size_t slot)>;

/// A job is handed over, as the value of its future, when its output may be written: when it has ended; in
/// input order or one at a time at once, so that the first one's output flows; and when all others wait for
/// room for their outputs.
class launcher {
public:
  launcher(launch_options options, make_command command, outputs& to,
           std::function<void()> no_more_input, guard* watched);
  launcher(const launcher&) = delete;
  launcher& operator=(const launcher&) = delete;

  /// Ends what runs.
  ~launcher();

  /// Runs the command for an item as soon as a slot is free.
  future<job_ptr> run(item i);

  /// To be called when a job that was handed over has been written.
  void written();

  /// Nothing is read or begun any more; what runs may finish.
  void stop();

  /// As stop(), and SIGTERM to what runs, later SIGKILL.
  void terminate();

  /// The first signal that asked for the end; 0 if none did.
  int signal() const { return signal_.load(); }

private:
  struct running;

  enum class about : std::uint64_t { wake, signals, out, err, process };

  void loop();
  void handle(std::uint64_t serial, about what);
  void take_orders();
  void start_some();
  bool start_one(const job_ptr& j, promise<job_ptr>& promised);
  void read_some(running& r, stream_of which);
  void resume_refused();
  void hand_over(running& r);
  void help_out();
  void reap(running& r);
  void close_stream(running& r, stream_of which);
  void climb(running& r, ladder::step step);
  void tick();
  std::optional<clock::time_point> next_due() const;
  void finish_if_over(running& r);
  void skip(const job_ptr& j, promise<job_ptr>& promised);
  void drain();
  void terminate_all(bool kill);
  void read_signals();
  void asked_to_end(int signal);
  void print_state();
  void signal_all(int signal);
  std::vector<std::string> environment_for(const item& i, std::size_t slot) const;

  static std::uint64_t tag(std::uint64_t serial, about what) {
    return serial << 3 | static_cast<std::uint64_t>(what);
  }
  void watch(int descriptor, std::uint64_t tag) const;
  void unwatch(int descriptor) const;

  launch_options options_;
  make_command command_;
  outputs& to_;
  std::function<void()> no_more_input_;
  guard* guard_;

  // -- of this thread and others --
  struct order {
    job_ptr what;
    promise<job_ptr> promised;
  };
  std::mutex mutex_;
  std::deque<order> orders_;
  bool stop_ = false;
  bool terminate_ = false;
  bool leave_ = false;
  std::atomic<bool> room_{false};
  std::atomic<std::size_t> handed_{0};  // and not yet written
  std::atomic<int> signal_{0};

  // -- of the launcher's thread --
  int epoll_ = -1;
  int wake_ = -1;
  int signals_ = -1;
  int null_ = -1;
  std::deque<order> waiting_;
  std::map<std::uint64_t, std::unique_ptr<running>> running_;  // by serial: the oldest first
  std::uint64_t serial_ = 0;
  slots slots_;
  bool draining_ = false;
  bool terminating_ = false;
  bool lingered_ = false;  // it was said once
  int asked_ = 0;          // times to end
  std::uint64_t finished_ = 0;
  std::optional<clock::time_point> grace_ends_;
  std::optional<clock::time_point> start_again_;  // the system had no process for us

  std::thread thread_;

  void wake() const;
};

}  // namespace fmap::tool
