// SPDX-License-Identifier: BSD-3-Clause
// What the futures for one result share: the list of those who wait.

#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <fmap/detail/future_state.hpp>
#include <fmap/detail/parking.hpp>
#include <fmap/errors.hpp>
#include <fmap/future.hpp>

namespace fmap::detail {

namespace {

/// A thread in wait(), on its own stack.
class waiting_thread final : public waiter {
public:
  explicit waiting_thread(future_state_base& state) : waiter{kind::thread}, state_{state} {
    waits_ = state_.add(*this);
  }

  /// Also when a helper throws: leaves nothing behind in the state.
  ~waiting_thread() override {
    if (waits_ && !state_.remove(*this)) place_.wait();
  }

  void wait(const deadline& until) {
    if (waits_) wait_at(place_, until);
  }

  void notify(future_state_base&) noexcept override { place_.ring(); }

private:
  future_state_base& state_;
  parking place_;
  bool waits_ = false;
};

}  // namespace

constinit thread_local helper* current_helper = nullptr;

bool wait_at(parking& place, const deadline& until) {
  callback_loop::catch_up_here();  // what is waited for may depend on it
  return current_helper != nullptr ? current_helper->help_until(place, until) : place.wait(until);
}

/// What is still in the list is nobody's but ours: a thread that waits holds a reference.
future_state_base::~future_state_base() {
  for (waiter* w = head_in(word_.load(std::memory_order_acquire)); w != nullptr;)
    delete std::exchange(w, w->next_);
}

/// A result may hold the last handle to another one, and that likewise: only so many are destroyed inside each other.
void future_state_base::destroy() noexcept {
  constexpr int deepest = 64;
  constinit thread_local int depth = 0;
  constinit thread_local future_state_base* put_off = nullptr;
  const std::uintptr_t word = word_.load(std::memory_order_acquire);
  if (depth == deepest && head_in(word) == nullptr) {
    word_.store(word | reinterpret_cast<std::uintptr_t>(put_off), std::memory_order_relaxed);
    put_off = this;
    return;
  }
  ++depth;
  delete this;
  while (depth == deepest && put_off != nullptr) {
    future_state_base* const next = put_off;
    const std::uintptr_t link = next->word_.load(std::memory_order_relaxed);
    // NOLINTNEXTLINE(performance-no-int-to-ptr): where waiters were
    put_off = reinterpret_cast<future_state_base*>(link & ~(status_bits | lock_bit));
    next->word_.store(link & status_bits, std::memory_order_relaxed);
    delete next;
  }
  --depth;
}

std::uintptr_t future_state_base::wait_for_unlocked() const noexcept {
  for (unsigned rounds = 0;; ++rounds) {
    const std::uintptr_t word = word_.load(std::memory_order_acquire);
    if ((word & lock_bit) == 0) return word;
    if (rounds >= 64) std::this_thread::yield();  // its holder has lost the processor
  }
}

/// Sets the lock bit; `word` is what it was. False if the state is done.
bool future_state_base::lock(std::uintptr_t& word) noexcept {
  do {
    word = unlocked();
    if (status_in(word) >= status::value) return false;
  } while (!word_.compare_exchange_weak(word, word | lock_bit, std::memory_order_acquire,
                                        std::memory_order_relaxed));
  return true;
}

bool future_state_base::add(waiter& w) noexcept {
  std::uintptr_t word = 0;
  if (!lock(word)) return false;
  w.next_ = head_in(word);
  w.previous_ = nullptr;
  if (w.next_ != nullptr) w.next_->previous_ = &w;
  word_.store(with_head(word, &w), std::memory_order_release);
  return true;
}

bool future_state_base::remove(waiter& w) noexcept {
  std::uintptr_t word = 0;
  if (!lock(word)) return false;
  waiter* head = head_in(word);
  if (w.next_ != nullptr) w.next_->previous_ = w.previous_;
  if (w.previous_ != nullptr)
    w.previous_->next_ = w.next_;
  else
    head = w.next_;
  word_.store(with_head(word, head), std::memory_order_release);
  return true;
}

bool future_state_base::cancel() noexcept {
  for (;;) {
    std::uintptr_t word = unlocked();
    if (status_in(word) != status::pending) return status_in(word) == status::cancelled;
    if (word_.compare_exchange_weak(word, static_cast<std::uintptr_t>(status::cancelled),
                                    std::memory_order_acq_rel, std::memory_order_relaxed)) {
      if (head_in(word) != nullptr) notify_all(head_in(word));
      return true;
    }
  }
}

bool future_state_base::start() {
  if (try_start()) return true;
  if (now() == status::cancelled) return false;
  throw invalid_state{"fmap: the promise was already set running or has a result"};
}

bool future_state_base::claim(status& before) {
  for (;;) {
    before = now();
    if (before == status::cancelled) return false;
    if (before > status::running) throw invalid_state{"fmap: the promise already has a result"};
    if (change(before, status::claimed)) return true;
  }
}

bool future_state_base::wait_slowly(const deadline& until) {
  if (until == time_limit::only_look) return false;
  if (try_run_here()) return true;
  waiting_thread{*this}.wait(until);
  return done();
}

bool future_state_base::try_run_here() {
  if (current_helper == nullptr) return false;
  if (inside::of(this)) throw would_deadlock{"fmap: a task waits for its own result"};
  // Tasks that wait for tasks lie on top of each other here. Deeper down others must run them.
  constexpr int deepest = 500;
  thread_local int depth = 0;
  if (depth == deepest) return false;
  ++depth;
  const bool done_here = run_here(*current_helper);
  --depth;
  return done_here;
}

/// Threads first, so that no callback can delay them; each kind in the order in which they came.
void future_state_base::notify_all(waiter* newest) noexcept {
  waiter* oldest = newest;
  while (oldest->next_ != nullptr) oldest = oldest->next_;
  waiter* callbacks = nullptr;
  waiter** last = &callbacks;
  while (oldest != nullptr) {
    waiter* const w = std::exchange(oldest, oldest->previous_);  // it may be gone once notified
    if (w->kind_ == waiter::kind::thread) {
      w->notify(*this);
    } else {
      *last = w;
      last = &w->next_;
    }
  }
  *last = nullptr;
  call(callbacks);
}

void future_state_base::call(waiter* callbacks) noexcept {
  if (callbacks == nullptr) return;
  if (callback_loop* const full = callback_loop::full()) return full->put_off(callbacks, *this);
  callback_loop here;
  while (callbacks != nullptr) {
    std::unique_ptr<waiter> w{std::exchange(callbacks, callbacks->next_)};
    w->notify(*this);
    w.reset();
    here.catch_up();
  }
}

namespace {

constinit thread_local callback_loop* innermost = nullptr;

}  // namespace

callback_loop::callback_loop() noexcept
    : outer_{std::exchange(innermost, this)}, depth_{outer_ != nullptr ? outer_->depth_ + 1 : 1} {}

callback_loop::~callback_loop() {
  catch_up();
  innermost = outer_;
}

callback_loop* callback_loop::full() noexcept {
  return innermost != nullptr && innermost->depth_ == deepest ? innermost : nullptr;
}

void callback_loop::put_off(waiter* callbacks, future_state_base& done) noexcept {
  waiter* const rest = std::exchange(*place_, callbacks);
  for (; *place_ != nullptr; place_ = &(*place_)->next_) {
    done.retain();
    (*place_)->done_ = &done;
  }
  *place_ = rest;
}

void callback_loop::catch_up() noexcept {
  while (first_ != nullptr) {
    const std::unique_ptr<waiter> w{std::exchange(first_, first_->next_)};
    const auto done = state_ptr<future_state_base>::adopt(w->done_);
    place_ = &first_;
    w->notify(*done);
  }
}

void callback_loop::catch_up_here() noexcept {
  if (innermost != nullptr) innermost->catch_up();
}

void report_callback_error() noexcept {
  try {
    std::string line =
        "fmap: a future's done-callback threw: " + describe(std::current_exception());
    std::replace(line.begin(), line.end(), '\n', ' ');
    std::cerr << line + '\n' << std::flush;
  } catch (...) {
    // there is nobody left to tell
  }
}

void throw_no_state(const char* what) {
  throw invalid_state{std::string{"fmap: this "} + what
                      + " has no shared state: it was default-constructed or moved from"};
}

}  // namespace fmap::detail
