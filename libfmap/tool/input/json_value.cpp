// SPDX-License-Identifier: BSD-3-Clause
// Reads JSON values by nlohmann's parser, which would change numbers if it kept them itself.
#include "tool/input/json_value.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <stdexcept>

#include <nlohmann/json.hpp>

namespace fmap::tool {

namespace {

using json = nlohmann::json;
using kind = json_value::kind;

/// What the parser tells of, as a tree. Names are those that nlohmann calls.
class builder final : public json::json_sax_t {
public:
  json_value root;
  std::string problem;

  bool null() override { return put({kind::other, "null", {}}); }
  bool boolean(bool value) override { return put({kind::other, value ? "true" : "false", {}}); }
  bool number_integer(std::int64_t n) override { return put({kind::other, std::to_string(n), {}}); }
  bool number_unsigned(std::uint64_t n) override {
    return put({kind::other, std::to_string(n), {}});
  }
  bool number_float(double, const std::string& written) override {
    return put({kind::other, written, {}});
  }
  bool string(std::string& text) override { return put({kind::text, std::move(text), {}}); }
  bool binary(json::binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(kind::members); }
  bool start_array(std::size_t) override { return open(kind::list); }
  bool key(std::string& name) override {
    name_ = std::move(name);
    return true;
  }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t, const std::string&, const json::exception& e) override {
    const std::string_view text = e.what();  // "[json.exception...] parse error at ...: WHY"
    const auto colon = text.find(": ");
    problem = colon == std::string_view::npos ? text : text.substr(colon + 2);
    return false;
  }

private:
  json_value& place() {
    if (open_.empty()) return root;
    open_.back()->inside.push_back({std::exchange(name_, {}), json_value{}});
    return open_.back()->inside.back().value;
  }
  bool put(json_value v) {
    place() = std::move(v);
    return true;
  }
  bool open(kind what) {
    json_value& v = place();
    v.what = what;
    open_.push_back(&v);  // what is in it does not move as long as it is open
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::string name_;
  std::vector<json_value*> open_;
};

void append(std::string& to, const json_value& v) {
  switch (v.what) {
    case kind::text: to += json(v.text).dump(); return;
    case kind::other: to += v.text; return;
    case kind::list:
    case kind::members: break;
  }
  to += v.what == kind::list ? '[' : '{';
  bool first = true;
  for (const auto& [name, value] : v.inside) {
    if (!std::exchange(first, false)) to += ',';
    if (v.what == kind::members) to += json(name).dump() + ":";
    append(to, value);
  }
  to += v.what == kind::list ? ']' : '}';
}

const json_value* child(const json_value& of, std::string_view name) {
  if (of.what == kind::list) {
    std::size_t at = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), at);
    const bool is_index = error == std::errc{} && end == name.data() + name.size();
    return is_index && at < of.inside.size() ? &of.inside[at].value : nullptr;
  }
  const auto found = std::find_if(of.inside.rbegin(), of.inside.rend(),
                                  [&](const auto& member) { return member.name == name; });
  return of.what == kind::members && found != of.inside.rend() ? &found->value : nullptr;
}

}  // namespace

std::string json_value::shown() const {
  if (what == kind::text) return text;
  std::string all;
  append(all, *this);
  return all;
}

const json_value* json_value::find(std::string_view path) const {
  if (const json_value* whole = child(*this, path)) return whole;
  for (auto dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.', dot + 1))
    if (const json_value* first = child(*this, path.substr(0, dot)))
      if (const json_value* rest = first->find(path.substr(dot + 1))) return rest;
  return nullptr;
}

json_value json_from(std::string_view text) {
  builder b;
  if (!json::sax_parse(text, &b)) throw std::invalid_argument{b.problem};
  return std::move(b.root);
}

bool is_json_path(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'
           || c == '-' || c == '.' || c >= 0x80;
  });
}

}  // namespace fmap::tool
