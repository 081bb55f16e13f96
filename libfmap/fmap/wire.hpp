// SPDX-License-Identifier: BSD-3-Clause
// Values as bytes: fmap's own compact format and the inspectors that write and read it.
#pragma once

#include <string>
#include <string_view>

#include <fmap/detail/wire/reader.hpp>
#include <fmap/detail/wire/writer.hpp>

/// # The format
///
/// Nothing is aligned or padded, and nothing says what follows: reader and writer are the same program.
///
/// - Numbers are little endian, in the size they have in memory; doubles travel bit by bit. A bool is 0
///   or 1, an enumeration its underlying type, a duration its count, a time point its duration since
///   the epoch.
/// - A *length* has seven bits in each byte, the lowest first; the highest bit says that more follow.
/// - Strings, sequences, sets and maps are a length and their elements; elements that are numbers are
///   copied in one go. An element that takes no bytes takes one, which is 0.
/// - A vector<bool> is a length and its bits, eight to a byte. Optionals and unique_ptrs are a bool and
///   perhaps the value; variants the index as a length and the value; pairs, tuples and arrays just
///   their elements.
/// - An object with an `inspect` overload is what the overload names, one after the other. The overload
///   counts for the type that it takes, not for classes derived from that.
/// - A number that is no value of its enumeration is refused where the compiler knows the values: g++ does
///   up to 8 bits, and roughly up to 16.
/// - Comparators, hashes and allocators are not sent; the first two must be of types without members.
namespace fmap::wire {

/// Appends x to `out`; throws wire::error if that fails, and then leaves `out` as it was.
template <class T>
void append(std::string& out, const T& x) {
  const std::size_t before = out.size();
  try {
    writer w{out};
    w.apply(x);
    w.throw_if_failed();
  } catch (...) {
    out.resize(before);
    throw;
  }
}

/// x as bytes; throws wire::error if it cannot be written.
template <class T>
std::string encode(const T& x) {
  std::string out;
  append(out, x);
  return out;
}

/// The T that `in` holds and nothing else; throws wire::error if it does not.
template <class T>
T decode(std::string_view in) {
  reader r{in};
  T x = r.take<T>();
  r.expect_end();
  r.throw_if_failed();
  return x;
}

}  // namespace fmap::wire
