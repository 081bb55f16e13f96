// SPDX-License-Identifier: BSD-3-Clause
// Values with constants in them, such as the elements of a std::map: they are made of what can be read into.
#pragma once

#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

namespace fmap::wire::detail {

/// T without the constants in it; a T can be made of it.
template <class T>
struct variable {
  using type = std::remove_const_t<T>;
};
template <class T>
using variable_t = typename variable<std::remove_const_t<T>>::type;

template <class A, class B>
struct variable<std::pair<A, B>> {
  using type = std::pair<variable_t<A>, variable_t<B>>;
};
template <class... T>
struct variable<std::tuple<T...>> {
  using type = std::tuple<variable_t<T>...>;
};

/// A T cannot be read into.
template <class T>
inline constexpr bool holds_constant = !std::is_same_v<T, variable_t<T>>;

/// A T that lies not on the stack if it is large.
template <class T>
class scratch {
  static constexpr bool large = sizeof(T) > 1024;

public:
  T& operator*() noexcept {
    if constexpr (large)
      return *value_;
    else
      return value_;
  }

private:
  static auto make() {
    if constexpr (large)
      return std::make_unique<T>();
    else
      return T();
  }

  std::conditional_t<large, std::unique_ptr<T>, T> value_ = make();
};

}  // namespace fmap::wire::detail
