// SPDX-License-Identifier: BSD-3-Clause
// Texts of any bytes in JSON.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace fmap::tool {

using json = nlohmann::ordered_json;

/// Whether JSON can hold it as a string.
inline bool is_utf8(std::string_view bytes) {
  try {
    (void)json(bytes).dump();
    return true;
  } catch (const json::type_error&) {
    return false;
  }
}

std::string base64(std::string_view bytes);

/// `name`, or `name_b64` if it is no UTF-8.
inline void put_text(json& to, const std::string& name, std::string_view bytes) {
  if (is_utf8(bytes))
    to[name] = bytes;
  else
    to[name + "_b64"] = base64(bytes);
}

/// As one line. What is no UTF-8 is replaced.
inline std::string as_line(const json& j) {
  return j.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace fmap::tool
