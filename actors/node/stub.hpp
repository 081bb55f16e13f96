// SPDX-License-Identifier: BSD-3-Clause
// A worker process as its pool sees it: like one worker with a larger capacity.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "actors/node/child_process.hpp"
#include "actors/node/connection.hpp"
#include "actors/node/recorder.hpp"
#include "actors/shared_mailbox.hpp"

namespace fmap::actors {

/// What is the same for all processes of a pool.
struct node_settings {
  std::uint32_t threads = 1;
  std::string initializer;
  std::optional<std::uint64_t> max_items;
  std::size_t restarts = 5;
  std::chrono::nanoseconds restart_window{};
  std::vector<std::string> environment;
  int nice = 0;
  std::optional<std::uint64_t> address_space_limit;
};

/// Counts the deaths of a pool's processes that no item is to blame for. Thread-safe.
class restart_budget {
public:
  restart_budget(std::size_t restarts, std::chrono::nanoseconds window)
      : restarts_{restarts}, window_{window} {}

  /// One more; false: that is too many.
  bool spend();

private:
  const std::size_t restarts_;
  const std::chrono::nanoseconds window_;
  std::mutex mutex_;
  std::deque<clock::time_point> deaths_;
};

/// One life of one worker process, from its start to its end. Takes batches from the shared mailbox,
/// sends them, and puts the outcomes that come back into their slots. Runs on a thread of its own.
class stub {
public:
  stub(std::shared_ptr<shared_mailbox> box, std::shared_ptr<const node_settings> settings,
       std::shared_ptr<restart_budget> budget);
  ~stub();
  stub(const stub&) = delete;
  stub& operator=(const stub&) = delete;

  /// Returns when the process has ended and everything it held has been decided on.
  void live();

private:
  class bell;

  /// Items that the process holds. Those whose outcome has come are no longer open.
  struct holding {
    run_ptr of;
    chunk* in;
    std::uint64_t first;
    std::uint32_t count, open;
    std::uint32_t place;  // in the recorder
    std::vector<bool> is_open;
    bool recalled = false;

    std::uint64_t end() const { return first + count; }
  };

  bool exchange();
  int patience() const;
  bool receive(frame, wire::reader&);
  bool greet(wire::reader&);
  bool outcomes(wire::reader&);
  bool returned(wire::reader&);
  holding* find(run_id, std::uint64_t index);
  void close_item(holding&, std::uint64_t index);
  void forget_empty();

  void take();
  void send(const parcel&);
  void open(const run_ptr&);
  void recall_stopped();
  void watch();
  void bury();

  mark state_of(run_id, std::uint64_t index);
  bool anything_running() const;

  const std::shared_ptr<shared_mailbox> box_;
  const std::shared_ptr<const node_settings> settings_;
  const std::shared_ptr<restart_budget> budget_;
  worker place_;
  std::shared_ptr<bell> bell_;
  recorder recorder_;
  std::optional<connection> line_;
  std::optional<child_process> child_;

  bool ready_ = false;      // it has greeted
  bool quitting_ = false;   // it was told to finish
  bool blameless_ = false;  // its death is our doing
  std::uint64_t sent_ = 0;  // items, in its life
  std::vector<holding> holdings_;
  std::unordered_map<run_id, std::weak_ptr<run>> opened_;
  std::map<std::pair<run_id, std::uint64_t>, clock::time_point> running_since_;
  std::optional<std::pair<run_id, std::uint64_t>> expired_;
  clock::time_point progress_at_ = clock::now();
  std::string scratch_;
};

}  // namespace fmap::actors
