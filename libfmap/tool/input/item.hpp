// SPDX-License-Identifier: BSD-3-Clause
// What the input consists of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tool/input/json_value.hpp"

namespace fmap::tool {

using names = std::vector<std::string>;
using json_values = std::vector<std::shared_ptr<const json_value>>;

/// How an item of an earlier run ended that was not delivered then; see record/journal.hpp.
struct saved_result;

/// What one command is run for: an item, split into its columns (there is one, unless columns or several sources were
/// asked for), or with -n several items together.
struct item {
  std::uint64_t number = 0;  // of the command, from 1
  std::vector<std::string> columns;
  std::shared_ptr<const names> titles;          // of the columns; null without --header
  std::string problem;                          // why it cannot be run; empty if it can
  std::vector<item> members{};                  // of several items; empty for one
  std::shared_ptr<const std::string> block{};   // what the command reads; null: nothing
  std::shared_ptr<const saved_result> saved{};  // it has been run already
  json_values values{};                         // of --jsonl-items
};

/// As one text: the columns with a blank between each two.
inline std::string whole(const item& i) {
  std::string text;
  for (std::size_t c = 0; c < i.columns.size(); ++c) {
    if (c != 0) text += ' ';
    text += i.columns[c];
  }
  return text;
}

/// How many items there are in it.
inline std::size_t many(const item& i) { return i.members.empty() ? 1 : i.members.size(); }

/// Several items as one: their columns stand one behind the other. At least one.
inline item joined(std::vector<item> members, std::uint64_t number) {
  item all = members.front();
  if (members.size() > 1) {
    for (std::size_t m = 1; m < members.size(); ++m) {
      const item& next = members[m];
      all.columns.insert(all.columns.end(), next.columns.begin(), next.columns.end());
      all.values.insert(all.values.end(), next.values.begin(), next.values.end());
      if (all.problem.empty()) all.problem = next.problem;
    }
    all.members = std::move(members);
  }
  all.number = number;
  return all;
}

/// Some of its members as an item of the same number.
inline item part_of(const item& i, std::size_t first, std::size_t last) {
  if (i.members.empty() || (first == 0 && last == i.members.size())) return i;
  const auto from = i.members.begin();
  return joined(
      {from + static_cast<std::ptrdiff_t>(first), from + static_cast<std::ptrdiff_t>(last)},
      i.number);
}

}  // namespace fmap::tool
