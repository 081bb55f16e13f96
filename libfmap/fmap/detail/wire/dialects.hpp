// SPDX-License-Identifier: BSD-3-Clause
// What an `inspect` overload may call, in the dialect of CAF 0.17 and in that of CAF 1.x.
#pragma once

#include <concepts>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

#include <fmap/detail/wire/fields.hpp>

// Only their names are needed, to recognise them in an overload that was written for CAF.
namespace caf {

class error;

namespace meta {

struct annotation;
template <class F>
struct load_callback_t;
template <class F>
struct save_callback_t;

}  // namespace meta

}  // namespace caf

namespace fmap::wire {

/// What `f(x.a, x.b)` returns. As the result of an overload that returns bool it says whether all went
/// well, as in CAF 1.x; in a condition it says whether there was an error, as in CAF 0.17:
/// `if (auto error = f(x.a)) return error;`. Nothing depends on it: failures stick to the inspector.
class status {
public:
  status(bool ok) noexcept : ok_{ok} {}                  // NOLINT(google-explicit-constructor)
  operator int() const noexcept { return ok_ ? 1 : 0; }  // NOLINT(google-explicit-constructor)
  explicit operator bool() const noexcept { return !ok_; }

  /// For overloads that return CAF's error.
  template <class E>
    requires std::same_as<E, caf::error>
  operator E() const { return E{}; }  // NOLINT(google-explicit-constructor)

private:
  bool ok_;
};

namespace detail {

/// Whether an argument in the dialect of CAF 0.17 is to be called after loading, or saving.
template <class T, bool Loading>
inline constexpr bool is_callback = false;
template <class F, bool Loading>
inline constexpr bool is_callback<caf::meta::load_callback_t<F>, Loading> = Loading;
template <class F, bool Loading>
inline constexpr bool is_callback<caf::meta::save_callback_t<F>, Loading> = !Loading;

/// The part of both inspectors that users' overloads see, apart from `apply(x)`.
template <class Self>
class dialects {
public:
  using result_type = status;

  static constexpr bool has_human_readable_format() noexcept { return false; }

  /// The values of an object, one after the other. Annotations of CAF's take no space.
  template <class... T>
  result_type operator()(T&&... values) {
    (argument(values), ...);
    return self().ok();
  }

  template <class T>
  auto object(T&) {
    return object_fields<Self>{&self(), {}};
  }
  auto virtual_object(std::string_view) { return object_fields<Self>{&self(), {}}; }

  template <class T>
  static auto field(std::string_view name, T& value) {
    return value_field<T>{name, std::addressof(value), {}, {}};
  }
  template <class Get, class Set>
  static auto field(std::string_view name, Get get, Set set) {
    return virtual_field<Get, Set>{name, std::move(get), std::move(set), {}, {}};
  }
  template <class IsPresent, class Get, class Reset, class Set>
  static auto field(std::string_view name, IsPresent is_present, Get get, Reset reset, Set set) {
    return optional_field<IsPresent, Get, Reset, Set>{name, std::move(is_present), std::move(get),
                                                      std::move(reset), std::move(set)};
  }

  /// One value by its getter and setter.
  template <class Get, class Set>
  bool apply(Get&& get, Set&& set) {
    return virtual_field<Get&, Set&>{"the value", get, set, {}, {}}(self());
  }

  /// For overloads that report errors to the inspector themselves.
  template <class... T>
  void emplace_error(const T&...) {
    self().refuse("an inspect overload");
  }
  template <class T>
  void set_error(const T&) {
    self().refuse("an inspect overload");
  }

private:
  Self& self() { return static_cast<Self&>(*this); }

  template <class T>
  void argument(T& x) {
    using plain = std::remove_cv_t<T>;
    if constexpr (is_callback<plain, Self::is_loading>) {
      if (self().ok() && !succeeds(x.fun)) self().refuse("a callback");
    } else if constexpr (!std::is_base_of_v<caf::meta::annotation, plain>) {
      self().apply(x);
    }
  }
};

}  // namespace detail

}  // namespace fmap::wire
