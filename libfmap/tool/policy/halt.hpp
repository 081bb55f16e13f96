// SPDX-License-Identifier: BSD-3-Clause
// When a run ends before its input does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace fmap::tool {

/// --halt. Pure: it is told how each command ended and says what follows.
class halt_rule {
public:
  enum class what { never, soon, now };
  enum class why { fail, success, done };

  halt_rule() = default;

  /// "never", "soon,fail=1", "now,success=3", "soon,fail=20%". Throws std::invalid_argument.
  explicit halt_rule(const std::string& text);

  /// A percentage of all items: how many there are must be known.
  bool needs_total() const { return percent_ && why_ == why::done; }

  /// What is to be done now that so many more items have ended, and so many of them have failed.
  what note(std::uint64_t ended, std::uint64_t failed, std::optional<std::uint64_t> total);

  /// Whether what was waited for is a good end.
  bool good() const { return why_ == why::success; }

private:
  static constexpr std::uint64_t least_ended = 10;  // before percentages count

  what what_ = what::never;
  why why_ = why::fail;
  bool percent_ = false;
  std::uint64_t limit_ = 1;
  std::uint64_t failed_ = 0;
  std::uint64_t ended_ = 0;
};

}  // namespace fmap::tool
