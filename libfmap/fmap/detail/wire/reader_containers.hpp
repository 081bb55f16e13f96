// SPDX-License-Identifier: BSD-3-Clause
// How a reader reads variants and containers. Part of reader.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>

#include <fmap/detail/wire/reader.hpp>

namespace fmap::wire {

template <class... Parts, class Prepare, class One>
void reader::each(Prepare prepare, One one) {
  constexpr std::size_t known = (detail::least_size<Parts>() + ...);
  constexpr std::size_t least = known == 0 ? 1 : known;
  std::size_t n = length(least);
  if (n == 0) return;
  prepare(n);
  promised_ += n * least;
  for (; n != 0 && ok(); --n) {
    promised_ -= least;
    [[maybe_unused]] const char* before = at_;
    one();
    if constexpr (known == 0)
      if (ok() && at_ == before) filler();
  }
}

template <class... T>
void reader::get(tag<kind::variant>, std::variant<T...>& x) {
  const std::uint64_t index = varint();
  if (ok() && index >= sizeof...(T))
    return void(malformed("a std::variant with an index that it has not"));
  const auto read = [&]<std::size_t... I>(std::index_sequence<I...>) {
    (void)((index == I
            && (put_in<std::variant_alternative_t<I, std::variant<T...>>>([&](auto&&... value)
                                                                              -> auto& {
                  return x.template emplace<I>(std::move(value)...);
                }),
                true))
           || ...);
  };
  read(std::index_sequence_for<T...>{});
}

template <class T>
void reader::get(tag<kind::sequence>, T& x) {
  x.clear();
  const auto prepare = [&](std::size_t n) {
    if constexpr (requires { x.reserve(n); }) x.reserve(n);
  };
  const auto one = [&] {
    put_in<typename T::value_type>([&](auto&&... value) -> auto& {
      x.emplace_back(std::move(value)...);
      return x.back();
    });
  };
  each<typename T::value_type>(prepare, one);
}

template <class T>
void reader::get(tag<kind::forward_list>, T& x) {
  x.clear();
  auto last = x.before_begin();
  const auto one = [&] {
    put_in<typename T::value_type>([&](auto&&... value) -> auto& {
      return *(last = x.emplace_after(last, std::move(value)...));
    });
  };
  each<typename T::value_type>([](std::size_t) {}, one);
}

template <class T>
void reader::get(tag<kind::bits>, T& x) {
  // Eight to a byte, so a length may be eight times what is left.
  const std::uint64_t n = varint();
  const std::uint64_t bytes = n / 8 + (n % 8 != 0 ? 1 : 0);
  if (!ok() || bytes > free()) return void(malformed("a length that is more than there is"));
  x.resize(static_cast<std::size_t>(n));
  unsigned byte = 0;
  for (std::size_t i = 0; i != n; ++i, byte >>= 1) {
    if (i % 8 == 0) byte = static_cast<unsigned char>(*at_++);
    x[i] = (byte & 1) != 0;
  }
  if (byte != 0) malformed("bits after the last");
}

/// Makes an element of a set or map, whose comparator or hash decides where it belongs.
template <class T, class... Parts>
auto reader::insert(T& x, Parts&&... parts) {
  const std::size_t before = x.size();
  const auto at = x.emplace_hint(x.end(), std::forward<Parts>(parts)...);
  if (x.size() == before) malformed("an element of a set, or a key of a map, twice");
  if constexpr (requires { typename T::key_compare; }) {
    if (std::next(at) != x.end()) malformed("an element of a set, or a key of a map, out of order");
  }
  return at;
}

template <class T>
void reader::get(tag<kind::set>, T& x) {
  x.clear();
  const auto one = [&] {
    detail::scratch<detail::variable_t<typename T::value_type>> value;
    if (apply(*value)) insert(x, std::move(*value));
  };
  each<typename T::value_type>([](std::size_t) {}, one);
}

template <class T>
void reader::get(tag<kind::map>, T& x) {
  x.clear();
  const auto one = [&] {
    detail::scratch<detail::variable_t<typename T::key_type>> key;
    if (!apply(*key)) return;
    put_in<typename T::mapped_type>([&](auto&&... value) -> auto& {
      return insert(x, std::piecewise_construct, std::forward_as_tuple(std::move(*key)),
                    std::forward_as_tuple(std::move(value)...))
          ->second;
    });
  };
  each<typename T::key_type, typename T::mapped_type>([](std::size_t) {}, one);
}

}  // namespace fmap::wire
