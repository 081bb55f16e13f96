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
    (void)((index == I && (apply(x.template emplace<I>()), true)) || ...);
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
    x.emplace_back();
    apply(x.back());
  };
  each<typename T::value_type>(prepare, one);
}

template <class T>
void reader::get(tag<kind::forward_list>, T& x) {
  x.clear();
  auto last = x.before_begin();
  const auto one = [&] {
    last = x.emplace_after(last);
    apply(*last);
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

template <class T>
void reader::get(tag<kind::set>, T& x) {
  x.clear();
  const auto one = [&] {
    typename T::value_type value{};
    const std::size_t before = x.size();
    if (apply(value)) x.emplace_hint(x.end(), std::move(value));
    if (ok() && x.size() == before) malformed("an element of a set twice");
  };
  each<typename T::value_type>([](std::size_t) {}, one);
}

template <class T>
void reader::get(tag<kind::map>, T& x) {
  x.clear();
  const auto one = [&] {
    typename T::key_type key{};
    typename T::mapped_type value{};
    const std::size_t before = x.size();
    if (apply(key) && apply(value)) x.emplace_hint(x.end(), std::move(key), std::move(value));
    if (ok() && x.size() == before) malformed("a key of a map twice");
  };
  each<typename T::key_type, typename T::mapped_type>([](std::size_t) {}, one);
}

}  // namespace fmap::wire
