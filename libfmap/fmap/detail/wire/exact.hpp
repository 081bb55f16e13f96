// SPDX-License-Identifier: BSD-3-Clause
// Whether a type is what it seems to be, and is not merely derived from that: what it adds would be lost.
#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

namespace fmap::wire {

class writer;
class reader;

namespace detail {

/// Whether the name of T, as the compiler writes it with all its namespaces, begins so.
template <class T>
consteval bool is_named(std::string_view begin) {
  const std::string_view all = __PRETTY_FUNCTION__;
  return all.substr(all.find("T = ") + 4).starts_with(begin);
}

/// Of the standard library itself. Users derive from its classes, but put none there.
template <class T>
inline constexpr bool is_standard = is_named<T>("std::");

template <class Inspector, class T>
concept inspects = requires(Inspector& f, T& x) {
  inspect(f, x);
};

/// An overload that competes with the user's and takes anything as it is. It loses to one that takes the
/// very type, and wins where that would need a conversion: to a base class, or to a constant.
namespace rival {

struct winner {};
template <class Inspector, class T>
winner inspect(Inspector&&, T&&);

template <class Inspector, class T>
concept wins = requires(Inspector& f, T&& x) {
  { inspect(f, std::forward<T>(x)) } -> std::same_as<winner>;
};

/// The call is ambiguous if the other one takes anything as it is, too.
template <class Inspector, class T>
concept loses = !wins<Inspector, T> && requires(Inspector & f, T&& x) {
  inspect(f, std::forward<T>(x));
};

}  // namespace rival

/// What the overload that is found for a type takes.
enum class overload : std::uint8_t { none, exact, other, copy };

template <class T>
consteval overload overload_for() {
  if constexpr (!std::is_class_v<T> && !std::is_enum_v<T> && !std::is_union_v<T>)
    return overload::none;
  else if constexpr (!inspects<writer, T> || !inspects<reader, T>)
    return overload::none;
  else if constexpr (rival::wins<writer, T&> || rival::wins<reader, T&>)
    return overload::other;
  else if constexpr (rival::loses<writer, T> || rival::loses<reader, T>)
    return overload::
        copy;  // of the overloads that win for lvalues, only one by value takes rvalues
  else
    return overload::exact;
}

}  // namespace detail

}  // namespace fmap::wire
