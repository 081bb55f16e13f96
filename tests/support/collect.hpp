// SPDX-License-Identifier: BSD-3-Clause
// Reading a map to its end.
#pragma once

#include <algorithm>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include <fmap/errors.hpp>

namespace testing {

/// All results, in the order in which they came.
template <class Map>
auto all_of(Map&& map) {
  std::vector<typename std::remove_reference_t<Map>::iterator::value_type> results;
  for (auto& result : map) results.push_back(std::move(result));
  return results;
}

/// All results, sorted.
template <class Map>
auto sorted(Map&& map) {
  auto results = all_of(map);
  std::sort(results.begin(), results.end());
  return results;
}

/// from, from + 1 ... to - 1.
inline std::vector<int> numbers(int from, int to) {
  std::vector<int> result;
  for (int i = from; i < to; ++i) result.push_back(i);
  return result;
}

/// What a call throws: the `what()` of an E; "nothing" or "something else" otherwise.
template <class E, class Call>
std::string message_of(Call&& call) {
  try {
    std::forward<Call>(call)();
  } catch (const E& e) {
    return e.what();
  } catch (...) {
    return "something else";
  }
  return "nothing";
}

inline std::string message_of(const std::exception_ptr& e) { return fmap::detail::describe(e); }

}  // namespace testing
