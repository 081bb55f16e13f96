// SPDX-License-Identifier: BSD-3-Clause
// What a node_pool tells of its nodes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <fmap/detail/api.hpp>
#include <fmap/detail/duration.hpp>
#include <fmap/errors.hpp>

namespace fmap {

enum class node_state : std::uint8_t {
  starting,  ///< its command runs, and it has not joined
  ready,
  quiet,    ///< nothing was heard of it for a third of the silence: it gets nothing new
  leaving,  ///< it gets nothing new, and ends when it has done what it has begun
  waiting,  ///< its command is run again after a while
  given_up,
  left,
  gone  ///< it has dialled in, was lost, and may dial in again
};

FMAP_API std::string_view to_string(node_state) noexcept;

/// One node at one moment. What counts counts over all lives of its place in the pool.
struct node_info {
  std::string name;  ///< empty before it has joined
  std::string host;
  int pid = 0;              ///< of its agent
  std::string command;      ///< what starts it; empty: it has dialled in
  std::string address;      ///< from where
  std::string certificate;  ///< the names in it, if it has shown one
  node_state state = node_state::starting;
  std::size_t workers = 0, threads = 0;
  std::uint64_t lives = 0;                ///< how often it has joined
  std::chrono::nanoseconds round_trip{};  ///< there and back; 0: not known yet
  std::uint64_t held = 0;                 ///< items that it has now
  std::uint64_t done = 0;                 ///< outcomes that it has sent
  std::uint64_t deaths = 0;               ///< items whose process died there
  std::string last_end{};  ///< how its last life, or the last attempt to start it, ended
};

enum class node_event_kind : std::uint8_t {
  joined,
  refused,  ///< it may not join, and its command is not run again
  quiet,
  lost,
  leaving,  ///< it was asked to leave, by the pool or by a signal
  left,
  broken,  ///< its command has failed too often, and is not run again
  launch_failed
};

FMAP_API std::string_view to_string(node_event_kind) noexcept;

struct node_event {
  node_event_kind kind{};
  std::string name;  ///< empty if it has not joined
  std::string command;
  std::string reason;
  std::string address{};  ///< of a node that has dialled in
};

/// The item was given to a node that was lost, and may have been executed there.
class FMAP_API node_lost : public worker_lost {
public:
  node_lost(std::uint64_t index, std::uint32_t attempts, worker_death death, std::string node);

  const char* what() const noexcept override { return text_->c_str(); }

  /// The node's name.
  const std::string& node() const noexcept { return *node_; }

private:
  std::shared_ptr<const std::string> node_, text_;
};

}  // namespace fmap
