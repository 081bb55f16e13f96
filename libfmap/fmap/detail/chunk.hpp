// SPDX-License-Identifier: BSD-3-Clause
// Storage for the items of a run and, in their place, for what became of them.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>

namespace fmap::detail {

/// What a slot holds; `arriving`: an item is being read from a message; `running`: code of the user's is at work
/// on the item, on its outcome or on what is to be destroyed of them; `returned`: nothing, as the item has gone back
/// before it began; `recorded`: nothing, as a journal has the outcome. The thread that owns the item stores it; others
/// read it to see how far it got.
enum class slot_state : std::uint8_t {
  empty,
  arriving,
  item,
  running,
  value,
  error,
  returned,
  recorded
};

/// `value`: where in its slot a result is made. Large ones lie behind the item, which is still there then.
struct slot_layout {
  std::size_t size, align, value;
};

/// Slots for `capacity` consecutive items of a run. A slot holds the item until a worker replaces it
/// by its outcome, and that until the consumer has gone past it. Knows no types: the run's job does.
/// Errors lie behind all slots: few of them are ever made, and the slots stay small.
class chunk {
public:
  /// The slots are empty; unless their states lie in memory that somebody else looks at, too, and are left as they
  /// are.
  chunk(std::uint32_t place, std::uint32_t slots, slot_layout layout,
        std::atomic<slot_state>* states = nullptr)
      : id{place}, capacity{slots}, stride_{layout.size},
        align_{std::max(layout.align, error_align)}, value_{layout.value},
        slots_{static_cast<std::byte*>(
            ::operator new(bytes(slots, layout) + slots * sizeof(std::exception_ptr), align_))},
        errors_{reinterpret_cast<std::exception_ptr*>(slots_ + bytes(slots, layout))},
        own_states_{states == nullptr ? new std::atomic<slot_state>[slots] : nullptr},
        states_{states == nullptr ? own_states_.get() : states} {}

  ~chunk() { ::operator delete(slots_, align_); }

  chunk(const chunk&) = delete;
  chunk& operator=(const chunk&) = delete;

  void* at(std::uint32_t offset) const { return slots_ + stride_ * offset; }
  void* value(std::uint32_t offset) const { return slots_ + stride_ * offset + value_; }
  /// The error of a slot whose state says so; whoever sets that state makes it, at this address.
  std::exception_ptr& error(std::uint32_t offset) const { return errors_[offset]; }
  std::atomic<slot_state>& state(std::uint32_t offset) const { return states_[offset]; }
  std::uint32_t offset(std::uint64_t index) const {
    return static_cast<std::uint32_t>(index - first);
  }

  std::uint32_t id;  ///< its place among the run's chunks
  const std::uint32_t capacity;
  std::uint64_t first = 0;   ///< index of the item in slot 0
  std::uint64_t origin = 0;  ///< its index where it came from, if that was another process
  std::uint32_t left = 0;  ///< slots the consumer has not gone past; the mailbox's mutex guards it

private:
  static constexpr std::size_t error_align = alignof(std::exception_ptr);

  /// Of the slots, with what is needed for errors to lie behind them.
  static constexpr std::size_t bytes(std::uint32_t capacity, slot_layout layout) {
    return (capacity * layout.size + error_align - 1) / error_align * error_align;
  }

  const std::size_t stride_;
  const std::align_val_t align_;
  const std::size_t value_;
  std::byte* const slots_;
  std::exception_ptr* const errors_;
  const std::unique_ptr<std::atomic<slot_state>[]> own_states_;
  std::atomic<slot_state>* const states_;
};

}  // namespace fmap::detail
