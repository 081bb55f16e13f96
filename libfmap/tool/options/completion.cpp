// SPDX-License-Identifier: BSD-3-Clause
// Completions for bash, zsh and fish.
#include <string>
#include <string_view>
#include <utility>

#include "tool/options/pages.hpp"

namespace fmap::tool {

namespace {

/// For a text in single quotes, of a shell in which `inside` stands for one.
std::string quoted_by(std::string_view text, std::string_view inside) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'')
      result += inside;
    else
      result += c;
  }
  return result + "'";
}

/// In the brackets of zsh's _arguments.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

/// What bash does for one option whose value is looked for.
std::string bash_case(const row& r) {
  std::string names = r.name != nullptr ? "--" + std::string{r.name} : "";
  if (r.letter != 0) names += std::string{names.empty() ? "-" : "|-"} + r.letter;
  std::string words;
  if (r.words != nullptr) words = "compgen -W " + quoted_by(r.words, "'\\''") + " -- \"$2\"";
  if (is_path(r)) words = "compgen -f -- \"$2\"";
  return words.empty() ? "" : "    " + names + ") " + words + " ;;\n";
}

constexpr std::string_view bash_head =
    R"(# bash completion for fmap; made from its table of options.

# _fmap_values OPTION TEXT: prints the values that the text may become.
_fmap_values() {
  local IFS=' '
  case $1 in
)";

constexpr std::string_view bash_rest = R"(  esac
}

_fmap() {
  local options='OPTIONS' takes='TAKES'
  local -a words=()
  local i word at command=
  # bash takes --option=value apart
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]} at=$((${#words[@]} - 1))
    if ((at >= 0)) && [[ ${words[at]} == --* && ($word == '=' || ${words[at]} == *=) && ${words[at]} != *=?* ]]; then
      words[at]+=$word
    else
      words+=("$word")
    fi
  done
  local last=$((${#words[@]} - 1)) wants=
  local now=${words[last]}
  for ((i = 0; i < last; i++)); do
    word=${words[i]}
    if [[ -n $wants ]]; then
      wants=
      continue
    fi
    case $word in
      --)
        command=--
        ((i + 1 == last)) || command=${words[i + 1]}
        break
        ;;
      --*=*) ;;
      --*) [[ $takes != *" $word "* ]] || wants=$word ;;
      -?*) [[ $takes != *" -${word: -1} "* ]] || wants=-${word: -1} ;;
      *)
        command=$word
        break
        ;;
    esac
  done
  local IFS=$'\n'
  if [[ -n $command && $command != -- ]]; then
    COMPREPLY=($(compgen -f -- "$now"))
  elif [[ -n $wants ]]; then
    COMPREPLY=($(_fmap_values "$wants" "$now"))
  elif [[ -z $command && $now == --*=* ]]; then
    COMPREPLY=($(_fmap_values "${now%%=*}" "${now#*=}"))
  elif [[ -z $command && $now == -* ]]; then
    COMPREPLY=($(IFS=' ' compgen -W "$options" -- "$now"))
  else
    COMPREPLY=($(compgen -c -- "$now"))
  fi
}
complete -o filenames -F _fmap fmap
)";

}  // namespace

std::string bash_completion() {
  std::string script{bash_head};
  std::string names, takes = " ";
  for (const row& r : table) {
    if (r.where == help_page::hidden) continue;
    script += bash_case(r);
    const std::string name = r.name != nullptr ? "--" + std::string{r.name} + " " : "";
    const std::string letter = r.letter != 0 ? std::string{"-"} + r.letter + " " : "";
    names += letter + name;
    if (takes_word(r)) takes += letter + name;
  }
  std::string rest{bash_rest};
  for (const auto& [place, text] : {std::pair{"OPTIONS", names}, std::pair{"TAKES", takes}})
    rest.replace(rest.find(place), std::string_view{place}.size(), text);
  return script + rest;
}

std::string zsh_completion() {
  std::string script = "#compdef fmap\n# Made from fmap's table of options.\n_arguments -S \\\n";
  for (const row& r : table) {
    if (r.where == help_page::hidden) continue;
    std::string value;
    if (r.value != nullptr) {
      value = r.value[0] == '[' ? "::" : ":";
      value += escaped(r.value[0] == '[' ? "value" : r.value) + ":";
      if (r.words != nullptr) value += "(" + std::string{r.words} + ")";
      if (is_path(r)) value += "_files";
    }
    const std::string rest = "[" + escaped(r.help) + "]" + value;
    const char* const joins = r.value == nullptr ? "" : r.value[0] == '[' ? "=-" : "=";
    if (r.letter != 0)
      script +=
          "  " + quoted_by(std::string{"-"} + r.letter + (takes_word(r) ? "+" : "") + rest, "'\\''")
          + " \\\n";
    if (r.name != nullptr)
      script += "  " + quoted_by("--" + std::string{r.name} + joins + rest, "'\\''") + " \\\n";
  }
  return script + "  '*::command:_normal'\n";
}

std::string fish_completion() {
  std::string script = "# fish completion for fmap; made from its table of options.\n"
                       "complete -c fmap -a '(__fish_complete_subcommand)'\n";
  for (const row& r : table) {
    if (r.where == help_page::hidden) continue;
    script += "complete -c fmap";
    if (r.letter != 0) script += std::string{" -s "} + r.letter;
    if (r.name != nullptr) script += " -l " + std::string{r.name};
    if (takes_word(r)) script += is_path(r) ? " -rF" : " -x";
    if (r.words != nullptr) script += " -a " + quoted_by(r.words, "\\'");
    script += " -d " + quoted_by(r.help, "\\'") + "\n";
  }
  return script;
}

}  // namespace fmap::tool
