// SPDX-License-Identifier: BSD-3-Clause
// Futures in each of their states.
#pragma once

#include <stdexcept>

#include <fmap/promise.hpp>

namespace test {

/// A future and its promise.
struct sample {
  fmap::promise<int> promise;
  fmap::future<int> future = promise.get_future();
};

inline sample pending() { return {}; }
inline sample running() {
  sample s;
  s.promise.set_running();
  return s;
}
inline sample cancelled() {
  sample s;
  s.future.cancel();
  return s;
}
inline sample failed() {
  sample s;
  s.promise.set_exception(std::invalid_argument{"failed"});
  return s;
}
inline sample succeeded(int value = 42) {
  sample s;
  s.promise.set_value(value);
  return s;
}

}  // namespace test
