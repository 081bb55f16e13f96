// SPDX-License-Identifier: BSD-3-Clause
// The command of a run.
#include "tool/command/command.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "tool/command/limits.hpp"

namespace fmap::tool {

namespace {

/// The shells that read quotes as the standard says.
constexpr std::string_view bourne_shells[] = {"sh",    "dash", "bash", "ash",  "ksh",
                                              "ksh93", "mksh", "zsh",  "yash", "posh"};

}  // namespace

command::command(const options& o, std::optional<std::uint64_t> total)
    : shell_{o.shell}, total_{total} {
  if (o.script) {
    try {
      script_.emplace(*o.script, o.input.has_names(), o.replace);
    } catch (const bad_script& e) {
      throw usage_error{std::string{"-c: "} + e.what()};
    }
    const std::string_view name = std::string_view{shell_}.substr(shell_.rfind('/') + 1);
    if (script_->has_placeholders()
        && std::find(std::begin(bourne_shells), std::end(bourne_shells), name)
               == std::end(bourne_shells))
      throw usage_error{"--shell-program " + shell_
                        + ": placeholders are quoted for sh, bash, ksh and zsh only; take the item "
                          "from the arguments of the script"};
  } else {
    // What the command reads is not among its arguments, too.
    const bool appends = !o.to_input && !o.pipe;
    words_.emplace(o.command, o.input.has_names(), o.replace, appends);
  }
  const bool shows_total =
      words_ ? words_->shows(placeholder::what::total) : script_->shows(placeholder::what::total);
  if (shows_total && !total_)
    throw usage_error{
        "{##}: how many items there will be is not known before they are read; say it "
        "with --total=N"};
}

std::vector<std::string> command::words(const item& i, std::size_t slot) const {
  const figures f{slot, total_};
  if (words_) {
    std::vector<std::string> all = words_->expand(i, f);
    for (const std::string& w : all)  // a JSON string may hold one
      if (w.find('\0') != std::string::npos) throw not_runnable{"it holds a NUL byte"};
    return all;
  }
  std::vector<std::string> all{shell_, "-c", script_->expand(i, f), "fmap"};
  if (all[2].find('\0') != std::string::npos) throw not_runnable{"it holds a NUL byte"};
  all.insert(all.end(), i.columns.begin(), i.columns.end());
  return all;
}

std::size_t command::cost(const item& i) const {
  std::size_t all = 0;
  try {
    for (const std::string& w : words(i, 1)) {
      if (w.size() > longest_word) return SIZE_MAX / 2;  // it is tried, and fails, alone
      all += cost_of_word(w.size());
    }
  } catch (const not_runnable&) {
    // It is found out when it is to be run.
  }
  return all;
}

}  // namespace fmap::tool
