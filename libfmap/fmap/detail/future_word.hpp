// SPDX-License-Identifier: BSD-3-Clause
// The word of a future's shared state: its status, a lock bit, and the list of those who wait.
#pragma once

#include <atomic>
#include <cstdint>

#include <fmap/detail/api.hpp>

namespace fmap::detail {

enum class state_status : std::uint8_t {
  pending,  ///< may still be cancelled
  running,
  claimed,  ///< running; a promise is about to set the result
  value,    ///< done, and all after it
  error,
  cancelled,
  taken,  ///< the value was moved out
};

/// The memory that threads share; tests have another one.
struct word_memory {
  template <class T>
  using atomic = std::atomic<T>;

  template <class Node>
  static std::uintptr_t number(Node* node) noexcept {
    return reinterpret_cast<std::uintptr_t>(node);
  }
  template <class Node>
  static Node* pointer(std::uintptr_t number) noexcept {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): flags live in its low bits
    return reinterpret_cast<Node*>(number);
  }

  /// The word, once those bits are clear.
  static std::uintptr_t load_clear(const std::atomic<std::uintptr_t>& at,
                                   std::uintptr_t bits) noexcept {
    const std::uintptr_t word = at.load(std::memory_order_acquire);
    return (word & bits) == 0 ? word : wait_until_clear(at, bits);
  }
  FMAP_API static std::uintptr_t wait_until_clear(const std::atomic<std::uintptr_t>& word,
                                                  std::uintptr_t bits) noexcept;
};

/// The list is only changed under the lock bit; the status only while the lock bit is clear. Whoever makes the state
/// done takes the list with it, so everybody in it is notified exactly once. A node is 16-byte aligned, and has
/// `next_`, `previous_` and `is_thread()`. Nothing here throws, unless the memory does.
template <class Memory, class Node>
class basic_future_word {
public:
  using status = state_status;

  status now() const { return status_in(word_.load(std::memory_order_acquire)); }
  Node* head() const { return head_in(word_.load(std::memory_order_acquire)); }

  /// False: it is not `from`.
  bool change(status from, status to) {
    for (;;) {
      std::uintptr_t word = unlocked();
      if (status_in(word) != from) return false;
      if (exchange(word, (word & ~status_bits) | static_cast<std::uintptr_t>(to))) return true;
    }
  }

  /// Makes the state done. Returns the newest of those who are to be notified, or null.
  Node* finish(status s) {
    std::uintptr_t word = unlocked();
    while (!exchange(word, static_cast<std::uintptr_t>(s))) word = unlocked();
    return head_in(word);
  }

  /// pending -> cancelled; `newest` likewise. True also if it was cancelled before.
  bool cancel(Node*& newest) {
    for (;;) {
      std::uintptr_t word = unlocked();
      if (status_in(word) != status::pending) return status_in(word) == status::cancelled;
      if (exchange(word, static_cast<std::uintptr_t>(status::cancelled))) {
        newest = head_in(word);
        return true;
      }
    }
  }

  /// Puts a node into the list; false if the state is done, and nobody will notify it.
  bool add(Node& w) {
    std::uintptr_t word = 0;
    if (!lock(word)) return false;
    Node* const next = head_in(word);
    w.next_ = next;
    w.previous_ = nullptr;
    if (next != nullptr) next->previous_ = &w;
    unlock(word, &w);
    return true;
  }

  /// Takes a node out of the list; false: the state is done, and it has been or is about to be notified.
  bool remove(Node& w) {
    std::uintptr_t word = 0;
    if (!lock(word)) return false;
    Node* head = head_in(word);
    Node* const next = w.next_;
    Node* const previous = w.previous_;
    if (next != nullptr) next->previous_ = previous;
    if (previous != nullptr)
      previous->next_ = next;
    else
      head = next;
    unlock(word, head);
    return true;
  }

  /// Notifies the threads in a list that finish() or cancel() gave, and returns the callbacks in it. Each kind in the
  /// order in which they came.
  template <class Notify>
  static Node* notify_threads(Node* newest, Notify notify) {
    Node* oldest = newest;
    for (Node* next = oldest; next != nullptr; next = oldest->next_) oldest = next;
    Node* callbacks = nullptr;
    Node* last = nullptr;
    while (oldest != nullptr) {
      Node* const w = oldest;
      oldest = w->previous_;  // w may be gone once notified
      if (w->is_thread()) {
        notify(*w);
        continue;
      }
      if (last != nullptr)
        last->next_ = w;
      else
        callbacks = w;
      last = w;
    }
    if (last != nullptr) last->next_ = nullptr;
    return callbacks;
  }

  // -- for whoever has the state alone -----------------------------------------

  /// What lies where the list was.
  std::uintptr_t link() const {
    return word_.load(std::memory_order_relaxed) & ~(status_bits | lock_bit);
  }
  void set_link(std::uintptr_t link) {
    const std::uintptr_t word = word_.load(std::memory_order_relaxed);
    word_.store((word & status_bits) | link, std::memory_order_relaxed);
  }

private:
  static constexpr std::uintptr_t status_bits = 7, lock_bit = 8;

  static status status_in(std::uintptr_t word) { return static_cast<status>(word & status_bits); }
  static Node* head_in(std::uintptr_t word) {
    return Memory::template pointer<Node>(word & ~(status_bits | lock_bit));
  }

  /// The word, once its lock bit is clear.
  std::uintptr_t unlocked() const { return Memory::load_clear(word_, lock_bit); }

  bool exchange(std::uintptr_t& word, std::uintptr_t next) {
    return word_.compare_exchange_weak(word, next, std::memory_order_acq_rel,
                                       std::memory_order_relaxed);
  }

  /// Sets the lock bit; `word` is what it was. False if the state is done.
  bool lock(std::uintptr_t& word) {
    do {
      word = unlocked();
      if (status_in(word) >= status::value) return false;
    } while (!word_.compare_exchange_weak(word, word | lock_bit, std::memory_order_acquire,
                                          std::memory_order_relaxed));
    return true;
  }

  void unlock(std::uintptr_t word, Node* head) {
    word_.store((word & status_bits) | Memory::number(head), std::memory_order_release);
  }

  typename Memory::template atomic<std::uintptr_t> word_{0};
};

}  // namespace fmap::detail
