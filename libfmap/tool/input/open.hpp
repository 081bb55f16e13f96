// SPDX-License-Identifier: BSD-3-Clause
// Opens the sources that the command line names.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>

#include "tool/input/sources.hpp"
#include "tool/options/options.hpp"

namespace fmap::tool {

/// Throws usage_error where a file cannot be opened.
combinations open_sources(const options& o, const flag& stop);

/// Counts the items of a regular file beside the run, for those who want to know how many there will be.
class item_counter {
public:
  /// Begins, if there is one source of items, a regular file in which each delimiter ends one.
  explicit item_counter(const options& o);
  item_counter(const item_counter&) = delete;
  item_counter& operator=(const item_counter&) = delete;
  ~item_counter();

  /// Once they have been counted.
  std::optional<std::uint64_t> total() const;

private:
  void count(int file, std::string delimiter, bool header);

  static constexpr std::uint64_t unknown = UINT64_MAX;
  std::atomic<std::uint64_t> total_{unknown};
  std::atomic<bool> leave_{false};
  std::thread thread_;
};

}  // namespace fmap::tool
