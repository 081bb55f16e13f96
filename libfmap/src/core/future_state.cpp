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
  for (waiter* w = word_.head(); w != nullptr;) delete std::exchange(w, w->next_);
}

/// A result may hold the last handle to another one, and that likewise: their depth inside each other is bounded.
void future_state_base::destroy() noexcept {
  constexpr int deepest = 64;
  constinit thread_local int depth = 0;
  constinit thread_local future_state_base* put_off = nullptr;
  if (depth == deepest && word_.head() == nullptr) {
    word_.set_link(reinterpret_cast<std::uintptr_t>(put_off));
    put_off = this;
    return;
  }
  ++depth;
  delete this;
  while (depth == deepest && put_off != nullptr) {
    future_state_base* const next = put_off;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): where waiters were
    put_off = reinterpret_cast<future_state_base*>(next->word_.link());
    next->word_.set_link(0);
    delete next;
  }
  --depth;
}

std::uintptr_t word_memory::wait_until_clear(const std::atomic<std::uintptr_t>& word,
                                             std::uintptr_t bits) noexcept {
  for (unsigned rounds = 0;; ++rounds) {
    const std::uintptr_t now = word.load(std::memory_order_acquire);
    if ((now & bits) == 0) return now;
    if (rounds >= 64) std::this_thread::yield();  // its holder has lost the processor
  }
}

bool future_state_base::cancel() noexcept {
  waiter* newest = nullptr;
  const bool cancelled = word_.cancel(newest);
  if (newest != nullptr) notify_all(newest);
  return cancelled;
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
  const auto mine = state_ptr<future_state_base>::share(this);
  ++depth;
  const bool done_here = run_here(*current_helper);
  --depth;
  return done_here;
}

/// Threads first, so that no callback can delay them; each kind in the order in which they came.
void future_state_base::notify_all(waiter* newest) noexcept {
  call(word_.notify_threads(newest, [this](waiter& w) { w.notify(*this); }));
}

void future_state_base::call(waiter* callbacks) noexcept {
  if (callbacks == nullptr) return;
  if (callback_loop* const full = callback_loop::full()) return full->put_off(callbacks, *this);
  callback_loop here;
  here.calling_ = callbacks;
  while (here.calling_ != nullptr) {
    waiter::call(std::exchange(here.calling_, here.calling_->next_), *this);
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
    waiter* const w = std::exchange(first_, first_->next_);
    const auto done = state_ptr<future_state_base>::adopt(w->done_);
    place_ = &first_;
    waiter::call(w, *done);
  }
}

void callback_loop::catch_up_here() noexcept {
  if (innermost != nullptr) innermost->catch_up();
}

bool callback_loop::unlink(waiter** place, waiter& w) noexcept {
  while (*place != nullptr && *place != &w) place = &(*place)->next_;
  if (*place == nullptr) return false;
  *place = w.next_;
  if (place_ == &w.next_) place_ = place;
  return true;
}

void callback_loop::forget(waiter& w) noexcept {
  for (callback_loop* loop = innermost; loop != nullptr; loop = loop->outer_) {
    if (loop->unlink(&loop->calling_, w)) return;
    if (loop->unlink(&loop->first_, w)) return w.done_->release();
  }
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
