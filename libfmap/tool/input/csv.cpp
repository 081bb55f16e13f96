// SPDX-License-Identifier: BSD-3-Clause
// CSV records.
#include "tool/input/csv.hpp"

namespace fmap::tool {

void csv_reader::breaks(const char* why) {
  record_.problem = "line " + std::to_string(first_line_) + ": " + why;
  state_ = state::broken;
}

std::optional<csv_record> csv_reader::end_record() {
  // A line may end with CR LF; the CR is read as the last byte of a plain field.
  if (state_ == state::plain && field_.ends_with('\r')) field_.pop_back();
  end_field();
  state_ = state::field_start;
  begun_ = false;
  first_line_ = line_;
  return std::exchange(record_, {});
}

std::optional<csv_record> csv_reader::next() {
  while (at_ < buffer_.size()) {
    const char c = buffer_[at_];
    // Of a CR behind a quoted field the next byte says what it is.
    if (state_ == state::quote_in_quoted && c == '\r') {
      if (at_ + 1 == buffer_.size() && !over_) return std::nullopt;
      if (at_ + 1 == buffer_.size() || buffer_[at_ + 1] == '\n') {
        ++at_;
        continue;
      }
    }
    ++at_;
    begun_ = true;
    if (c == '\n') ++line_;
    if (c == '\n' && state_ != state::quoted) return end_record();
    switch (state_) {
      case state::field_start:
      case state::plain:
        if (c == separator_) {
          end_field();
          state_ = state::field_start;
        } else if (c == '"' && state_ == state::field_start) {
          state_ = state::quoted;
        } else if (c == '"') {
          field_ += c;
          breaks("a quote within a field that does not begin with one");
        } else {
          field_ += c;
          state_ = state::plain;
        }
        break;
      case state::quoted:
        if (c == '"')
          state_ = state::quote_in_quoted;
        else
          field_ += c;
        break;
      case state::quote_in_quoted:
        if (c == '"') {
          field_ += c;
          state_ = state::quoted;
        } else if (c == separator_) {
          end_field();
          state_ = state::field_start;
        } else {
          field_ += c;
          breaks("text behind the quote that ends a field");
        }
        break;
      case state::broken: field_ += c; break;
    }
  }
  if (!over_ || !begun_) return std::nullopt;
  if (state_ == state::quoted) breaks("a quoted field that nothing ends");
  return end_record();
}

}  // namespace fmap::tool
