// SPDX-License-Identifier: BSD-3-Clause
// Words with placeholders, read once and filled in for each item.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tool/input/item.hpp"

namespace fmap::tool {

/// What a placeholder makes of a text.
enum class edit {
  none,            // {}
  no_extension,    // {.}
  base,            // {/}
  directory,       // {//}
  base_no_ext,     // {/.}
  no_extensions,   // {:}
  base_no_exts,    // {/:}
  only_extension,  // {+.}
};

/// `text` as the placeholder shows it. A leading dot is no extension.
std::string edited(edit how, std::string_view text);

struct placeholder {
  enum class what { item, column, name, number, total, slot };
  what shows = what::item;
  edit how = edit::none;
  int column = 0;        // from 1; negative: from the end
  std::string name;      // for names: all that stands between the braces
  std::string original;  // as it was written
};

/// Reads the placeholder that `text` begins with, if it begins with one. `named`: what is in braces may be
/// the name of a column. `instead`: the only text that is a placeholder, in place of "{}"; empty: all are.
std::optional<placeholder> read_placeholder(std::string_view text, bool named,
                                            std::string_view instead = {});

/// Whether a name in braces is that of a column of this item; else it is ordinary text.
bool is_title(const placeholder& p, const item& i);

/// The figures that placeholders may show besides the item.
struct figures {
  std::uint64_t slot = 0;
  std::optional<std::uint64_t> total;
};

/// What `p` shows for `i`: several columns are edited one by one and stand with blanks between them.
std::string shown(const placeholder& p, const item& i, const figures& f);

/// A word of the command.
class word {
public:
  /// `instead`: the only text that is a placeholder, in place of "{}"; empty: all are.
  word(std::string_view text, bool named, std::string_view instead = {});

  /// What is in braces and no name of a column of this item is ordinary text.
  bool has_placeholder(const item& i) const;
  bool shows(placeholder::what what) const;
  std::string expand(const item& i, const figures& f) const;
  /// Whether it stands once for each of several items: it shows an item, and not the k-th.
  bool is_repeated(const item& i) const;

private:
  struct part {
    std::string literal;
    std::optional<placeholder> hole;
  };
  std::vector<part> parts_;
};

/// The command line without a shell: each word stays one argument. Without any placeholder the item's columns
/// are appended, if `appends`. For several items a word with a placeholder stands once for each.
class command_words {
public:
  command_words(const std::vector<std::string>& words, bool named, std::string_view instead = {},
                bool appends = true);

  bool shows(placeholder::what what) const;
  std::vector<std::string> expand(const item& i, const figures& f) const;

private:
  std::vector<word> words_;
  bool appends_;
};

}  // namespace fmap::tool
