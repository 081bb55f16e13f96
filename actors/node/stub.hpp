// SPDX-License-Identifier: BSD-3-Clause
// A worker process as its pool sees it: like one worker with a larger capacity.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "actors/node/child_process.hpp"
#include "actors/node/connection.hpp"
#include "actors/node/custody.hpp"
#include "actors/node/seats.hpp"
#include "actors/node/watched_time.hpp"
#include "src/kernel/shared_mailbox.hpp"
#include "src/kernel/worker.hpp"

namespace fmap::actors {

/// What is the same for all processes of a pool.
struct node_settings {
  std::uint32_t threads = 1;
  std::string initializer;
  std::optional<std::uint64_t> max_items;
  std::size_t restarts = 5;
  std::chrono::nanoseconds restart_window{};
  std::vector<std::string> environment;  // all of it
  int nice = 0;
  std::optional<std::uint64_t> address_space_limit;
};

/// Counts the deaths of a pool's processes that no item is to blame for. Thread-safe.
class restart_budget {
public:
  restart_budget(std::size_t restarts, std::chrono::nanoseconds window)
      : restarts_{restarts}, window_{window} {}

  /// One more, of a process that was started then; false: that is too many. However rare they are, so many in
  /// a row before a process was ready are too many as well. Those that die at one moment, for one reason
  /// probably, count as one.
  bool spend(clock::time_point started, bool was_ready);

  /// A process is ready.
  void ready();

private:
  const std::size_t restarts_;
  const std::chrono::nanoseconds window_;
  std::mutex mutex_;
  std::deque<clock::time_point> deaths_;
  std::optional<clock::time_point> last_;
  std::size_t never_ready_ = 0;
};

/// What the stubs of a pool share.
struct node_commons {
  node_commons(std::uint32_t workers, node_settings s)
      : settings{std::move(s)}, budget{settings.restarts, settings.restart_window}, places{
                                                                                        workers} {}

  const node_settings settings;
  std::atomic<std::uint32_t> proven{0};  // processes that have sent outcomes
  enum class ending { in_order, terminate, kill };
  std::atomic<ending> how_to_end{ending::in_order};  // if the pool is broken
  restart_budget budget;
  seats places;
};

/// One life of one worker process, from its start to its end. Takes batches from the shared mailbox,
/// sends them, and puts the outcomes that come back into their slots. Runs on a thread of its own.
class stub {
public:
  stub(std::shared_ptr<shared_mailbox> box, std::shared_ptr<node_commons> commons);
  ~stub();
  stub(const stub&) = delete;
  stub& operator=(const stub&) = delete;

  /// Returns when the process has ended and everything it held has been decided on.
  void live();

private:
  class bell;

  void start();
  bool exchange();
  bool read();
  bool read_all();
  int patience() const;
  bool receive(frame, wire::reader&);
  bool greet(wire::reader&);
  void take();
  bool crowded() const;
  void unburden();
  void get_up();
  void watch();
  void quit_in_time();
  worker_death end();
  void end_child();
  std::string reason_of(const worker_death&);
  void bury(std::exception_ptr not_started);
  void start_failed(std::exception_ptr why);
  void prove();

  mark state_of(const custody::item&) const;
  std::exception_ptr error_of(const casualty&, const worker_death&) const;

  const std::shared_ptr<shared_mailbox> box_;
  const std::shared_ptr<node_commons> commons_;
  const node_settings& settings_;
  worker place_;
  std::shared_ptr<bell> bell_;
  std::optional<connection> line_;
  std::optional<custody> held_;
  std::optional<child_process> child_;
  spinner spin_;

  bool greeted_ = false;    // it runs this program
  bool ready_ = false;      // its initializer, if any, has run
  bool proven_ = false;     // it has sent outcomes
  bool seated_ = false;     // it may work
  bool stalled_ = false;    // it is at slow items, and gets no others before one of them is done
  bool blameless_ = false;  // its death is our doing
  bool nonsense_ = false;   // it sent some
  watched_time watched_;
  std::optional<watched_time::duration> quitting_;  // since it was told to finish
  std::uint64_t sent_ = 0;                          // items, in its life
  std::map<custody::item, watched_time::duration> running_since_;
  std::optional<custody::item> expired_;
  clock::time_point started_at_ = clock::now(), progress_at_ = started_at_;
  watched_time::duration advanced_{};  // progress, as it was watched
};

}  // namespace fmap::actors
