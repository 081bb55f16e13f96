// SPDX-License-Identifier: BSD-3-Clause
// What fmap throws.

#include <new>
#include <typeinfo>

#include <fmap/detail/demangle.hpp>
#include <fmap/errors.hpp>

namespace fmap {

broken_pool::broken_pool(std::exception_ptr cause)
    : error{"fmap: the pool is broken: " + detail::describe(cause)}, cause_{std::move(cause)} {}

std::string detail::what_of(const std::exception& e) {
  if (const char* text = e.what(); text != nullptr) return text;
  return type_name(typeid(e)) + " (its what() is null)";
}

std::string detail::describe(const std::exception_ptr& e) noexcept try {
  if (!e) return "no exception";
  try {
    std::rethrow_exception(e);
  } catch (const std::exception& x) {
    return what_of(x);
  } catch (...) {
    return "an exception that is not a std::exception";
  }
} catch (...) {
  return "out of memory";  // short enough to need none
}

}  // namespace fmap
