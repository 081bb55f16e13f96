// SPDX-License-Identifier: BSD-3-Clause
// What tells one standard container from another.
#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

namespace fmap::wire::detail {

// Standard containers are known by what they can do, so that their headers need not be included. Other
// classes can do the same, because they are derived from them.
template <class T>
concept container = requires(T& x) {
  typename T::value_type;
  requires !std::same_as<typename T::value_type, T>;
  x.begin() != x.end();
  x.clear();
};

template <class T>
concept associative = container<T> && requires(T& x, typename T::key_type k) {
  x.size();
  x.emplace_hint(x.end(), std::move(k));
};

template <class T>
concept map_like = container<T> && requires(T& x, typename T::key_type k,
                                            typename T::mapped_type v) {
  x.size();
  x.emplace_hint(x.end(), std::move(k), std::move(v));
};

template <class T>
concept path_like = requires(const T& x) {
  typename T::string_type;
  { x.native() } -> std::same_as<const typename T::string_type&>;
  x.lexically_normal();
};

/// Comparators and hashes are not sent: those of a type without members are all alike.
template <class T>
consteval bool order_travels() {
  constexpr auto alike = []<class Fn>(std::type_identity<Fn>) {
    return std::is_empty_v<Fn> && std::is_default_constructible_v<Fn>;
  };
  if constexpr (requires { typename T::key_compare; })
    return alike(std::type_identity<typename T::key_compare>{});
  else if constexpr (requires { typename T::hasher; })
    return alike(std::type_identity<typename T::hasher>{})
           && alike(std::type_identity<typename T::key_equal>{});
  else
    return true;
}

}  // namespace fmap::wire::detail
