// SPDX-License-Identifier: BSD-3-Clause
// What the futures for one result share. Executors derive their tasks from it.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

#include <fmap/detail/api.hpp>
#include <fmap/detail/future_word.hpp>
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
    coroutine,  ///< as a callback, but lies in a coroutine's frame, and may be gone when notify() returns
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
  template <class, class>
  friend class basic_future_word;

  bool is_thread() const noexcept { return kind_ == kind::thread; }

  /// Notifies one that is no thread's, and deletes it if it belongs to the state, which is done.
  static void call(waiter* w, future_state_base& done) noexcept {
    const bool deletes = w->kind_ == kind::callback;
    w->notify(done);
    if (deletes) delete w;
  }

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
class FMAP_API callback_loop {
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

  /// Takes one out of what this thread is about to call: a coroutine is destroyed by what is called before it.
  static void forget(waiter&) noexcept;

private:
  friend class future_state_base;

  /// Whether the list at `place` held it, and no longer does.
  bool unlink(waiter** place, waiter&) noexcept;

  callback_loop* const outer_;
  const int depth_;
  waiter* calling_ = nullptr;  // the rest of the list that is being called
  waiter* first_ = nullptr;    // what has been put off
  waiter** place_ =
      &first_;  // of what the callback that is being called brings about: before the rest
};

/// The part of a shared state that does not depend on the result's type: a reference count, and the
/// word that holds the status and the list of waiters.
class FMAP_API future_state_base {
public:
  using status = state_status;

  future_state_base(const future_state_base&) = delete;
  future_state_base& operator=(const future_state_base&) = delete;

  void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy();
  }

  status now() const noexcept { return word_.now(); }
  bool done() const noexcept { return now() >= status::value; }

  /// pending -> running, for an executor that is about to produce the result: it must then complete the
  /// state, once. False: it was cancelled, leave it alone.
  bool try_start() noexcept { return change(status::pending, status::running); }

  /// pending -> cancelled. True also if it was cancelled before.
  bool cancel() noexcept;

  /// Waits until done (true) or the deadline (false). The caller holds a reference.
  bool wait(const deadline& until = {}) { return done() || wait_slowly(until); }

  /// Puts a waiter into the list; false if the state is done, and nobody will notify it.
  bool add(waiter& w) noexcept { return word_.add(w); }

  /// Calls callbacks of this state, which is done, and deletes them. There has to be a reference while there are any.
  void call(waiter* callbacks) noexcept;

  /// To be called before this thread waits: true if this was pending in the executor that the thread works
  /// for, and has been completed right here instead. Throws would_deadlock if this thread is in the midst
  /// of completing it.
  bool try_run_here();

  /// Takes a waiter out of the list; false: the state is done, and it has been or is about to be notified.
  bool remove(waiter& w) noexcept { return word_.remove(w); }

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
    return references_.load(std::memory_order_acquire) == 1 && word_.head() == nullptr;
  }

  /// Whether there are at most so many references. For whoever knows whose these are: if so, they stay alone.
  bool held_by_at_most(std::uint32_t references) const noexcept {
    return references_.load(std::memory_order_acquire) <= references;
  }

protected:
  /// A worker of the executor that is to complete this is about to wait for it: true if it was still
  /// pending and has been completed right here instead.
  virtual bool run_here(helper&) { return false; }

  future_state_base() = default;
  virtual ~future_state_base();

  /// Makes the state done and notifies everybody. The result has been stored; the caller holds a
  /// reference, which is no handle of the user's: nobody reads the result through it.
  void finish(status s) noexcept {
    if (waiter* const newest = word_.finish(s)) notify_all(newest);
  }

  /// value -> taken; false if somebody else was faster.
  bool change(status from, status to) noexcept { return word_.change(from, to); }

private:
  bool wait_slowly(const deadline& until);
  void destroy() noexcept;
  void notify_all(waiter* newest) noexcept;

  basic_future_word<word_memory, waiter> word_;
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
