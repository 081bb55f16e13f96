// SPDX-License-Identifier: BSD-3-Clause
// Which items are recorded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

#include "src/journal/digest.hpp"
#include "src/journal/records.hpp"

namespace fmap::journals {

/// A recorded item: its record's place in the file.
struct entry {
  std::uint64_t place = 0;
  bool failed = false;
};

/// By place in the input. Told in any order, asked in ascending order.
class index_by_place {
public:
  void add(std::uint64_t place, const ending&);
  void complete();

  enum class match : std::uint8_t { none, other_item, same_item };
  struct answer {
    match how = match::none;
    entry what;
  };
  answer look(std::uint64_t index, const digest& item);

private:
  struct row {
    std::uint64_t index, item, place : 63, failed : 1;
  };
  std::vector<row> rows_;
  std::size_t next_ = 0;
};

/// By item. As many equal ones are found as are recorded.
class index_by_item {
public:
  void add(std::uint64_t place, const ending&);
  std::optional<entry> take(const digest& item);

private:
  struct hash {
    std::size_t operator()(const digest& d) const { return static_cast<std::size_t>(d.first); }
  };
  std::unordered_multimap<digest, entry, hash> entries_;
};

}  // namespace fmap::journals
