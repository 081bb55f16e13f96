// SPDX-License-Identifier: BSD-3-Clause
// Which items can be copied, for those options that copy them.
#pragma once

#include <concepts>
#include <optional>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>

#include <fmap/detail/api.hpp>

namespace fmap {

/// Whether `keep_items` and `retry` may copy items of this type. The language's own answer is wrong for a container of what
/// cannot be copied, which this one sees through, and for a class that has such a container as a member and does not
/// say itself that it cannot be copied, which nothing can: specialise this as `false` for it.
template <class T>
inline constexpr bool copied = std::copy_constructible<T>;
template <std::ranges::range T>
  requires(!std::same_as<std::ranges::range_value_t<T>, T>)  // a path is a range of paths
inline constexpr bool copied<T> =
    std::copy_constructible<T> && copied<std::ranges::range_value_t<T>>;
template <class T>
inline constexpr bool copied<std::optional<T>> = copied<T>;
template <class A, class B>
inline constexpr bool copied<std::pair<A, B>> =
    copied<std::remove_cv_t<A>>&& copied<std::remove_cv_t<B>>;
template <class... T>
inline constexpr bool copied<std::tuple<T...>> = (copied<std::remove_cv_t<T>> && ...);

namespace detail {

template <class T>
inline constexpr bool is_copied = copied<std::remove_cv_t<T>>;

}  // namespace detail

}  // namespace fmap
