// SPDX-License-Identifier: BSD-3-Clause
// What else is made from the table of options.
#pragma once

#include <string>
#include <string_view>

#include "tool/options/table.hpp"

namespace fmap::tool {

std::string manual_page();
std::string bash_completion();
std::string zsh_completion();
std::string fish_completion();

/// "=FILE", "[=TEMPLATE]" or nothing: what stands behind the long name.
std::string value_text(const row& r);

/// Whether the option takes a value, perhaps in the next word.
inline bool takes_word(const row& r) { return r.value != nullptr && r.value[0] != '['; }

/// Whether that is the name of a file or folder.
inline bool is_path(const row& r) {
  if (r.value == nullptr) return false;
  const std::string_view value = r.value;
  return value == "FILE" || value == "DIR" || value == "PATH";
}

}  // namespace fmap::tool
