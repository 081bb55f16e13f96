// SPDX-License-Identifier: BSD-3-Clause
// Which functions a worker process can call: the type travels as a name, the members as values.
#pragma once

#include <bit>
#include <concepts>
#include <type_traits>

#include <fmap/detail/function.hpp>
#include <fmap/wire.hpp>
#include <fmap/with_state.hpp>

namespace fmap::detail {

/// A type of which all objects are alike: captureless lambdas, structs without members, fmap::fn<&f>.
template <class F>
concept stateless_function = std::is_class_v<F> && std::is_empty_v<F> &&(
    std::default_initializable<F> || std::is_trivially_copyable_v<F>);

template <class F>
inline constexpr bool is_with_state = false;
template <class Make, class Fn>
inline constexpr bool is_with_state<stateful<Make, Fn>> = true;

template <class F>
consteval bool can_travel_as_function() {
  if constexpr (is_with_state<F>)
    return can_travel_as_function<decltype(F::make)>() && can_travel_as_function<decltype(F::fn)>();
  else
    return stateless_function<F> || (std::is_class_v<F> && travels<F>);
}

/// A function that can be called in another process.
template <class F>
concept travelling_function = can_travel_as_function<F>();

template <class F>
inline constexpr bool is_std_function = false;
template <class Signature>
inline constexpr bool is_std_function<std::function<Signature>> = true;

/// Refuses an F that does not travel with a message that says what to write instead.
template <class F>
consteval bool require_function_travels() {
  if constexpr (is_with_state<F>) {
    return require_function_travels<decltype(F::make)>()
           && require_function_travels<decltype(F::fn)>();
  } else if constexpr (travelling_function<F>) {
    return true;
  } else if constexpr (std::is_pointer_v<
                           F> || std::is_member_pointer_v<F> || std::is_function_v<F>) {
    static_assert(travelling_function<F>,
                  "fmap: a function pointer means nothing in another process. "
                  "Write fmap::fn<&function> instead of function or &function.");
  } else if constexpr (is_std_function<F>) {
    static_assert(
        travelling_function<F>,
        "fmap: a std::function hides what it calls, so it cannot be sent to another process. "
        "Pass the function object itself, or fmap::fn<&function>.");
  } else {
    static_assert(
        travelling_function<F>,
        "fmap: this function has state (a lambda with captures?) and cannot be sent to another "
        "process. "
        "Write a function object with members, a default constructor and an inspect overload: "
        "struct scale { double by; double operator()(double x) const { return by * x; } }; "
        "template <class Inspector> auto inspect(Inspector& f, scale& x) { return f(x.by); }");
  }
  return true;
}

/// An object of a type of which all are alike, constructible or not.
template <stateless_function F>
F make_stateless() {
  if constexpr (std::default_initializable<F>) {
    return F{};
  } else {
    struct alignas(F) nothing {};
    return std::bit_cast<F>(nothing{});
  }
}

/// Writes what a function consists of beside its type.
template <travelling_function F>
void write_function(wire::writer& out, const F& f) {
  if constexpr (is_with_state<F>) {
    write_function(out, f.make);
    write_function(out, f.fn);
  } else if constexpr (!stateless_function<F>) {
    out.apply(f);
  }
}

/// Reads what write_function() wrote; throws wire::error if it is malformed.
template <travelling_function F>
F read_function(wire::reader& in) {
  if constexpr (is_with_state<F>)
    return F{read_function<decltype(F::make)>(in), read_function<decltype(F::fn)>(in)};
  else if constexpr (stateless_function<F>)
    return make_stateless<F>();
  else
    return in.take<F>();
}

}  // namespace fmap::detail
