// SPDX-License-Identifier: BSD-3-Clause
// What the compiler says to calls that nothing else takes: one line that names the way to write it.
#pragma once

#include <concepts>
#include <initializer_list>
#include <ranges>
#include <type_traits>
#include <utility>

#include <fmap/detail/function_job.hpp>
#include <fmap/detail/pool_like.hpp>
#include <fmap/options.hpp>

namespace caf {
class actor_system;
}

namespace fmap::detail {

/// The result type of a map that cannot be made: the arguments as they were given.
template <class... Args>
struct mistake {};

/// In place of arguments: there is no such argument; it was a list in braces; its type cannot be told.
struct absent {};
struct braces {};
struct unclear {};

template <class...>
inline constexpr bool wrong = false;

template <class T>
concept a_pool = pool_like<std::remove_reference_t<T>>;

template <class T>
concept a_pointer_to_pool = requires(T x) {
  *x;
  requires a_pool<decltype(*x)>;
};

template <class T>
concept a_range = std::ranges::input_range<T>;

/// Whether the last argument of a map can be one.
template <class... Option>
concept an_option =
    sizeof...(Option) == 0
    || (sizeof...(Option) == 1
        && ((std::integral<
                 std::remove_cvref_t<Option>> || std::convertible_to<Option, map_options>)&&...));

/// Calls that another guide takes, whatever that says to them; and those of <fmap/actor.hpp>.
template <class... Args>
inline constexpr bool is_map_call = false;
template <class System, class... Rest>
  requires std::same_as<std::remove_cvref_t<System>, caf::actor_system>
inline constexpr bool is_map_call<System, Rest...> = true;
template <class Pool, class Fn, a_range Range, class... Option>
  requires a_pool<Pool> && an_option<Option...>
inline constexpr bool is_map_call<Pool&, Fn, Range, Option...> = true;

template <class Pool, class Fn, class Range, class Option, class... More>
consteval bool explain_map_on_pool() {
  if constexpr (!std::is_lvalue_reference_v<Pool>)
    static_assert(wrong<Pool>,
                  "fmap: the pool is a temporary, which is gone before the map is: give it a "
                  "name, fmap::thread_pool pool{4}; and then future_map{pool, fn, range}");
  else if constexpr (std::same_as<Range, absent>)
    static_assert(wrong<Range>, "fmap: there is no range. Nothing is piped into a map: write "
                                "future_map{pool, fn, range}");
  else if constexpr (std::same_as<Range, braces>)
    static_assert(wrong<Range>, "fmap: a list in braces has no type: write "
                                "future_map{pool, fn, std::vector{1, 2, 3}}");
  else if constexpr (!a_range<Range> && a_range<Fn>)
    static_assert(wrong<Range>, "fmap: the function comes before the range: write "
                                "future_map{pool, fn, range}");
  else if constexpr (!a_range<Range>)
    static_assert(wrong<Range>,
                  "fmap: the argument after the function is no range, something with begin() "
                  "and end(): write future_map{pool, fn, range}");
  else if constexpr (a_range<Option>)
    static_assert(wrong<Option>,
                  "fmap: a future_map has one range. With several, pool.map(fn, xs, ys) "
                  "calls fn with an element of each");
  else if constexpr (std::floating_point<std::remove_cvref_t<Option>>)
    static_assert(wrong<Option>,
                  "fmap: buffersize is a whole number: how many items may be in flight");
  else
    static_assert(wrong<Option>,
                  "fmap: after the range comes the buffersize, a number, or "
                  "fmap::map_options{.buffersize = 16, .ordered = true}, and nothing else");
  return true;
}

/// The message for the arguments of a future_map.
template <class Pool = absent, class Fn = absent, class Range = absent, class Option = absent,
          class... More>
consteval bool explain_map() {
  if constexpr (std::same_as<Pool, unclear>)
    static_assert(wrong<Pool>,
                  "fmap: the name of an overloaded function or of a function template does "
                  "not say which is meant: write a lambda, "
                  "[](const auto& x) { return fn(x); }, and future_map{pool, fn, range}");
  else if constexpr (a_pool<Pool>)
    return explain_map_on_pool<Pool, Fn, Range, Option, More...>();
  else if constexpr (a_pointer_to_pool<Pool>)
    static_assert(wrong<Pool>,
                  "fmap: this is a pointer to a pool: write future_map{*pool, fn, range}");
  else if constexpr (a_range<Fn> || std::same_as<Fn, absent> || std::same_as<Range, absent>)
    static_assert(wrong<Pool>, "fmap: there is no pool, and the function returns no future: write "
                               "fmap::thread_pool pool; and then future_map{pool, fn, range}");
  else
    static_assert(wrong<Pool>, "fmap: the first argument is not a pool (fmap::thread_pool, "
                               "fmap::process_pool): write future_map{pool, fn, range}");
  return true;
}

/// Calls of pool.map() that it takes.
template <class... Args>
inline constexpr bool is_pool_map_call = false;
template <class Fn, a_range... Ranges>
  requires(sizeof...(Ranges) > 0)
inline constexpr bool is_pool_map_call<Fn, Ranges...> = true;
template <std::convertible_to<map_options> Options, class Fn, a_range... Ranges>
  requires(sizeof...(Ranges) > 0 && !a_range<Fn>)
inline constexpr bool is_pool_map_call<Options, Fn, Ranges...> = true;

/// The message for the arguments of pool.map().
template <class... Args>
consteval bool explain_pool_map() {
  if constexpr ((std::convertible_to<Args, map_options> || ...))
    static_assert(wrong<Args...>,
                  "fmap: the options come first, then the function, then one or more ranges: "
                  "write pool.map(fmap::map_options{...}, fn, xs, ys)");
  else if constexpr ((std::same_as<Args, braces> || ...))
    static_assert(wrong<Args...>, "fmap: a list in braces has no type: write "
                                  "pool.map(fn, std::vector{1, 2, 3})");
  else
    static_assert(wrong<Args...>, "fmap: map() takes a function and then one or more ranges: write "
                                  "pool.map(fn, xs, ys)");
  return true;
}

/// The message for a submitted call that cannot be made.
template <class Fn, class... Args>
consteval bool explain_submit() {
  if constexpr (std::invocable<std::decay_t<Fn>&, std::decay_t<Args>&...>)
    static_assert(
        wrong<Fn>,
        "fmap: a task calls the function with copies of the arguments, as rvalues: let it "
        "take them by value or const reference, or pass std::ref(x)");
  else
    static_assert(wrong<Fn>, "fmap: the submitted function cannot be called with these arguments: "
                             "pool.submit(fn, a, b) calls fn(a, b)");
  return true;
}

// What such calls return: the type is looked at before anything else that is wrong with them.

template <class... Args>
struct no_pool_map {
  static_assert(explain_pool_map<Args...>());
  int* begin();
  int* end();
};

template <class Fn, class... Args>
struct no_task {
  static_assert(explain_submit<Fn, Args...>());
};

}  // namespace fmap::detail
