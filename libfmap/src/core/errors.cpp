// SPDX-License-Identifier: BSD-3-Clause
// What fmap throws.

#include <fmap/errors.hpp>

namespace fmap {

broken_pool::broken_pool(std::exception_ptr cause)
    : error{"fmap: the pool is broken: " + detail::describe(cause)}, cause_{std::move(cause)} {}

std::string detail::describe(const std::exception_ptr& e) {
  if (!e) return "no exception";
  try {
    std::rethrow_exception(e);
  } catch (const std::exception& x) {
    return x.what();
  } catch (...) {
    return "an exception that is not a std::exception";
  }
}

}  // namespace fmap
