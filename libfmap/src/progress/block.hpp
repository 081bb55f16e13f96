// SPDX-License-Identifier: BSD-3-Clause
// The last lines of a terminal, drawn again and again.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "src/progress/line.hpp"

namespace fmap::detail {

/// What to send to a terminal so that it shows some lines in place of those before. The cursor stays behind the last of
/// them. Pure: it keeps what it has drawn.
class block {
public:
  bool empty() const { return columns_.empty(); }

  /// `above`: whole lines that stay, and scroll. `width`: of the terminal now, which may have wrapped what it showed.
  std::string redraw(const std::vector<std::string>& above, const std::vector<std::string>& lines,
                     std::size_t width) {
    std::string text = to_top(width);
    if (!above.empty()) text += "\033[J";
    for (const std::string& line : above) text += line + "\r\n";
    columns_.clear();
    for (const std::string& line : lines) {
      if (!columns_.empty()) text += "\r\n";
      text += line + "\033[K";
      columns_.push_back(columns_of(line));
    }
    return text + "\033[J";
  }

private:
  std::string to_top(std::size_t width) const {
    std::size_t rows = 0;
    for (const std::size_t columns : columns_)
      rows += width == 0 ? 1 : std::max<std::size_t>(1, (columns + width - 1) / width);
    return rows > 1 ? "\r\033[" + std::to_string(rows - 1) + "A" : "\r";
  }

  std::vector<std::size_t> columns_;
};

}  // namespace fmap::detail
