// SPDX-License-Identifier: BSD-3-Clause
// The typed edge of a source of items: a range whose elements become messages.
#pragma once

#include <optional>
#include <ranges>
#include <string>
#include <utility>

#include <caf/message.hpp>
#include <caf/response_promise.hpp>  // make_message, in all versions

#include <fmap/detail/stage_types.hpp>

namespace fmap::detail {

class message_stream {
public:
  virtual ~message_stream() = default;

  /// The next element; none at the end. Throws what the range throws.
  virtual std::optional<caf::message> next() = 0;

  /// The type of the elements.
  virtual std::string sends() const = 0;
};

/// Refers to a range if `Range` is a reference, and has it otherwise.
template <std::ranges::input_range Range>
class range_stream final : public message_stream {
public:
  explicit range_stream(Range&& range) : range_(std::forward<Range>(range)) {}

  std::optional<caf::message> next() override {
    if (!it_)
      it_.emplace(std::ranges::begin(range_));
    else
      ++*it_;
    if (*it_ == std::ranges::end(range_)) return std::nullopt;
    return caf::make_message(std::ranges::range_value_t<Range>(**it_));
  }
  std::string sends() const override {
    return type_in_message<std::ranges::range_value_t<Range>>();
  }

private:
  Range range_;
  std::optional<std::ranges::iterator_t<Range>> it_;
};

}  // namespace fmap::detail
