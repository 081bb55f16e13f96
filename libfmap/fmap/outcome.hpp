// SPDX-License-Identifier: BSD-3-Clause
// What became of one item.
#pragma once

#include <cstdint>
#include <exception>
#include <utility>
#include <variant>

namespace fmap {

/// What became of one item: its index in the input and either a value or an error.
template <class T>
class outcome {
public:
  outcome(std::uint64_t index, std::uint32_t attempts, T&& value)
      : index_{index}, attempts_{attempts}, content_{std::in_place_index<0>, std::move(value)} {}
  outcome(std::uint64_t index, std::uint32_t attempts, std::exception_ptr error)
      : index_{index}, attempts_{attempts}, content_{std::in_place_index<1>, std::move(error)} {}

  /// The item's place in the input: 0, 1, 2 ...
  std::uint64_t index() const noexcept { return index_; }

  /// How often the item was begun; more than 1 only if a worker died.
  std::uint32_t attempts() const noexcept { return attempts_; }

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

private:
  void checked() const {
    if (const auto* e = std::get_if<1>(&content_)) std::rethrow_exception(*e);
  }

  std::uint64_t index_;
  std::uint32_t attempts_;
  std::variant<T, std::exception_ptr> content_;
};

}  // namespace fmap
