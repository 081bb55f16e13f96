// SPDX-License-Identifier: BSD-3-Clause
// Plain functions by name.
#pragma once

#include <type_traits>
#include <utility>

#include <fmap/detail/api.hpp>
#include <fmap/detail/function.hpp>

namespace fmap {

/// A callable object without state that calls F; its type names the function.
template <auto F>
struct named_function {
  static_assert(F != nullptr, "fmap: fn of a null pointer");

  template <class... Args>
    requires std::is_invocable_v<decltype(F), Args...>
  constexpr decltype(auto) operator()(Args&&... args) const
      noexcept(std::is_nothrow_invocable_v<decltype(F), Args...>) {
    return detail::invoke(F, std::forward<Args>(args)...);
  }
};

/// A function or a member function by name, as a worker process needs it: a pointer means nothing
/// there. `pool.submit(fmap::fn<&twice>, 21)`, `pool.submit(fmap::fn<&page::title>, page)`.
template <auto F>
  requires std::is_member_pointer_v<decltype(F)> || std::is_function_v<
      std::remove_pointer_t<decltype(F)>>
inline constexpr named_function<F> fn{};

}  // namespace fmap
