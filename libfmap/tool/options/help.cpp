// SPDX-License-Identifier: BSD-3-Clause
// --help, from the table of options.
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "tool/options/options.hpp"
#include "tool/options/pages.hpp"
#include "tool/options/table.hpp"

namespace fmap::tool {

std::string value_text(const row& r) {
  if (r.value == nullptr) return {};
  const std::string_view value = r.value;
  return value.starts_with('[') ? "[=" + std::string{value.substr(1)} : "=" + std::string{value};
}

std::string printed(const std::string& what) {
  if (what == "man") return manual_page();
  if (what == "bash") return bash_completion();
  if (what == "zsh") return zsh_completion();
  if (what == "fish") return fish_completion();
  throw usage_error{"--print " + what + ": write man, bash, zsh or fish"};
}

std::string help_text(bool all) {
  std::string text =
      "fmap [OPTION]... COMMAND [ARGUMENT]... [::: ITEM...]...\n"
      "fmap [OPTION]... -c SCRIPT [::: ITEM...]...\n"
      "Runs COMMAND for each item, several at a time; items are lines of standard input,\n"
      "the words behind ::: (:::+ linked), or of files behind :::: (::::+).\n\n";
  for (const row& r : table) {
    if (r.where == help_page::hidden || (r.where == help_page::rest && !all)) continue;
    std::string left = r.letter != 0 ? std::string{"-"} + r.letter : "   ";
    if (r.name != nullptr) left += (r.letter != 0 ? ", --" : " --") + std::string{r.name};
    left += value_text(r);
    left.resize(std::max<std::size_t>(left.size() + 1, 25), ' ');
    text += " " + left + r.help + "\n";
  }
  text +=
      "\nItem dir/a.tar.gz: {} {.} dir/a.tar {/} a.tar.gz {//} dir {/.} a.tar {:} dir/a {/:} a "
      "{+.} gz\n"
      "{1} {-1} {2/.} columns, {#} number, {##} how many, {%} slot. None: the item is appended.\n"
      "  find . -name '*.png' -print0 | fmap -0 optipng -o7\n"
      "  fmap -k -c 'convert \"$1\" \"$1\".jpg && echo {/.}' ::: *.png\n"
      "  fmap --csv --header curl -o {name} {url} :::: list.csv\n"
      "Exit: 0 all succeeded, 123 some failed, 125 fmap itself, 126/127 no such command, 2 "
      "usage.\n";
  return text;
}

}  // namespace fmap::tool
