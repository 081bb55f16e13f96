// SPDX-License-Identifier: BSD-3-Clause
// Blocks of records.
#include "tool/input/records.hpp"

#include <algorithm>

namespace fmap::tool {

namespace {

constexpr auto none = std::string::npos;

}  // namespace

/// Where the first record ends that does not end before or at `at`; none: not within what is there.
std::size_t record_blocks::boundary_from(std::size_t at) const {
  if (format_.bytes != 0) {
    const std::size_t next = (at / format_.bytes + 1) * format_.bytes;
    return next <= buffer_.size() ? next : none;
  }
  const std::string mark = format_.end + format_.start;
  for (std::size_t from = at >= format_.end.size() ? at + 1 - format_.end.size() : 0;;) {
    const auto found = buffer_.find(mark, from);
    if (found == none) return none;
    const std::size_t boundary = found + format_.end.size();
    if (boundary > at) return boundary;
    from = found + 1;
  }
}

/// The last one at or before `most`; none: there is none.
std::size_t record_blocks::last_boundary(std::size_t most) const {
  if (format_.bytes != 0) {
    const std::size_t last = std::min(most, buffer_.size()) / format_.bytes * format_.bytes;
    return last != 0 ? last : none;
  }
  const std::string mark = format_.end + format_.start;
  if (most < format_.end.size()) return none;
  const auto found = buffer_.rfind(mark, most - format_.end.size());
  if (found == none || found + format_.end.size() == 0) return none;
  return found + format_.end.size();
}

std::optional<std::string> record_blocks::cut(std::size_t at) {
  std::string block = buffer_.substr(0, at);
  buffer_.erase(0, at);
  searched_ = 0;
  counted_ = 0;
  return block;
}

std::optional<std::string> record_blocks::next() {
  if (buffer_.empty()) return std::nullopt;
  if (format_.records != 0) {
    while (counted_ < format_.records) {
      const auto boundary = boundary_from(searched_);
      if (boundary == none) return over_ ? cut(buffer_.size()) : std::nullopt;
      searched_ = boundary;
      ++counted_;
    }
    return cut(searched_);
  }
  if (over_ && buffer_.size() <= format_.block) return cut(buffer_.size());
  // The rest may be what fits, too; and the mark of the next record's start may be behind the block.
  if (!over_ && buffer_.size() < format_.block + std::max<std::size_t>(format_.start.size(), 1))
    return std::nullopt;
  if (searched_ == 0) {
    if (const auto boundary = last_boundary(format_.block); boundary != none) return cut(boundary);
    searched_ = format_.block;
  }
  const auto boundary = boundary_from(searched_);
  if (boundary != none) return cut(boundary);
  if (over_) return cut(buffer_.size());
  const std::size_t mark = format_.end.size() + format_.start.size();
  searched_ = std::max(searched_, buffer_.size() - std::min(buffer_.size(), mark));
  return std::nullopt;
}

std::optional<std::string> record_blocks::first_record() {
  const auto boundary = boundary_from(0);
  if (boundary != none) return cut(boundary);
  return over_ ? cut(buffer_.size()) : std::nullopt;
}

}  // namespace fmap::tool
