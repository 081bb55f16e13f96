// SPDX-License-Identifier: BSD-3-Clause
// Regular expressions between columns.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fmap::tool {

/// An extended regular expression of POSIX, of bytes; also \s \w \t and the like.
class regex {
public:
  /// Throws std::invalid_argument.
  explicit regex(const std::string& text);

  /// What stands between its matches; empty ones split nothing.
  std::vector<std::string> split(std::string_view text) const;

  const std::string& text() const { return text_; }

private:
  std::string text_;
  std::shared_ptr<const void> compiled_;
};

}  // namespace fmap::tool
