// SPDX-License-Identifier: BSD-3-Clause
// What became of one item.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <typeinfo>
#include <utility>
#include <variant>
#include <version>

#if __cpp_lib_expected
#  include <expected>
#endif

#include <fmap/detail/api.hpp>
#include <fmap/detail/kept_items.hpp>

namespace fmap {

namespace detail {

FMAP_API std::string describe(const std::exception_ptr&) noexcept;
/// What few ask for.
struct outcome_details {
  std::uint32_t tries = 1;
  kept_item item;
};

[[noreturn]] FMAP_API void throw_no_item(const kept_item&, const std::type_info& wanted);

}  // namespace detail

/// What became of one item: its index in the input and either a value or an error.
template <class T>
class outcome {
public:
  outcome(std::uint64_t index, std::uint32_t attempts, T&& value, detail::outcome_details more = {})
      : index_{index}, attempts_{attempts}, content_{std::in_place_index<0>, std::move(value)},
        more_{std::move(more)} {}
  outcome(std::uint64_t index, std::uint32_t attempts, std::exception_ptr error,
          detail::outcome_details more = {})
      : index_{index}, attempts_{attempts}, content_{std::in_place_index<1>, std::move(error)},
        more_{std::move(more)} {}

  /// The item's place in the input: 0, 1, 2 ...
  std::uint64_t index() const noexcept { return index_; }

  /// How often the item was begun; more than 1 only if a worker died.
  std::uint32_t attempts() const noexcept { return attempts_; }

  /// How often the function was called for the item by a worker that told how it went; more than 1 only with `retry`.
  std::uint32_t tries() const noexcept { return more_.tries; }

  bool has_value() const noexcept { return content_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  /// The value; throws the error if there is none.
  T& value() & { return checked(), *std::get_if<0>(&content_); }
  const T& value() const& { return checked(), *std::get_if<0>(&content_); }
  T&& value() && { return checked(), std::move(*std::get_if<0>(&content_)); }

  /// The error; null if there is a value.
  std::exception_ptr error() const noexcept {
    const auto* e = std::get_if<1>(&content_);
    return e != nullptr ? *e : nullptr;
  }

  /// The error's text; empty if there is a value. Of what is no std::exception, that it is none.
  std::string what() const { return has_value() ? std::string{} : detail::describe(error()); }

#if __cpp_lib_expected
  /// The same as a std::expected, where the standard library has it; for results that can be copied, or from an rvalue.
  std::expected<T, std::exception_ptr> expected() const& { return as_expected(*this); }
  std::expected<T, std::exception_ptr> expected() && { return as_expected(std::move(*this)); }
#endif

  /// The item, with `keep_items`; for a map over several ranges a std::tuple. `In` is the range's value type. Throws
  /// `std::logic_error` if that is another one, or if no items are kept.
  template <class In>
  const In& item() const {
    if (more_.item.type == nullptr || *more_.item.type != typeid(In))
      detail::throw_no_item(more_.item, typeid(In));
    return *static_cast<const In*>(more_.item.copy.get());
  }

private:
#if __cpp_lib_expected
  template <class Self>
  static std::expected<T, std::exception_ptr> as_expected(Self&& self) {
    if (!self.has_value()) return std::unexpected{self.error()};
    return std::get<0>(std::forward<Self>(self).content_);
  }
#endif

  void checked() const {
    if (const auto* e = std::get_if<1>(&content_)) std::rethrow_exception(*e);
  }

  std::uint64_t index_;
  std::uint32_t attempts_;
  std::variant<T, std::exception_ptr> content_;
  detail::outcome_details more_;
};

}  // namespace fmap
