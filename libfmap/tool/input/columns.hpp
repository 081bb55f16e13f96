// SPDX-License-Identifier: BSD-3-Clause
// Items split into columns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fmap::tool {

/// At each `separator`; " +" and a tab with a plus stand for runs of blanks or tabs.
inline std::vector<std::string> split_columns(std::string_view text, std::string_view separator) {
  const bool runs = separator == " +" || separator == "\t+";
  if (runs) separator.remove_suffix(1);
  std::vector<std::string> columns;
  for (;;) {
    const auto at = text.find(separator);
    columns.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return columns;
    text.remove_prefix(at + separator.size());
    while (runs && text.starts_with(separator)) text.remove_prefix(separator.size());
  }
}

/// `\n \t \r \0 \\ \xHH` as the bytes they stand for; anything else is itself. Throws std::invalid_argument.
std::string unescaped(std::string_view text);

}  // namespace fmap::tool
