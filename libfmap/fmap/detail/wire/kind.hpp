// SPDX-License-Identifier: BSD-3-Clause
// Which types travel between processes, and how each is laid out.
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <fmap/detail/duration.hpp>
#include <fmap/detail/wire/containers.hpp>
#include <fmap/detail/wire/enumeration.hpp>
#include <fmap/detail/wire/exact.hpp>
#include <fmap/detail/wire/variable.hpp>

namespace fmap {

/// To be specialised as true for a trivially copyable type without pointers that may be sent as the
/// bytes it is in memory. Goes before an `inspect` overload.
template <class T>
inline constexpr bool travels_as_bytes = false;

}  // namespace fmap

namespace fmap::wire {

namespace detail {

enum class kind : std::uint8_t {
  none,          // does not travel
  nothing,       // no bytes at all
  boolean,       // one byte, 0 or 1
  number,        // little endian
  enumeration,   // its underlying type
  bytes,         // as in memory
  text,          // length, then the characters
  bits,          // length, then eight a byte
  vector,        // length, then the elements
  array,         // the elements
  optional,      // boolean, then the value
  variant,       // index as a length, then the value
  tuple,         // the elements
  pointer,       // as an optional
  duration,      // its count
  time_point,    // its duration since the epoch
  path,          // as a text
  inspected,     // what the user's inspect overload names
  sequence,      // as a vector
  forward_list,  // as a vector
  set,           // as a vector
  map            // length, then keys and values
};

template <class... T>
struct types {};

/// A kind of type and the types it consists of.
template <kind K, class... Parts>
struct shape {
  static constexpr kind value = K;
  using parts = types<Parts...>;
};

template <class T>
constexpr auto classify() {
  if constexpr (std::is_same_v<T, bool>) {
    return shape<kind::boolean>{};
  } else if constexpr (std::is_arithmetic_v<T>) {
    return shape<kind::number>{};
  } else if constexpr (std::is_bounded_array_v<T>) {
    return shape<kind::array, std::remove_extent_t<T>>{};
  } else if constexpr (overload_for<T>() != overload::none) {
    return shape < overload_for<T>() == overload::exact ? kind::inspected : kind::none > {};
  } else if constexpr (std::is_enum_v<T>) {
    return shape<kind::enumeration>{};
  } else if constexpr ((!path_like<T> && !container<T>) || !is_standard<T>) {
    return shape<kind::none>{};
  } else if constexpr (path_like<T>) {
    return shape<kind::path>{};
  } else if constexpr (container<T> && !order_travels<T>()) {
    return shape<kind::none>{};
  } else if constexpr (map_like<T>) {
    return shape<kind::map, typename T::key_type, typename T::mapped_type>{};
  } else if constexpr (associative<T>) {
    return shape<kind::set, typename T::value_type>{};
  } else if constexpr (container<T> && requires(T & x) { x.emplace_after(x.before_begin()); }) {
    return shape<kind::forward_list, typename T::value_type>{};
  } else if constexpr (container<T> && requires(T & x) { x.size(), x.emplace_back(), x.back(); }) {
    return shape<kind::sequence, typename T::value_type>{};
  } else {
    return shape<kind::none>{};
  }
}

template <class T>
struct library_shape : decltype(classify<T>()) {};
template <>
struct library_shape<std::monostate> : shape<kind::nothing> {};
template <>
struct library_shape<std::tuple<>> : shape<kind::nothing> {};
template <class C, class Traits, class A>
struct library_shape<std::basic_string<C, Traits, A>> : shape<kind::text, C> {};
template <class A>
struct library_shape<std::vector<bool, A>> : shape<kind::bits> {};
template <class T, class A>
struct library_shape<std::vector<T, A>> : shape<kind::vector, T> {};
template <class T, std::size_t N>
struct library_shape<std::array<T, N>> : shape<kind::array, T> {};
template <class T>
struct library_shape<std::array<T, 0>> : shape<kind::nothing> {};
template <class T>
struct library_shape<std::optional<T>> : shape<kind::optional, T> {};
template <class... T>
struct library_shape<std::variant<T...>> : shape<kind::variant, T...> {};
template <class A, class B>
struct library_shape<std::pair<A, B>> : shape<kind::tuple, A, B> {};
template <class T, class... Rest>
struct library_shape<std::tuple<T, Rest...>> : shape<kind::tuple, T, Rest...> {};
template <class Rep, class Period>
struct library_shape<std::chrono::duration<Rep, Period>> : shape<kind::duration, Rep> {};
template <class Clock, class Duration>
struct library_shape<std::chrono::time_point<Clock, Duration>> : shape<kind::time_point, Duration> {
};

/// A pointer to a base class would lose the rest of the object.
template <class T>
struct library_shape<std::unique_ptr<T>>
    : std::conditional_t<std::is_array_v<T> || (std::is_polymorphic_v<T> && !std::is_final_v<T>),
                         shape<kind::none>, shape<kind::pointer, std::remove_const_t<T>>> {};

template <class T>
struct shape_of : std::conditional_t<travels_as_bytes<T>, std::type_identity<shape<kind::bytes>>,
                                     std::type_identity<library_shape<T>>>::type {
  static_assert(!travels_as_bytes<T> || std::is_trivially_copyable_v<T>,
                "fmap: travels_as_bytes is for trivially copyable types");
};

/// A constant is written as any value; where it can be read is another question.
template <class T>
struct shape_of<const T> : shape_of<T> {};

template <class T>
inline constexpr kind kind_of = shape_of<T>::value;

template <class T>
consteval bool can_travel();

/// What is read into begins as an empty container, which one with an allocator of its own may not be able to.
template <class T>
consteval bool is_made_empty() {
  if constexpr (requires { typename T::allocator_type; })
    return std::is_default_constructible_v<typename T::allocator_type>;
  else
    return true;
}

template <class... T>
consteval bool all_travel(types<T...>) {
  return (can_travel<T>() && ...);
}

template <class T>
consteval bool can_travel() {
  if constexpr (kind_of<T> == kind::none) {
    return false;
  } else if constexpr (kind_of<T> == kind::inspected || kind_of<T> == kind::bytes) {
    return std::is_default_constructible_v<T>;
  } else if constexpr (kind_of<T> == kind::array) {
    // Its elements are read into, one after the other.
    return []<class E>(types<E>) {
      return !holds_constant<E> && can_travel<E>();
    }(typename shape_of<T>::parts{});
  } else {
    return is_made_empty<T>() && all_travel(typename shape_of<T>::parts{});
  }
}

/// Whether T is sent as it lies in memory, and an array of T therefore in one go.
template <class T>
consteval bool is_flat() {
  constexpr bool little = std::endian::native == std::endian::little;
  if constexpr (kind_of<T> == kind::number) {
    return little && !std::is_same_v<T, long double>;
  } else if constexpr (kind_of<T> == kind::enumeration) {
    return is_flat<std::underlying_type_t<T>>() && value_bits<T>() == 0;
  } else if constexpr (kind_of<T> == kind::array) {
    return []<class E>(types<E>) {
      return is_flat<E>() && sizeof(T) % sizeof(E) == 0;
    }(typename shape_of<T>::parts{});
  } else {
    return kind_of<T> == kind::bytes;
  }
}

/// How many bytes a number takes; an x87 long double has padding that is not sent.
template <class T>
inline constexpr std::size_t number_size =
    std::is_same_v<T, long double>&& std::numeric_limits<T>::digits == 64 ? 10 : sizeof(T);

/// The least number of bytes that a T takes; 0 if unknown.
template <class T>
consteval std::size_t least_size() {
  constexpr kind k = kind_of<T>;
  constexpr auto sum = []<class... P>(types<P...>) {
    return (std::size_t{0} + ... + least_size<P>());
  };
  if constexpr (k == kind::number) {
    return number_size<T>;
  } else if constexpr (k == kind::enumeration) {
    return sizeof(T);
  } else if constexpr (k == kind::bytes) {
    return sizeof(T);
  } else if constexpr (k == kind::tuple || k == kind::duration || k == kind::time_point) {
    return sum(typename shape_of<T>::parts{});
  } else if constexpr (k == kind::array) {
    return []<class E>(types<E>) {
      return sizeof(T) / sizeof(E) * least_size<E>();
    }(typename shape_of<T>::parts{});
  } else {
    return k == kind::nothing || k == kind::inspected ? 0 : 1;
  }
}

}  // namespace detail

}  // namespace fmap::wire
