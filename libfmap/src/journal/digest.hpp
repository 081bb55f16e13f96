// SPDX-License-Identifier: BSD-3-Clause
// What stands for an item in a journal.
#pragma once

#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace fmap::journals {

/// 128 bits of MurmurHash3_x64_128 (Austin Appleby, in the public domain). It is not made to withstand those who look
/// for two items with the same one.
struct digest {
  std::uint64_t first = 0, second = 0;
  friend bool operator==(const digest&, const digest&) = default;
};

inline digest digest_of(std::string_view bytes) {
  constexpr std::uint64_t c1 = 0x87c37b91114253d5, c2 = 0x4cf5ad432745937f;
  const auto word = [&](std::size_t at) {
    std::uint64_t w = 0;
    std::memcpy(&w, bytes.data() + at, sizeof w);
    return w;
  };
  const auto mix_first = [](std::uint64_t k) { return std::rotl(k * c1, 31) * c2; };
  const auto mix_second = [](std::uint64_t k) { return std::rotl(k * c2, 33) * c1; };
  const auto finish = [](std::uint64_t k) {
    k = (k ^ (k >> 33)) * 0xff51afd7ed558ccd;
    k = (k ^ (k >> 33)) * 0xc4ceb9fe1a85ec53;
    return k ^ (k >> 33);
  };
  std::uint64_t h1 = 0, h2 = 0;
  const std::size_t whole = bytes.size() / 16 * 16;
  for (std::size_t at = 0; at != whole; at += 16) {
    h1 = (std::rotl(h1 ^ mix_first(word(at)), 27) + h2) * 5 + 0x52dce729;
    h2 = (std::rotl(h2 ^ mix_second(word(at + 8)), 31) + h1) * 5 + 0x38495ab5;
  }
  std::uint64_t rest[2] = {};
  if (bytes.size() != whole) std::memcpy(rest, bytes.data() + whole, bytes.size() - whole);
  h1 ^= mix_first(rest[0]);
  h2 ^= mix_second(rest[1]);
  h1 ^= bytes.size();
  h2 ^= bytes.size();
  h1 += h2;
  h2 += h1;
  h1 = finish(h1);
  h2 = finish(h2);
  h1 += h2;
  h2 += h1;
  return {h1, h2};
}

}  // namespace fmap::journals
