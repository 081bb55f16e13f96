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

/// For types of the standard library, to which nobody may add an overload.
template <class T>
consteval void explain_standard() {
  constexpr bool refers = is_named<T>("std::basic_string_view<") || is_named<T>("std::span<")
                          || is_named<T>("std::initializer_list<")
                          || is_named<T>("std::reference_wrapper<");
  constexpr bool shares = is_named<T>("std::shared_ptr<") || is_named<T>("std::weak_ptr<");
  if constexpr (container<T> && !order_travels<T>()) {
    static_assert(
        travels<T>,
        "fmap: the comparator or hash of this container has members (a function pointer, a "
        "std::function, a direction), which would be lost on the way to another process. "
        "Use one without members: a struct with operator() and nothing else");
  } else if constexpr (refers) {
    static_assert(
        travels<T>,
        "fmap: a std::string_view, std::span or std::reference_wrapper only refers to what "
        "it names, which is not there in another process. Send the values: a std::string or "
        "a std::vector");
  } else if constexpr (shares) {
    static_assert(
        travels<T>,
        "fmap: a std::shared_ptr cannot be shared with another process. Send the value, or "
        "a std::unique_ptr to it");
  } else if constexpr (is_named<T>("std::unique_ptr<")) {
    static_assert(
        travels<T>,
        "fmap: a std::unique_ptr to an array, to a base class or with a deleter of its own "
        "cannot be sent to another process. Send a std::vector, a std::variant, or a "
        "std::unique_ptr to the very type");
  } else if constexpr (is_named<T>("std::function<")) {
    static_assert(travels<T>, "fmap: a std::function hides what it calls, so it cannot be sent to "
                              "another process");
  } else {
    static_assert(
        travels<T>,
        "fmap: this type of the standard library cannot be sent to another process. Send "
        "what it consists of, as a std::vector, a std::string or a struct with inspect, or, "
        "if it is trivially copyable and holds no pointers, write "
        "template <> inline constexpr bool fmap::travels_as_bytes<T> = true;");
  }
}

/// For a T of a kind that does not travel.
template <class T>
consteval void explain_none() {
  if constexpr (std::is_pointer_v<T> || std::is_member_pointer_v<T>) {
    static_assert(travels<T>, "fmap: a pointer means nothing in another process; "
                              "send the value, or a std::unique_ptr to it");
  } else if constexpr (std::is_reference_v<T>) {
    static_assert(travels<T>,
                  "fmap: a reference in a pair or tuple means nothing in another process; "
                  "send the value");
  } else if constexpr (overload_for<T>() == overload::other) {
    static_assert(
        travels<T>,
        "fmap: the inspect overload that is found for this type takes a base class of it, or a "
        "constant: what the class adds would be lost. Write, in the type's namespace, one for "
        "exactly "
        "this type: template <class Inspector> auto inspect(Inspector& f, T& x) { return f(x.a, "
        "x.b); }");
  } else if constexpr (overload_for<T>() == overload::copy) {
    static_assert(
        travels<T>,
        "fmap: the inspect overload for this type takes its object by value, so nothing could "
        "be read into it. Let it take a reference: "
        "template <class Inspector> auto inspect(Inspector& f, T& x) { return f(x.a, x.b); }");
  } else if constexpr (is_standard<T>) {
    explain_standard<T>();
  } else if constexpr (container<T> || path_like<T>) {
    static_assert(
        travels<T>,
        "fmap: this class is derived from a container (or is like one of the standard library's): "
        "what "
        "it adds would be lost. Write, in its namespace, template <class Inspector> auto "
        "inspect(Inspector& f, T& x) { return f(static_cast<std::vector<double>&>(x), x.rows); }");
  } else {
    static_assert(
        travels<T>,
        "fmap: values of this type cannot be sent to another process. Write, in the type's "
        "namespace, "
        "template <class Inspector> auto inspect(Inspector& f, T& x) { return f(x.a, x.b); } "
        "or, if it is trivially copyable and holds no pointers, "
        "template <> inline constexpr bool fmap::travels_as_bytes<T> = true;");
  }
}

template <class T>
consteval void explain() {
  constexpr kind k = kind_of<T>;
  if constexpr (travels<T>) {
    return;
  } else if constexpr (std::is_const_v<T>) {
    explain<std::remove_const_t<T>>();
  } else if constexpr (k == kind::none) {
    explain_none<T>();
  } else if constexpr (k == kind::inspected || k == kind::bytes || !is_made_empty<T>()) {
    static_assert(travels<T>, "fmap: a type that is sent to another process needs a default "
                              "constructor: there it is made first, and then filled");
  } else {
    []<class... Part>(types<Part...>) {
      static_assert(k != kind::array || !(holds_constant<Part> || ...),
                    "fmap: an array of constants cannot be read in another process");
      (explain<Part>(), ...);
    }(typename shape_of<T>::parts{});
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
