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

}  // namespace rival

/// One that takes an rvalue of the very type, as no overload by reference does: it loses, or leaves the call
/// ambiguous, only if there is one by value.
namespace rival_copy {

template <class Inspector, class T>
struct probe : Inspector {
  template <class I>
  friend rival::winner inspect(I&, T&&);
};

template <class Inspector, class T>
concept wins = requires(probe<Inspector, T>& f, T&& x) {
  { inspect(f, static_cast<T&&>(x)) } -> std::same_as<rival::winner>;
};

}  // namespace rival_copy

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
  else if constexpr (!rival_copy::wins<writer, T> || !rival_copy::wins<reader, T>)
    return overload::copy;
  else
    return overload::exact;
}

}  // namespace detail

}  // namespace fmap::wire
