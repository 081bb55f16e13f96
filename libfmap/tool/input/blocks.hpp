// SPDX-License-Identifier: BSD-3-Clause
// Bytes from a descriptor, read when they are needed; a wait for them can be ended.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>

namespace fmap::tool {

/// Something that threads wait for with poll(): once raised it stays so.
class flag {
public:
  flag();
  flag(const flag&) = delete;
  flag& operator=(const flag&) = delete;
  ~flag();

  void raise() noexcept;
  bool raised() const noexcept;
  int descriptor() const noexcept { return event_; }

private:
  int event_;
};

/// Owns its descriptor, unless that is standard input.
class blocks {
public:
  blocks(int descriptor, std::string name) : descriptor_{descriptor}, name_{std::move(name)} {}
  blocks(const blocks&) = delete;
  blocks& operator=(const blocks&) = delete;
  ~blocks();

  /// The next bytes; none at the end, and when `stop` is raised. Throws std::system_error.
  std::optional<std::string> next(const flag& stop);

  /// The same, after ready() was true.
  std::optional<std::string> take();

  /// Whether there are bytes or the end, after a wait of at most that time.
  bool ready(std::chrono::milliseconds patience) const;

private:
  int descriptor_;
  std::string name_;
  std::string room_;
};

}  // namespace fmap::tool
