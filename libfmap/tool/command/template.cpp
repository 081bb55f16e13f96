// SPDX-License-Identifier: BSD-3-Clause
// Words with placeholders.
#include "tool/command/template.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace fmap::tool {

namespace {

constexpr std::array<std::pair<std::string_view, edit>, 8> edits{{
    {"", edit::none},
    {".", edit::no_extension},
    {"/", edit::base},
    {"//", edit::directory},
    {"/.", edit::base_no_ext},
    {":", edit::no_extensions},
    {"/:", edit::base_no_exts},
    {"+.", edit::only_extension},
}};

std::optional<edit> edit_of(std::string_view text) {
  for (const auto& [written, how] : edits)
    if (written == text) return how;
  return std::nullopt;
}

std::string_view base_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

/// Where the dot of the last extension is, or npos.
std::size_t extension_dot(std::string_view path) {
  const std::string_view base = base_of(path);
  const auto name = std::min(base.find_first_not_of('.'), base.size());
  const auto dot = base.rfind('.');
  if (dot == std::string_view::npos || dot < name || dot + 1 == base.size())
    return std::string_view::npos;
  return path.size() - base.size() + dot;
}

std::string_view without_extension(std::string_view path) {
  return path.substr(0, extension_dot(path));
}

std::string_view without_extensions(std::string_view path) {
  while (extension_dot(path) != std::string_view::npos) path = without_extension(path);
  return path;
}

/// As dirname(1) says it.
std::string_view directory_of(std::string_view path) {
  const auto last = path.find_last_not_of('/');
  if (last == std::string_view::npos) return path.empty() ? "." : "/";
  const auto slash = path.substr(0, last).rfind('/');
  if (slash == std::string_view::npos) return ".";
  const auto end = path.substr(0, slash).find_last_not_of('/');
  return end == std::string_view::npos ? path.substr(0, 1) : path.substr(0, end + 1);
}

const std::string* column_of(const item& i, int number) {
  const auto many = static_cast<long long>(i.columns.size());
  const long long at = number > 0 ? number - 1 : many + number;
  return at >= 0 && at < many ? &i.columns[static_cast<std::size_t>(at)] : nullptr;
}

/// A path in the JSON values of an item.
std::optional<std::string> member_of(std::string_view path, const item& i) {
  for (const auto& value : i.values)
    if (const json_value* found = value->find(path)) return found->shown();
  return std::nullopt;
}

std::optional<std::string> column_named(std::string_view name, const item& i) {
  const auto at = std::find(i.titles->begin(), i.titles->end(), name);
  if (at == i.titles->end()) return std::nullopt;
  const auto column = static_cast<std::size_t>(at - i.titles->begin());
  return column < i.columns.size() ? i.columns[column] : std::string{};
}

/// What is in braces, as a name. It may be followed by an edit, as a number may; a name with just that goes first.
std::optional<std::string> look_up(std::string_view inside, const item& i) {
  if (!i.titles && i.values.empty()) return std::nullopt;
  for (const auto& [written, how] : edits) {
    if (!inside.ends_with(written)) continue;
    const auto name = inside.substr(0, inside.size() - written.size());
    if (const auto text = i.titles ? column_named(name, i) : member_of(name, i))
      return edited(how, *text);
  }
  // A member that this value does not have is empty.
  if (!i.values.empty() && is_json_path(inside.substr(0, inside.find_first_of("/:+"))))
    return std::string{};
  return std::nullopt;
}

}  // namespace

std::string edited(edit how, std::string_view text) {
  switch (how) {
    case edit::none: return std::string{text};
    case edit::no_extension: return std::string{without_extension(text)};
    case edit::base: return std::string{base_of(text)};
    case edit::directory: return std::string{directory_of(text)};
    case edit::base_no_ext: return std::string{base_of(without_extension(text))};
    case edit::no_extensions: return std::string{without_extensions(text)};
    case edit::base_no_exts: return std::string{base_of(without_extensions(text))};
    case edit::only_extension: {
      const auto dot = extension_dot(text);
      return dot == std::string_view::npos ? std::string{} : std::string{text.substr(dot + 1)};
    }
  }
  return {};
}

std::optional<placeholder> read_placeholder(std::string_view text, bool named,
                                            std::string_view instead) {
  if (!instead.empty()) {
    if (!text.starts_with(instead)) return std::nullopt;
    placeholder p;
    p.original = instead;
    return p;
  }
  if (!text.starts_with('{')) return std::nullopt;
  const auto end = text.find('}');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view inside = text.substr(1, end - 1);
  placeholder p;
  p.original = text.substr(0, end + 1);

  if (inside == "#") p.shows = placeholder::what::number;
  if (inside == "##") p.shows = placeholder::what::total;
  if (inside == "%") p.shows = placeholder::what::slot;
  if (p.shows != placeholder::what::item) return p;

  if (const auto how = edit_of(inside)) {
    p.how = *how;
    return p;
  }
  int number = 0;
  const auto [after, error] = std::from_chars(inside.data(), inside.data() + inside.size(), number);
  if (error == std::errc{} && number != 0) {
    const auto how = edit_of(inside.substr(static_cast<std::size_t>(after - inside.data())));
    if (how) {
      p.shows = placeholder::what::column;
      p.column = number;
      p.how = *how;
      return p;
    }
  }
  if (named && inside.find_first_of("{\n") == std::string_view::npos) {
    p.shows = placeholder::what::name;
    p.name = inside;
    return p;
  }
  return std::nullopt;
}

bool is_title(const placeholder& p, const item& i) { return look_up(p.name, i).has_value(); }

std::string shown(const placeholder& p, const item& i, const figures& f) {
  switch (p.shows) {
    case placeholder::what::number: return std::to_string(i.number);
    case placeholder::what::total: return f.total ? std::to_string(*f.total) : std::string{};
    case placeholder::what::slot: return std::to_string(f.slot);
    case placeholder::what::name: return look_up(p.name, i).value_or(p.original);
    case placeholder::what::column: {
      const std::string* column = column_of(i, p.column);
      return column != nullptr ? edited(p.how, *column) : std::string{};
    }
    case placeholder::what::item: break;
  }
  std::string text;
  for (std::size_t c = 0; c < i.columns.size(); ++c) {
    if (c != 0) text += ' ';
    text += edited(p.how, i.columns[c]);
  }
  return text;
}

word::word(std::string_view text, bool named, std::string_view instead) {
  std::string literal;
  while (!text.empty()) {
    std::optional<placeholder> hole = read_placeholder(text, named, instead);
    if (!hole) {
      literal += text.front();
      text.remove_prefix(1);
      continue;
    }
    text.remove_prefix(hole->original.size());
    parts_.push_back({std::exchange(literal, {}), std::move(hole)});
  }
  if (!literal.empty() || parts_.empty()) parts_.push_back({std::move(literal), std::nullopt});
}

bool word::has_placeholder(const item& i) const {
  return std::any_of(parts_.begin(), parts_.end(), [&](const part& p) {
    return p.hole && (p.hole->shows != placeholder::what::name || is_title(*p.hole, i));
  });
}

bool word::shows(placeholder::what what) const {
  return std::any_of(parts_.begin(), parts_.end(),
                     [&](const part& p) { return p.hole && p.hole->shows == what; });
}

bool word::is_repeated(const item& i) const {
  return std::any_of(parts_.begin(), parts_.end(), [&](const part& p) {
    if (!p.hole) return false;
    return p.hole->shows == placeholder::what::item
           || (p.hole->shows == placeholder::what::name && is_title(*p.hole, i));
  });
}

std::string word::expand(const item& i, const figures& f) const {
  std::string text;
  for (const part& p : parts_) {
    text += p.literal;
    if (p.hole) text += shown(*p.hole, i, f);
  }
  return text;
}

command_words::command_words(const std::vector<std::string>& words, bool named,
                             std::string_view instead, bool appends)
    : appends_{appends} {
  words_.reserve(words.size());
  for (const std::string& text : words) words_.emplace_back(text, named, instead);
}

bool command_words::shows(placeholder::what what) const {
  return std::any_of(words_.begin(), words_.end(), [&](const word& w) { return w.shows(what); });
}

std::vector<std::string> command_words::expand(const item& i, const figures& f) const {
  std::vector<std::string> arguments;
  arguments.reserve(words_.size() + i.columns.size());
  bool append = appends_;
  for (const word& w : words_) {
    if (!i.members.empty() && w.is_repeated(i)) {
      for (item one : i.members) {
        one.number = i.number;
        arguments.push_back(w.expand(one, f));
      }
    } else {
      arguments.push_back(w.expand(i, f));
    }
    append = append && !w.has_placeholder(i);
  }
  if (append) arguments.insert(arguments.end(), i.columns.begin(), i.columns.end());
  return arguments;
}

}  // namespace fmap::tool
