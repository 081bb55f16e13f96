// SPDX-License-Identifier: BSD-3-Clause
// The flight recorder: how far a worker process got with each item it holds.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include <fmap/detail/chunk.hpp>

namespace fmap::actors {

/// Memory that a worker process shares with its parent: the states of the slots in which it keeps the
/// items it holds. The worker stores them as it goes along, a byte an item; after its death the parent
/// reads what had begun and what had finished.
class recorder {
public:
  using state = std::atomic<detail::slot_state>;
  static_assert(state::is_always_lock_free && sizeof(state) == 1);

  /// How many items it can tell of at a time.
  static constexpr std::uint32_t size = 1u << 16;

  /// New memory (`fd` -1), or that behind a descriptor. Takes over the descriptor; throws
  /// std::system_error.
  explicit recorder(int fd = -1);
  ~recorder();
  recorder(const recorder&) = delete;
  recorder& operator=(const recorder&) = delete;

  int fd() const noexcept { return fd_; }
  state* at(std::uint32_t place) const noexcept { return states_ + place; }

  /// Finds `count` places side by side that nobody uses and marks them as items that wait; none if there
  /// is no such room now. For the parent.
  std::optional<std::uint32_t> reserve(std::uint32_t count);

  /// Nothing needs to be told of a place any more. For the parent.
  void free(std::uint32_t place) { used_[place] = false; }

private:
  int fd_;
  state* states_;
  std::unique_ptr<bool[]> used_{new bool[size]()};
  std::uint32_t next_ = 0;
};

}  // namespace fmap::actors
