// SPDX-License-Identifier: BSD-3-Clause
// JSON values as items: their members by path.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fmap::tool {

struct json_member;

/// One value with all that is in it, numbers as they were written.
struct json_value {
  enum class kind { text, other, list, members };
  kind what = kind::other;
  std::string text;                 // of a string; of a number, true, false or null as JSON
  std::vector<json_member> inside;  // of a list with empty names

  /// A string as it is, all else as JSON.
  std::string shown() const;

  /// "a.b" is member b of member a, "a.0" the first of list a; names may hold dots themselves. Null if there is none.
  const json_value* find(std::string_view path) const;
};

struct json_member {
  std::string name;
  json_value value;
};

/// Throws std::invalid_argument, which says what is wrong with the text.
json_value json_from(std::string_view text);

/// Whether that may be meant as a path in a value: letters, digits, `_`, `-` and dots.
bool is_json_path(std::string_view text);

}  // namespace fmap::tool
