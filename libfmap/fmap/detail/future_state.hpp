// SPDX-License-Identifier: BSD-3-Clause
// What the futures for one result share. Executors derive their tasks from it.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

#include <fmap/detail/inside.hpp>
#include <fmap/detail/state_ptr.hpp>
#include <fmap/detail/waiting.hpp>

namespace fmap::detail {

class future_state_base;

/// Somebody who is told when a state is done. 16-byte aligned: the state keeps flags in the low bits of
/// its address.
class alignas(16) waiter {
public:
  enum class kind : std::uint8_t {
    thread,    ///< its owner removes it in time; notify() is short and runs no user code
    callback,  ///< belongs to the state; notified after all threads, and then deleted
  };

  explicit waiter(kind k) noexcept : kind_{k} {}
  virtual ~waiter() = default;
  waiter(const waiter&) = delete;
  waiter& operator=(const waiter&) = delete;

  /// Called once, in the thread that completed the state. A `thread` may be gone when this returns.
  virtual void notify(future_state_base&) noexcept = 0;

private:
  friend class future_state_base;
  friend class callback_loop;
  waiter* next_ = nullptr;
  union {
    waiter* previous_ = nullptr;
    future_state_base* done_;  // of a callback that has been put off
  };
  const kind kind_;
};

/// The call of a callback by this thread, for as long as it lives. Callbacks that complete futures have other
/// callbacks called inside them, but no more than `deepest` lie on top of each other: what a callback there brings
/// about is put off until it has returned, or waits for something. So no chain of them needs much of the stack.
class callback_loop {
public:
  callback_loop() noexcept;
  ~callback_loop();
  callback_loop(const callback_loop&) = delete;
  callback_loop& operator=(const callback_loop&) = delete;

  static constexpr int deepest = 64;

  /// The innermost loop of this thread if no other may lie on it, else null.
  static callback_loop* full() noexcept;

  /// Puts off a list of callbacks of a state that is done.
  void put_off(waiter* callbacks, future_state_base& done) noexcept;

  /// Calls what has been put off in this loop.
  void catch_up() noexcept;

  /// The same in the innermost loop of this thread, which is about to wait for something.
  static void catch_up_here() noexcept;

private:
  callback_loop* const outer_;
  const int depth_;
  waiter* first_ = nullptr;  // what has been put off
  waiter** place_ =
      &first_;  // of what the callback that is being called brings about: before the rest
};

/// The part of a shared state that does not depend on the result's type: a reference count, and one
/// word that holds the status, a lock bit, and the list of waiters. The list is only changed under the
/// lock bit; the status only while the lock bit is clear. Whoever makes the state done takes the list
/// with it, so everybody in it is notified exactly once.
class future_state_base {
public:
  enum class status : std::uint8_t {
    pending,  ///< may still be cancelled
    running,
    claimed,  ///< running; a promise is about to set the result
    value,    ///< done, and all after it
    error,
    cancelled,
    taken,  ///< the value was moved out
  };

  future_state_base(const future_state_base&) = delete;
  future_state_base& operator=(const future_state_base&) = delete;

  void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy();
  }

  status now() const noexcept { return status_in(word_.load(std::memory_order_acquire)); }
  bool done() const noexcept { return now() >= status::value; }

  /// pending -> running, for an executor that is about to produce the result: it must then complete the
  /// state, once. False: it was cancelled, leave it alone.
  bool try_start() noexcept { return change(status::pending, status::running); }

  /// pending -> cancelled. True also if it was cancelled before.
  bool cancel() noexcept;

  /// Waits until done (true) or the deadline (false). The caller holds a reference.
  bool wait(const deadline& until = {}) { return done() || wait_slowly(until); }

  /// Puts a waiter into the list; false if the state is done, and nobody will notify it.
  bool add(waiter&) noexcept;

  /// Calls callbacks of this state, which is done, and deletes them. There has to be a reference while there are any.
  void call(waiter* callbacks) noexcept;

  /// To be called before this thread waits: true if this was pending in the executor that the thread works
  /// for, and has been completed right here instead. Throws would_deadlock if this thread is in the midst
  /// of completing it.
  bool try_run_here();

  /// Takes a waiter out of the list; false: the state is done, and it has been or is about to be notified.
  bool remove(waiter&) noexcept;

  // -- for promises ------------------------------------------------------------

  /// As try_start(); throws invalid_state if it has been started.
  bool start();

  /// Gets the right to set the result and sets `before`; false if it was cancelled. Throws invalid_state
  /// if there is a result already or somebody else is setting it.
  bool claim(status& before);

  /// Gives the right back.
  void unclaim(status before) noexcept { change(status::claimed, before); }

  /// Whether nobody else has a reference, nor will be notified.
  bool unobserved() const noexcept {
    return references_.load(std::memory_order_acquire) == 1 && head_in(word_.load()) == nullptr;
  }

protected:
  /// A worker of the executor that is to complete this is about to wait for it: true if it was still
  /// pending and has been completed right here instead.
  virtual bool run_here(helper&) { return false; }

  future_state_base() = default;
  virtual ~future_state_base();

  /// Makes the state done and notifies everybody. The result has been stored; the caller holds a
  /// reference.
  void finish(status s) noexcept {
    std::uintptr_t word = unlocked();
    while (!word_.compare_exchange_weak(word, static_cast<std::uintptr_t>(s),
                                        std::memory_order_acq_rel, std::memory_order_relaxed))
      word = unlocked();
    if (head_in(word) != nullptr) notify_all(head_in(word));
  }

  /// value -> taken; false if somebody else was faster.
  bool change(status from, status to) noexcept {
    for (;;) {
      std::uintptr_t word = unlocked();
      if (status_in(word) != from) return false;
      if (word_.compare_exchange_weak(word, (word & ~status_bits) | static_cast<std::uintptr_t>(to),
                                      std::memory_order_acq_rel, std::memory_order_relaxed))
        return true;
    }
  }

private:
  static constexpr std::uintptr_t status_bits = 7, lock_bit = 8;

  static status status_in(std::uintptr_t word) noexcept {
    return static_cast<status>(word & status_bits);
  }
  static waiter* head_in(std::uintptr_t word) noexcept {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): flags live in its low bits
    return reinterpret_cast<waiter*>(word & ~(status_bits | lock_bit));
  }
  static std::uintptr_t with_head(std::uintptr_t word, waiter* head) noexcept {
    return (word & status_bits) | reinterpret_cast<std::uintptr_t>(head);
  }

  /// The word, once its lock bit is clear.
  std::uintptr_t unlocked() const noexcept {
    const std::uintptr_t word = word_.load(std::memory_order_acquire);
    return (word & lock_bit) == 0 ? word : wait_for_unlocked();
  }

  std::uintptr_t wait_for_unlocked() const noexcept;
  bool lock(std::uintptr_t& word) noexcept;
  bool wait_slowly(const deadline& until);
  void destroy() noexcept;
  void notify_all(waiter* newest) noexcept;

  std::atomic<std::uintptr_t> word_{0};
  std::atomic<std::uint32_t> references_{1};
};

/// The shared state of a `future<T>`: 24 bytes and the result. A task of an executor derives from it and
/// keeps its function in the same allocation; `make_state` or `state_ptr::adopt(new task{...})` make one.
template <class T>
class future_state : public future_state_base {
  struct nothing {};

public:
  static_assert(std::is_void_v<T> || (std::is_object_v<T> && !std::is_const_v<T>),
                "fmap: a future holds a value or void; for a reference use a pointer or "
                "std::reference_wrapper");
  using stored = std::conditional_t<std::is_void_v<T>, nothing, T>;

  future_state() noexcept {}

  /// Stores the value and completes the state. To be called after try_start() or claim() gave the right
  /// to, and by nobody else. If the constructor throws, nothing has happened.
  template <class... Args>
  void emplace(Args&&... args) {
    std::construct_at(std::addressof(value_), std::forward<Args>(args)...);
    finish(status::value);
  }

  /// Completes the state with an error, likewise.
  void fail(std::exception_ptr error) noexcept {
    std::construct_at(&error_, std::move(error));
    finish(status::error);
  }

  /// The value; to be read after now() was `value`.
  stored& value() noexcept { return value_; }

  /// The error; after now() was `error`.
  const std::exception_ptr& error() const noexcept { return error_; }

  /// Gets the right to move the value out; only the first call is true.
  bool try_take() noexcept { return change(status::value, status::taken); }

protected:
  /// Where the value is to be made; finish() is to follow.
  void* place() noexcept { return std::addressof(value_); }

  /// Stores what `make` returns, where it stays: it may be too large for a stack. finish() is to follow.
  template <class Make>
  void store(Make make) {
    ::new (place()) stored(make());
  }

  ~future_state() override {
    const status s = now();
    if (s == status::value || s == status::taken) std::destroy_at(std::addressof(value_));
    if (s == status::error) std::destroy_at(&error_);
  }

private:
  union {
    stored value_;
    std::exception_ptr error_;
  };
};

}  // namespace fmap::detail
