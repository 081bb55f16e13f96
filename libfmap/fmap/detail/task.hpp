// SPDX-License-Identifier: BSD-3-Clause
// A task: one call with its arguments, and the future of its result, in one allocation.
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <fmap/detail/function.hpp>
#include <fmap/detail/future_state.hpp>

namespace fmap::detail {

/// A submitted call as a pool sees it. Destroyed through release().
class task {
public:
  /// Calls the function and completes the future, unless it was cancelled.
  virtual void run() noexcept = 0;

  /// Completes the future with an error, unless it was cancelled or started.
  virtual void refuse(const std::exception_ptr&) noexcept = 0;

  /// Cancels the future, unless it was started.
  virtual void cancel() noexcept = 0;

  virtual void release() noexcept = 0;

protected:
  ~task() = default;
};

struct release_task {
  void operator()(task* t) const noexcept { t->release(); }
};
using task_ptr = std::unique_ptr<task, release_task>;

template <class R, class Fn, class... Args>
class bound_task final : public task, public future_state<R> {
public:
  template <class F, class... A>
  explicit bound_task(pool_key pool, F&& fn, A&&... args)
      : pool_{pool}, call_{std::in_place, std::forward<F>(fn), std::forward<A>(args)...} {}

  void run() noexcept override {
    if (this->try_start())
      complete();
    else if (this->now() == future_state_base::status::cancelled)
      call_.reset();
  }

  void refuse(const std::exception_ptr& error) noexcept override {
    if (this->try_start()) {
      call_.reset();
      this->fail(error);
    } else if (this->now() == future_state_base::status::cancelled) {
      call_.reset();
    }
  }

  void cancel() noexcept override {
    if (future_state_base::cancel()) call_.reset();
  }
  void release() noexcept override { future_state_base::release(); }

private:
  bool run_here(helper& here) override {
    if (!here.works_for(pool_) || !this->try_start()) return false;
    complete();
    return true;
  }

  void complete() noexcept {
    const inside completing{static_cast<future_state_base*>(this)};
    try {
      if constexpr (std::is_void_v<R>) {
        invoke();
        call_.reset();
        this->emplace();
      } else {
        this->store([this] { return invoke(); });
        call_.reset();  // what the call held is free before anybody sees the result
        this->finish(future_state_base::status::value);
      }
    } catch (...) {
      call_.reset();
      this->fail(std::current_exception());
    }
  }

  struct call {
    template <class F, class... A>
    explicit call(F&& f, A&&... a) : fn{std::forward<F>(f)}, args{std::forward<A>(a)...} {}
    Fn fn;
    std::tuple<Args...> args;
  };

  R invoke() {
    return std::apply(
        [this](Args&... args) -> R {
          return detail::invoke(std::move(call_->fn), std::move(args)...);
        },
        call_->args);
  }

  const pool_key pool_;
  std::optional<call> call_;
};

}  // namespace fmap::detail
