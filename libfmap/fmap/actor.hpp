// SPDX-License-Identifier: BSD-3-Clause
// Actors as functions of maps, and pools as actors.
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <caf/error.hpp>
#include <caf/response_type.hpp>
#include <caf/typed_actor.hpp>

#include <fmap/detail/api.hpp>
#include <fmap/detail/async_job.hpp>
#include <fmap/detail/stage_types.hpp>
#include <fmap/errors.hpp>
#include <fmap/future_map.hpp>
#include <fmap/promise.hpp>
#include <fmap/thread_pool.hpp>

#include "actors/protocol.hpp"

namespace fmap {

/// An actor answered a request with an error, or is no more.
class FMAP_API actor_error : public error {
public:
  explicit actor_error(caf::error reason);
  const caf::error& reason() const noexcept { return reason_; }

private:
  caf::error reason_;
};

namespace detail {

/// One request on behalf of a map.
class call {
public:
  virtual ~call() = default;

  /// Sends it from `self`; `settled` is called there when it has been answered.
  virtual void send(caf::event_based_actor* self, std::function<void()> settled) = 0;

  /// There will be no result.
  virtual void fail(const std::exception_ptr&) = 0;
};

/// Makes calls to one actor, from an actor of its own. Thread-safe.
class FMAP_API caller_of_actor {
public:
  caller_of_actor(caf::actor_system&, const caf::actor& target);
  ~caller_of_actor();
  caller_of_actor(const caller_of_actor&) = delete;
  caller_of_actor& operator=(const caller_of_actor&) = delete;

  void make(std::shared_ptr<call>);

  /// Whether a call failed because the actor is no more.
  bool over() const noexcept { return *over_; }

private:
  const std::shared_ptr<std::atomic<bool>> over_ = std::make_shared<std::atomic<bool>>(false);
  caf::actor caller_;
};

/// What `item_timeout` means for requests: 0 without one. Throws `std::invalid_argument` if it is not positive.
FMAP_API std::chrono::nanoseconds request_limit(const map_options&);

/// The options of a map over an actor: its requests have the time limit, not a worker that could be killed.
FMAP_API map_options asking_options(map_options);

template <class R, class Handle, class In>
class request_call final : public call,
                           public std::enable_shared_from_this<request_call<R, Handle, In>> {
public:
  /// `limit` is the request's; 0: there is none.
  request_call(Handle to, In&& item, std::uint64_t index, std::chrono::nanoseconds limit)
      : to_{std::move(to)}, item_{std::move(item)}, index_{index}, limit_{limit} {}

  future<R> result() { return result_.get_future(); }

  void send(caf::event_based_actor* self, std::function<void()> settled) override {
    auto answer = actors::request(self, to_, std::move(item_), limit_);
    const auto failed = [me = this->shared_from_this(), settled](caf::error& e) {
      settled();
      me->fail(me->why(e));
    };
    if constexpr (std::is_void_v<R>)
      std::move(answer).then(
          [me = this->shared_from_this(), settled] {
            settled();
            if (me->first()) me->result_.set_value();
          },
          failed);
    else
      std::move(answer).then(
          [me = this->shared_from_this(), settled](R& value) {
            settled();
            if (me->first()) me->settle(value);
          },
          failed);
  }

  void fail(const std::exception_ptr& error) override {
    if (first()) result_.set_exception(error);
  }

private:
  bool first() { return !std::exchange(done_, true); }

  template <class Value>
  void settle(Value& value) {
    try {
      result_.set_value(std::move(value));
    } catch (...) {
      result_.set_exception(std::current_exception());
    }
  }

  std::exception_ptr why(const caf::error& e) const {
    if (limit_.count() != 0 && e == caf::sec::request_timeout)
      return std::make_exception_ptr(item_timeout{index_, limit_});
    return std::make_exception_ptr(actor_error{e});
  }

  const Handle to_;
  In item_;
  const std::uint64_t index_;
  const std::chrono::nanoseconds limit_;
  promise<R> result_;
  bool done_ = false;  // an answer may come after the news of its sender's end
};

/// The input of a map over an actor: it is at its end when that is no more.
class input_while_alive final : public input {
public:
  input_while_alive(std::unique_ptr<input> from, std::shared_ptr<caller_of_actor> caller)
      : from_{std::move(from)}, caller_{std::move(caller)} {}
  bool pull(chunk& c, std::uint32_t& filled, std::uint32_t end,
            const std::atomic<std::uint32_t>& flush_every) override {
    const inside here{static_cast<input*>(this)};
    return !caller_->over() && from_->pull(c, filled, end, flush_every);
  }
  std::optional<std::uint64_t> size() override { return from_->size(); }
  std::shared_ptr<kept_items> keep_items() override { return from_->keep_items(); }

private:
  const std::unique_ptr<input> from_;
  const std::shared_ptr<caller_of_actor> caller_;
};

template <class R, class Handle>
  requires std::same_as<Handle, caf::actor> || requires { typename Handle::signatures; }
struct actor_sink<R, Handle> {
  template <class Range>
  static sink make(caf::actor_system& system, const Handle& target, Range&& range,
                   const map_options& options) {
    using item = item_of<Range>;
    using value = std::conditional_t<std::same_as<R, std::monostate>, void, R>;
    if (!target) throw std::invalid_argument{"fmap: the map was given a handle to no actor"};
    auto caller = std::make_shared<caller_of_actor>(system, caf::actor_cast<caf::actor>(target));
    const auto limit = request_limit(options);
    const auto index = std::make_shared<std::uint64_t>(0);  // one thread asks, in order
    auto ask = [caller, target, limit, index](item&& x) {
      const auto c = std::make_shared<request_call<value, Handle, item>>(target, std::move(x),
                                                                         (*index)++, limit);
      auto result = c->result();
      caller->make(c);
      return result;
    };
    auto from = std::make_unique<range_input<Range>>(std::forward<Range>(range));
    return sink{make_async_core(),
                std::make_shared<calling_job<item, decltype(ask)>>(std::move(ask)),
                std::make_unique<input_while_alive>(std::move(from), std::move(caller)),
                asking_options(options)};
  }
};

/// The content of an answer, as a map yields it.
template <class Content>
struct answer_value;
template <>
struct answer_value<std::tuple<>> : std::type_identity<std::monostate> {};
template <>
struct answer_value<std::tuple<void>> : std::type_identity<std::monostate> {};
template <class R>
struct answer_value<std::tuple<R>> : std::type_identity<R> {};

/// What a typed actor answers an In with.
template <class Handle, class In>
struct answer_of;
template <class... Signatures, class In>
struct answer_of<caf::typed_actor<Signatures...>, In> {
  using response = caf::response_type<typename caf::typed_actor<Signatures...>::signatures, In>;
  static_assert(response::valid, "fmap: this actor takes no items of this range");
  using type = typename answer_value<typename response::tuple_type>::type;
};

FMAP_API caf::actor spawn_handle(std::shared_ptr<pool_core>, std::shared_ptr<job>,
                                 std::shared_ptr<const stage_types>, const handle_options&);

}  // namespace detail

template <class... Signatures, std::ranges::input_range Range>
future_map(caf::actor_system&, const caf::typed_actor<Signatures...>&, Range&&) -> future_map<
    typename detail::answer_of<caf::typed_actor<Signatures...>, detail::item_of<Range>>::type>;
template <class... Signatures, std::ranges::input_range Range>
future_map(caf::actor_system&, const caf::typed_actor<Signatures...>&, Range&&, map_options)
    -> future_map<
        typename detail::answer_of<caf::typed_actor<Signatures...>, detail::item_of<Range>>::type>;
template <class... Signatures, std::ranges::input_range Range, std::integral N>
future_map(caf::actor_system&, const caf::typed_actor<Signatures...>&, Range&&, N) -> future_map<
    typename detail::answer_of<caf::typed_actor<Signatures...>, detail::item_of<Range>>::type>;

template <detail::pool_like Pool, class In, class Fn>
struct detail::pool_handle<Pool, In, Fn> {
  template <class F>
  static caf::actor make(const std::shared_ptr<pool_core>& core, F&& fn,
                         const handle_options& options) {
    static_assert(require_callable_with<Fn, In, used_in::handle>());
    static_assert(require_message<In>() && require_message<result_of<Fn, In>>());
    return spawn_handle(core, make_pool_job<Pool, In, Fn>(std::forward<F>(fn)),
                        std::make_shared<typed_stage<In, result_of<Fn, In>>>(), options);
  }
};

}  // namespace fmap
