// SPDX-License-Identifier: BSD-3-Clause
// The compile-time answer to whether a value can be sent, and what to write if it cannot.
#pragma once

#include <type_traits>

#include <fmap/detail/wire/kind.hpp>

namespace fmap {

/// A value that can be sent to another process.
template <class T>
concept travels = std::is_object_v<T> && !std::is_const_v<T> && wire::detail::can_travel<T>();

}  // namespace fmap

namespace fmap::wire::detail {

template <class T>
consteval void explain() {
  constexpr kind k = kind_of<T>;
  if constexpr (travels<T>) {
    return;
  } else if constexpr (std::is_pointer_v<T> || std::is_member_pointer_v<T>) {
    static_assert(travels<T>, "fmap: a pointer means nothing in another process; "
                              "send the value, or a std::unique_ptr to it");
  } else if constexpr (k == kind::none) {
    static_assert(
        travels<T>,
        "fmap: values of this type cannot be sent to another process. Write, in the type's "
        "namespace, "
        "template <class Inspector> auto inspect(Inspector& f, T& x) { return f(x.a, x.b); } "
        "or, if it is trivially copyable and holds no pointers, "
        "template <> inline constexpr bool fmap::travels_as_bytes<T> = true;");
  } else if constexpr (k == kind::inspected || k == kind::bytes) {
    static_assert(travels<T>, "fmap: a type that is sent to another process needs a default "
                              "constructor: there it is made first, and then filled");
  } else {
    []<class... Part>(types<Part...>) { (explain<Part>(), ...); }(typename shape_of<T>::parts{});
  }
}

}  // namespace fmap::wire::detail

namespace fmap::detail {

/// Refuses a T that does not travel with a message that says what to write instead.
template <class T>
consteval bool require_travels() {
  static_assert(std::is_object_v<T> && !std::is_const_v<T>,
                "fmap: only values can be sent to another process, no references");
  if constexpr (std::is_object_v<T> && !std::is_const_v<T>) wire::detail::explain<T>();
  return true;
}

}  // namespace fmap::detail
