// SPDX-License-Identifier: BSD-3-Clause
// std::function and calls of any callable, without what else <functional> has, which takes longer to compile.
#pragma once

#if __has_include(<bits/std_function.h>)  // libstdc++ 10 and newer
#  include <bits/std_function.h>
#else
#  include <functional>
#endif

#include <type_traits>
#include <utility>

namespace fmap::detail {

/// std::invoke.
template <class Fn, class... Args>
constexpr std::invoke_result_t<Fn, Args...> invoke(Fn&& fn, Args&&... args) {
#if __has_include(<bits/std_function.h>)
  return std::__invoke(std::forward<Fn>(fn), std::forward<Args>(args)...);
#else
  return std::invoke(std::forward<Fn>(fn), std::forward<Args>(args)...);
#endif
}

}  // namespace fmap::detail
