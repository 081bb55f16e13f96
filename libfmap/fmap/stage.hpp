// SPDX-License-Identifier: BSD-3-Clause
// Bounded maps between the actors of a program of yours.
#pragma once

#include <concepts>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <fmap/detail/api.hpp>
#include <fmap/detail/duration.hpp>
#include <fmap/detail/message_stream.hpp>
#include <fmap/detail/pool_like.hpp>
#include <fmap/detail/range_input.hpp>
#include <fmap/detail/stage_types.hpp>
#include <fmap/errors.hpp>
#include <fmap/thread_pool.hpp>

#include "actors/protocol.hpp"

namespace fmap {

/// Makes fmap's messages known to a configuration, so that they can cross nodes. Before the system that
/// is configured by it exists.
FMAP_API void add_message_types(caf::actor_system_config&);

/// A configuration with the options `fmap.workers` and `fmap.buffersize`, in configuration files and on the
/// command line: what stages use whose own options leave them out. It knows fmap's messages, too.
class FMAP_API actor_system_config : public caf::actor_system_config {
public:
  actor_system_config();
};

struct stage_options {
  /// Threads, at least 1; for a stage without a pool. Left out: fmap.workers of the system's
  /// configuration, or else one for each processor that this process may use.
  std::optional<std::size_t> workers{};

  /// Items between upstream and downstream, at least 1. Left out: fmap.buffersize of the system's
  /// configuration, or else four for each worker, at least 16.
  std::optional<std::size_t> buffersize{};

  /// As in map_options.
  std::optional<std::size_t> chunksize{};
  bool ordered = false;
  std::optional<detail::any_duration> item_timeout{};
  std::uint32_t max_attempts = 3;
};

namespace detail {

/// Throws for a null handle; `caller` is the function that was given it.
FMAP_API void require_actor(const caf::actor&, const char* caller);

/// Throw if one of fmap's actors of this process cannot be the downstream of one that sends such items, or the
/// upstream of one that takes them (empty: of any type).
FMAP_API void require_link(const std::string& items, const caf::actor& downstream,
                           const char* caller);
FMAP_API void require_sender(const caf::actor& upstream, const std::string& items,
                             const char* caller);

FMAP_API caf::actor spawn_stage(caf::actor_system&, std::shared_ptr<pool_core>,
                                std::shared_ptr<job>, std::shared_ptr<const stage_types>,
                                const stage_options&);
FMAP_API caf::actor spawn_sink(caf::actor_system&, std::shared_ptr<job>,
                               std::shared_ptr<const stage_types>, std::size_t buffersize);
FMAP_API caf::actor spawn_source(caf::actor_system&, std::unique_ptr<message_stream>);

template <class In, class Out, class Fn>
consteval bool require_stage_function() {
  static_assert(require_message<In>() && require_message<Out>());
  if constexpr (require_callable_with<Fn, In, used_in::stage>())
    static_assert(std::same_as<result_of<Fn, In>, Out>,
                  "fmap: in spawn_stage<In, Out> the function must return an Out");
  return true;
}

}  // namespace detail

/// Spawns a stage: a bounded, unordered map between two actors, with worker threads of its own.
///
/// Upstream: your actor sends attach_source to the stage and from then on gets demand{n}: it may send n
/// more plain In messages, and end when it has no more. Downstream: your actor sends attach_sink, and
/// demand{n} whenever it can take n more; it gets plain Out messages and failure{index, what} for items
/// whose call threw, and end{reason} last. In must be copyable, as all messages of CAF must.
///
/// The stage ends after its downstream has got the end, or when nobody has a handle to it: it does not
/// keep its neighbours alive, nor they it, unless they have a handle. Its end is seen by others when the last
/// call of `fn` has returned. Throws `std::invalid_argument` for bad options, in code or in the configuration.
/// docs/protocol.md says what it answers to messages out of turn, docs/stages.md who ends when an actor dies.
template <class In, class Out, class Fn>
  requires(!detail::pool_like<std::remove_reference_t<Fn>>)
caf::actor spawn_stage(caf::actor_system& system, Fn&& fn, const stage_options& options = {}) {
  using function = std::decay_t<Fn>;
  static_assert(detail::require_stage_function<In, Out, function>());
  return detail::spawn_stage(
      system, nullptr, std::make_shared<detail::applying_job<In, function>>(std::forward<Fn>(fn)),
      std::make_shared<detail::typed_stage<In, Out>>(), options);
}

/// The same on a pool, which it shares with others. When the pool is shut down the stage ends.
template <class In, class Out, detail::pool_like Pool, class Fn>
caf::actor spawn_stage(caf::actor_system& system, Pool& pool, Fn&& fn,
                       const stage_options& options = {}) {
  using function = std::decay_t<Fn>;
  static_assert(detail::require_stage_function<In, Out, function>());
  return detail::spawn_stage(system, pool.core(),
                             detail::make_pool_job<Pool, In, function>(std::forward<Fn>(fn)),
                             std::make_shared<detail::typed_stage<In, Out>>(), options);
}

/// Spawns an actor that sends the elements of a range (an lvalue is referred to, anything else moved in)
/// to a downstream, as many as that demands. The range is pulled on a thread of its own. Ends after the
/// last element; what the range throws becomes the reason of its end. Its end is seen by others when nobody
/// is in the range any more.
template <std::ranges::input_range Range>
caf::actor spawn_source(caf::actor_system& system, Range&& range) {
  return detail::spawn_source(
      system, std::make_unique<detail::range_stream<Range>>(std::forward<Range>(range)));
}

struct sink_options {
  /// Called for an item that failed. Left out: the sink ends with the failure's text as its error.
  std::function<void(const failure&)> on_failure{};

  /// Items that have been demanded and not been worked on, at least 1.
  std::size_t buffersize = 64;
};

namespace detail {

/// While it lives, a wait of this thread just waits: a pool lets another worker take over, and a sink's calls
/// must stay one after the other.
class FMAP_API alone_in_sink {
public:
  alone_in_sink() noexcept;
  ~alone_in_sink();
  alone_in_sink(const alone_in_sink&) = delete;
  alone_in_sink& operator=(const alone_in_sink&) = delete;

private:
  void* const before_;
};

/// Items and failures, in the order in which they come.
template <class T>
class sink_types final : public stage_types {
public:
  using item = std::variant<T, failure>;

  caf::message_handler receiver(std::function<void(arrival&)> receive) const override {
    const auto pass_on = [receive = std::move(receive)](auto& x) {
      typed_arrival<item, std::remove_reference_t<decltype(x)>, moved_or_failed> a{x};
      receive(a);
    };
    return {[pass_on](T& x) { pass_on(x); }, [pass_on](failure& f) { pass_on(f); }};
  }
  caf::message wrap(void*) const override { return {}; }
  std::string takes() const override { return type_in_message<T>(); }
  std::string sends() const override { return {}; }

private:
  /// An item that cannot be moved is one that failed.
  struct moved_or_failed {
    static void place(void* slot, T& from) {
      try {
        ::new (slot) item(std::in_place_index<0>, std::move(from));
      } catch (...) {
        ::new (slot) item(std::in_place_index<1>, failure{0, describe(std::current_exception())});
      }
    }
    static void place(void* slot, failure& from) {
      ::new (slot) item(std::in_place_index<1>, std::move(from));
    }
  };
};

[[noreturn]] FMAP_API void throw_failure(const failure&);

/// Calls a sink's functions, one item after the other; after the first one that has thrown, none.
template <class T, class Fn>
class sink_call {
public:
  sink_call(Fn fn, std::function<void(const failure&)> on_failure)
      : fn_{std::move(fn)}, on_failure_{std::move(on_failure)} {}

  void operator()(std::variant<T, failure>&& item) const {
    if (thrown_) std::rethrow_exception(thrown_);
    const alone_in_sink alone;
    try {
      if (T* x = std::get_if<0>(&item))
        static_cast<void>(std::invoke(fn_, std::move(*x)));
      else if (on_failure_)
        on_failure_(std::get<1>(item));
      else
        throw_failure(std::get<1>(item));
    } catch (...) {
      thrown_ = std::current_exception();
      throw;
    }
  }

private:
  mutable Fn fn_;  // one thread at a time calls it
  std::function<void(const failure&)> on_failure_;
  mutable std::exception_ptr thrown_;
};

}  // namespace detail

/// Spawns an actor that calls `fn` on each item that its upstream sends, one after the other, on a thread
/// of its own. It ends after the upstream's end, with that one's reason, or when a call throws: then there is
/// no other call. Its end is seen by others when the last call has returned.
template <class T, class Fn>
  requires std::invocable < std::decay_t<Fn>
&, T > caf::actor spawn_sink(caf::actor_system& system, Fn&& fn, sink_options options = {}) {
  using item = typename detail::sink_types<T>::item;
  using call = detail::sink_call<T, std::decay_t<Fn>>;
  static_assert(detail::require_message<T>());
  return detail::spawn_sink(
      system,
      std::make_shared<detail::function_job<item, call>>(
          call{std::decay_t<Fn>(std::forward<Fn>(fn)), std::move(options.on_failure)}),
      std::make_shared<detail::sink_types<T>>(), options.buffersize);
}

/// Has `upstream` (a source or a stage) send what it has to `downstream` (a stage or a sink). Throws
/// `std::invalid_argument` if one of them is no actor, or if both are fmap's and of this process and cannot be
/// joined: the types differ, or the first one sends nothing, or the second one takes nothing. What is wrong
/// later or elsewhere (one of them has ended, is taken, or is on another node and of another type) ends the
/// downstream with the reason. Thread-safe; to connect the same two again changes nothing.
FMAP_API void connect(const caf::actor& upstream, const caf::actor& downstream);

}  // namespace fmap
