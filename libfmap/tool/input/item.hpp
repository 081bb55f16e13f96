// SPDX-License-Identifier: BSD-3-Clause
// What the input consists of.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fmap::tool {

using names = std::vector<std::string>;

/// One item, split into its columns: there is one, unless columns or several sources were asked for.
struct item {
  std::uint64_t number = 0;  // from 1
  std::vector<std::string> columns;
  std::shared_ptr<const names> titles;  // of the columns; null without --header
  std::string problem;                  // why it cannot be run; empty if it can
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

}  // namespace fmap::tool
