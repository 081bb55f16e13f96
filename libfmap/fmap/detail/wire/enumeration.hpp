// SPDX-License-Identifier: BSD-3-Clause
// Which numbers are values of an enumeration.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace fmap::wire::detail {

/// Conversion between braces is refused if some value of From has no place in To.
template <class From, class To>
concept fits = requires(From x) {
  To{x};
};

/// Whether the compiler has a name for it, other than "(color)3".
template <auto Value>
consteval bool is_enumerator() {
  const std::string_view all = __PRETTY_FUNCTION__;
  const std::string_view value = all.substr(all.find("Value = ") + 8);
  return value.find_first_of("(-0123456789") != 0;
}

/// How many bits the enumerators from -128 to 255 need.
template <class T, std::size_t... I>
consteval int bits_of_small(std::index_sequence<I...>) {
  constexpr auto bits = []<int N>(std::integral_constant<int, N>) {
    constexpr unsigned size = N < 0 ? ~N : N;
    return is_enumerator<static_cast<T>(N)>() ? static_cast<int>(std::bit_width(size)) : 1;
  };
  return std::max({bits(std::integral_constant<int, static_cast<int>(I) - 128>{})...});
}

/// The width of the values, without the sign; 0 if all of the underlying type are. An enumeration without
/// a fixed underlying type has no other values than those of as many bits as its enumerators need.
template <class T>
consteval int value_bits() {
#ifdef __clang__
  return 0;  // clang does not tell: where its checks look at the range, what is out of it is an error
#else
  if constexpr (requires { T{0}; } || fits<unsigned, bool>)  // fixed, or the compiler does not tell
    return 0;
  else if constexpr (fits<T, unsigned char> || fits<T, signed char>)
    return bits_of_small<T>(std::make_index_sequence<128 + 256>{});
  else
    return fits<T, unsigned short> || fits<T, short> ? 16 : 0;
#endif
}

/// Whether the number is a value of T.
template <class T>
constexpr bool is_value(std::underlying_type_t<T> number) {
  constexpr int bits = value_bits<T>();
  if constexpr (bits == 0)
    return true;
  else
    return (number < 0 ? ~number : number) >> bits == 0;
}

}  // namespace fmap::wire::detail
