// SPDX-License-Identifier: BSD-3-Clause
// The flight recorder: how far a worker process got with each item it holds.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include <fmap/detail/chunk.hpp>

#include "src/remote/witness.hpp"

namespace fmap::remote {

/// Memory that a worker process shares with its parent: the states of the slots in which it keeps the
/// items it holds. The worker stores them as it goes along, a byte an item; after its death the parent
/// reads what had begun and what had finished.
class flight_recorder final : public witness {
public:
  using state = std::atomic<detail::slot_state>;
  static_assert(state::is_always_lock_free && sizeof(state) == 1);

  /// How many items it can tell of at a time.
  static constexpr std::uint32_t size = 1u << 16;

  /// New memory (`fd` -1), or that behind a descriptor. Takes over the descriptor; throws
  /// std::system_error.
  explicit flight_recorder(int fd = -1);
  ~flight_recorder() override;
  flight_recorder(const flight_recorder&) = delete;
  flight_recorder& operator=(const flight_recorder&) = delete;

  int fd() const noexcept { return fd_; }

  /// The memory stays.
  void close_fd() noexcept;

  /// The process has asked for memory and got none.
  std::atomic<bool>& memory_flag() const noexcept { return *out_of_memory_; }
  state* at(std::uint32_t place) const noexcept { return states_ + place; }

  /// What the parent asks.
  places reserve(std::uint32_t count) override;
  void free(std::uint32_t first, std::uint32_t count) override;
  mark state_of(std::uint32_t place) const override;
  bool out_of_memory() const override { return *out_of_memory_; }

  /// The worker process takes places into use; false if they are not there or in use already. It frees
  /// them before it reports what became of their items, from any thread.
  bool claim(std::uint32_t place, std::size_t count);
  void unclaim(const state& first, std::uint32_t count);

  /// A process that is forked from this one gets a copy: what it goes on to do with the items is not told. For one
  /// recorder of a process.
  void keep_from_forks();

private:
  void become_a_copy() noexcept;

  int fd_;
  state* states_;
  std::atomic<bool>* out_of_memory_;  // behind the states
  std::unique_ptr<bool[]> used_{new bool[size]()};
  std::uint32_t next_ = 0;
  std::unique_ptr<std::atomic<bool>[]> claimed_;  // in the worker process
};

}  // namespace fmap::remote
