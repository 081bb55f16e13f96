// SPDX-License-Identifier: BSD-3-Clause
// A job that calls a function of the user's on each item.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <variant>

#include <fmap/copied.hpp>
#include <fmap/detail/api.hpp>
#include <fmap/detail/function.hpp>
#include <fmap/detail/inside.hpp>
#include <fmap/detail/item_in_slot.hpp>
#include <fmap/detail/job.hpp>
#include <fmap/detail/retry_book.hpp>
#include <fmap/with_state.hpp>

namespace fmap::detail {

/// How a result is kept: by value, and `void` as std::monostate.
template <class T>
using stored = std::conditional_t<std::is_void_v<T>, std::monostate, std::remove_cvref_t<T>>;

/// Calls a plain function object, shared by all workers and therefore a constant.
template <class Fn, class... In>
class caller {
public:
  using result = std::invoke_result_t<const Fn&, In...>;

  explicit caller(Fn fn) : fn_{std::move(fn)} {}

  /// What one worker calls for the items of one batch.
  auto bind(std::uint32_t /*worker*/) {
    return
        [this](In&&... item) -> result { return detail::invoke(fn_, std::forward<In>(item)...); };
  }

private:
  const Fn fn_;
};

/// A place for something of each worker's own; it is empty until that puts something there.
class FMAP_API worker_places {
public:
  worker_places();
  ~worker_places();
  worker_places(const worker_places&) = delete;
  worker_places& operator=(const worker_places&) = delete;

  /// Thread-safe; what it returns is for that worker alone.
  std::shared_ptr<void>& of(std::uint32_t worker);

private:
  struct impl;
  const std::unique_ptr<impl> impl_;
};

/// Calls a function object with the worker's own state.
template <class Make, class Fn, class... In>
class caller<stateful<Make, Fn>, In...> {
public:
  using state = typename stateful<Make, Fn>::state;
  using result = std::invoke_result_t<const Fn&, state&, In...>;

  explicit caller(stateful<Make, Fn> f) : make_{std::move(f.make)}, fn_{std::move(f.fn)} {}

  auto bind(std::uint32_t worker) {
    std::shared_ptr<void>& place = places_.of(worker);
    if (!place) place = std::make_shared<std::optional<state>>();
    return [this, own = static_cast<std::optional<state>*>(place.get())](In&&... item) -> result {
      if (!own->has_value()) own->emplace(made{make_});
      return detail::invoke(fn_, **own, std::forward<In>(item)...);
    };
  }

private:
  /// Lets the state be made in place, so that it need not be movable.
  struct made {
    const Make& make;
    operator state() const { return detail::invoke(make); }  // NOLINT(google-explicit-constructor)
  };

  const Make make_;
  const Fn fn_;
  worker_places places_;
};

/// Whether Fn, a constant or not, can be called with these, directly or with a worker's state.
template <class Fn, class... In>
struct can_call : std::is_invocable<Fn&, In...> {};
template <class Make, class Fn, class... In>
struct can_call<stateful<Make, Fn>, In...>
    : std::is_invocable<Fn&, typename stateful<Make, Fn>::state&, In...> {};
template <class Make, class Fn, class... In>
struct can_call<const stateful<Make, Fn>, In...>
    : std::is_invocable<const Fn&, typename stateful<Make, Fn>::state&, In...> {};

/// Whether a map can call Fn for items In, which it hands over as rvalues.
template <class Fn, class In>
struct callable_with : can_call<Fn, In> {};

/// Functions over batches; see <fmap/on_batches.hpp>.
template <class Fn>
inline constexpr bool is_batched = false;

enum class used_in : std::uint8_t { map, stage, handle };

/// Refuses any other Fn with a message that says what to do.
template <class Fn, class In, used_in Where = used_in::map>
consteval bool require_callable_with() {
  constexpr bool callable = callable_with<const Fn, In>::value;
  if constexpr (!callable && callable_with<Fn, In>::value)
    static_assert(
        callable,
        "fmap: the function is called by several threads at once and may not change itself (a "
        "mutable lambda, or an operator() that is not const): make it const, or give each worker "
        "a state of its own, fmap::with_state(make, fn)");
  else if constexpr (is_batched<Fn>)
    static_assert(callable, "fmap: on_batches: the function is called with a std::span<Item>, Item "
                            "being what the elements are, "
                            "and an fmap::delivery<Result>&, after the worker's state if there is "
                            "one: let it take these");
  else if constexpr (Where == used_in::map)
    static_assert(
        callable,
        "fmap: the function cannot be called with an item of this range as an rvalue; let it "
        "take the item by value, by const reference or by rvalue reference");
  else if constexpr (Where == used_in::stage)
    static_assert(
        callable,
        "fmap: in spawn_stage<In, Out> the function cannot be called with an In as an rvalue; let "
        "it take the In by value, by const reference or by rvalue reference");
  else
    static_assert(
        callable,
        "fmap: in pool.handle<In>(fn) the function cannot be called with an In as an rvalue; let "
        "it take the In by value, by const reference or by rvalue reference");
  return callable;
}

template <class Fn, class In>
using result_of = stored<typename caller<Fn, In>::result>;

/// Slots that hold an In, and after it a result or an error. Both are made where they stay.
template <class In, class Out>
class typed_job : public job {
public:
  typed_job() : job{layout_for<In, Out>()} {}

  void fail(chunk& c, std::uint32_t i, const std::exception_ptr& error) override {
    clear(c, i, i + 1);
    std::construct_at(&c.error(i), error);
    c.state(i).store(slot_state::error, std::memory_order_release);
    failures.fetch_add(1, std::memory_order_relaxed);
  }

  void clear(chunk& c, std::uint32_t begin, std::uint32_t end) override {
    for (std::uint32_t i = begin; i != end; ++i) {
      switch (c.state(i).load(std::memory_order_acquire)) {
        case slot_state::empty:
        case slot_state::returned: continue;
        case slot_state::recorded: break;
        case slot_state::item: destroy(c.state(i), static_cast<In*>(c.at(i))); break;
        case slot_state::value: destroy(c.state(i), static_cast<Out*>(c.value(i))); break;
        case slot_state::error: destroy(c.state(i), &c.error(i)); break;
        case slot_state::arriving:
        case slot_state::running: break;
      }
      c.state(i).store(slot_state::empty, std::memory_order_release);
    }
  }

private:
  /// A destructor is the user's code, too.
  template <class T>
  static void destroy(std::atomic<slot_state>& state, T* what) {
    if constexpr (!std::is_trivially_destructible_v<T>) mark_running(state);
    std::destroy_at(what);
  }
};

/// Whether Fn takes items as constants, as far as that can be told without instantiating anything of the user's: it has
/// one call operator, which is no template.
template <class Fn, class In>
consteval bool takes_constants() {
  if constexpr (std::is_pointer_v<Fn> || requires { &Fn::operator(); })
    return std::is_invocable_v<const Fn&, const In&>;
  else
    return false;
}
template <class Fn, class In>
inline constexpr bool takes_constant = takes_constants<Fn, In>();
template <class Make, class Fn, class In>
inline constexpr bool takes_constant<stateful<Make, Fn>, In> = false;

template <class In, class Fn>
class function_job : public typed_job<In, result_of<Fn, In>> {
public:
  using out = result_of<Fn, In>;

  explicit function_job(Fn fn) : caller_{std::move(fn)} { this->recordable = true; }

  std::uint32_t apply(chunk& c, std::uint32_t i, progress& at, std::uint32_t worker) override {
    const inside here{static_cast<job*>(this)};
    auto call = caller_.bind(worker);
    if (!this->retries && !this->journal) {
      for (; at.claim(i); ++i) execute(c, i, call);
      return i;
    }
    for (; at.claim(i); ++i) {
      if (this->recalled(c, i))
        at.passed_over = true;
      else if (this->retries)
        execute_keeping(c, i, call);
      else
        execute(c, i, call);
    }
    return i;
  }

  void check_retries() const override {
    if constexpr (!is_copied<In> && !takes_constant<Fn, In>)
      throw std::invalid_argument{
          "fmap: retry: the item is moved into the call, and cannot be copied before; let the "
          "function take it as const In&, or keep it behind a std::shared_ptr"};
  }

private:
  /// Replaces an item by its outcome.
  template <class Call>
  void execute(chunk& c, std::uint32_t i, Call& call) {
    out* made = nullptr;
    try {
      mark_running(c.state(i));
      replace(c, i, call, made);
      c.state(i).store(slot_state::value, std::memory_order_release);
    } catch (...) {
      if (made != nullptr) std::destroy_at(made);
      this->fail(c, i, std::current_exception());
    }
  }

  /// The same for items that may be tried again: each call gets a copy, and an item that is to be tried again is in its
  /// slot afterwards.
  template <class Call>
  void execute_keeping(chunk& c, std::uint32_t i, Call& call) {
    std::optional<kept_aside<In>> kept;
    out* made = nullptr;
    try {
      mark_running(c.state(i));
      kept.emplace(*static_cast<In*>(c.at(i)));
      made = make_from_copy(c.value(i), call, kept->item());
      kept->destroy();
      c.state(i).store(slot_state::value, std::memory_order_release);
    } catch (...) {
      if (made != nullptr) std::destroy_at(made);
      const bool there = !kept || kept->put_back();
      c.state(i).store(there ? slot_state::item : slot_state::empty, std::memory_order_release);
      const std::exception_ptr error = std::current_exception();
      if (!there || !this->retries->again(c.first + i, error)) this->fail(c, i, error);
    }
  }

  template <class Call>
  static out* make_from_copy(void* place, Call& call, In& item) {
    if constexpr (!is_copied<In>) {
      return make(place, call, std::move(item));  // it is taken as a constant
    } else if constexpr (stays_in_slot<In>) {
      const auto copy = std::make_unique<In>(std::as_const(item));
      return make(place, call, std::move(*copy));
    } else {
      In copy(std::as_const(item));
      return make(place, call, std::move(copy));
    }
  }

  /// Makes the result. When this returns or throws, the item has been destroyed.
  template <class Call>
  static void replace(chunk& c, std::uint32_t i, Call& call, out*& made) {
    if constexpr (stays_in_slot<In>) {
      const destroyed_at_last<In> slot{*static_cast<In*>(c.at(i))};
      made = make(c.value(i), call, std::move(slot.what));
    } else {
      In item(take(c, i));
      made = make(c.value(i), call, std::move(item));
    }
  }

  /// Leaves no item behind, whether it could be moved or not.
  static In take(chunk& c, std::uint32_t i) {
    const destroyed_at_last<In> slot{*static_cast<In*>(c.at(i))};
    return In(std::move(slot.what));
  }

  template <class Call>
  static out* make(void* place, Call& call, In&& item) {
    if constexpr (std::is_void_v<typename caller<Fn, In>::result>) {
      call(std::move(item));
      return ::new (place) out{};
    } else {
      return ::new (place) out(call(std::move(item)));
    }
  }

  caller<Fn, In> caller_;
};

/// The job of a map's function.
template <class In, class Fn>
struct job_for {
  using type = function_job<In, Fn>;
};
template <class In, class Fn>
using applying_job = typename job_for<In, Fn>::type;

}  // namespace fmap::detail
