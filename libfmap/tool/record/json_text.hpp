// SPDX-License-Identifier: BSD-3-Clause
// Texts of any bytes in JSON.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

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
/// What base64() was made of; of another text something.
std::string from_base64(std::string_view text);

/// `name`, or `name_b64` if it is no UTF-8.
inline void put_text(json& to, const std::string& name, std::string_view bytes) {
  if (is_utf8(bytes))
    to[name] = bytes;
  else
    to[name + "_b64"] = base64(bytes);
}

/// A list of texts as `name`, or `name_b64`, of all of them, if one is no UTF-8.
inline void put_texts(json& to, const std::string& name, const std::vector<std::string>& texts) {
  if (std::all_of(texts.begin(), texts.end(), [](const std::string& t) { return is_utf8(t); })) {
    to[name] = texts;
    return;
  }
  json& all = to[name + "_b64"] = json::array();
  for (const std::string& t : texts) all.push_back(base64(t));
}

/// What put_texts() has put there; none if it has not.
inline std::vector<std::string> texts_from(const json& in, const std::string& name) {
  if (const auto plain = in.find(name); plain != in.end())
    return plain->get<std::vector<std::string>>();
  std::vector<std::string> texts;
  if (const auto all = in.find(name + "_b64"); all != in.end())
    for (const json& t : *all) texts.push_back(from_base64(t.get_ref<const std::string&>()));
  return texts;
}

/// As one line. What is no UTF-8 is replaced.
inline std::string as_line(const json& j) {
  return j.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace fmap::tool
