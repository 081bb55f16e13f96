// SPDX-License-Identifier: BSD-3-Clause
// Placeholders in shell scripts.
#include "tool/command/shell_context.hpp"

#include <algorithm>
#include <utility>

namespace fmap::tool {

namespace {

constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Reads a script as far as it must to know in which quotes each byte stands. What it does not follow it says:
/// from there on nothing may stand in place of a placeholder.
class reader {
public:
  /// Takes one byte.
  void read(char c) {
    if (skip_heredoc(c)) return;
    if (escaped_) {
      escaped_ = false;
      if (c == '\n') return;  // as if neither were there
      before_ = ordinary;
      at_word_start_ = false;
      word_.clear();
      return;
    }
    switch (top().in) {
      case place::single: read_single(c); return;
      case place::dbl: read_double(c); return;
      case place::parameter: read_parameter(c); return;
      case place::backtick: read_backtick(c); return;
      case place::comment:
        if (c != '\n') return;
        stack_.pop_back();
        read_bare(c);
        return;
      case place::arithmetic: read_arithmetic(c); return;
      case place::bare: read_bare(c); return;
    }
  }

  /// The quotes that a placeholder stands in that begins here. Throws `bad_script`.
  quotes here() const {
    if (lost_ != nullptr) refuse(lost_);
    if (in_body_) refuse("in a here-document");
    if (before_ == '$') refuse("behind a '$'");
    if (!redirected_.empty() && redirected_.back().reading)
      refuse("in the end mark of a here-document");
    switch (top().in) {
      case place::bare: return quotes::bare;
      case place::dbl: return quotes::dbl;
      case place::single: return quotes::single;
      case place::arithmetic: return quotes::arithmetic;
      case place::comment: refuse("in a comment");
      case place::parameter: refuse("in ${...}");
      case place::backtick: refuse("in `...`");
    }
    return quotes::bare;
  }

  /// Whether the next byte is ordinary text, whatever it is: a backslash stands before it.
  bool escaped() const { return escaped_; }
  bool in_heredoc() const { return in_body_; }
  bool after_dollar() const { return before_ == '$' && top().in != place::single; }

  /// Something was put in place of a placeholder.
  void filled() {
    before_ = ordinary;
    substitution_began_ = false;
    at_word_start_ = false;
    word_.clear();
  }

private:
  enum class place { bare, dbl, single, arithmetic, parameter, backtick, comment };
  struct level {
    place in = place::bare;
    int parentheses = 0;        // open within it
    bool substitution = false;  // $(...): the one that is not open within it ends it
    bool dollar_quote = false;  // $'...'
    bool command = false;       // ((...)), which is no word
  };
  struct heredoc {
    std::string mark;
    bool tabs = false;
    bool reading = true;  // its end mark
    bool started = false;
    char quote = 0;
    std::size_t depth = 0;
  };

  static constexpr char ordinary = 'x';

  level& top() { return stack_.back(); }
  const level& top() const { return stack_.back(); }

  [[noreturn]] static void refuse(const char* where) {
    throw bad_script{
        std::string{"a placeholder "} + where
        + " cannot be quoted safely; write \"$1\" (or \"$2\" ...) there, which is the item"};
  }

  void lose(const char* why) {
    if (lost_ == nullptr) lost_ = why;
  }

  void push(place in) { stack_.push_back({in}); }

  void enter_bare(bool substitution) {
    push(place::bare);
    top().substitution = substitution;
    at_word_start_ = true;
    word_.clear();
  }

  void read_single(char c) {
    if (c == '\n' && !redirected_.empty()) lose("behind a line end in quotes, after '<<',");
    if (c == '\'') {
      stack_.pop_back();
      before_ = ordinary;
    }
  }

  /// What `$` begins, once the byte after it is known. True: `c` was part of that.
  bool dollar(char c) {
    if (before_ != '$' || c == '\\') return false;
    before_ = ordinary;
    if (c == '$') return true;
    if (c == '(') {
      enter_bare(true);
      before_ = '(';
      substitution_began_ = true;
      return true;
    }
    if (c == '{') {
      push(place::parameter);
      return true;
    }
    if (c == '[') lose("behind '$['");
    return false;
  }

  void read_double(char c) {
    if (c == '\n' && !redirected_.empty()) lose("behind a line end in quotes, after '<<',");
    if (dollar(c)) return;
    if (c == '\\') {
      escaped_ = true;
      return;
    }
    before_ = c;
    if (c == '`') push(place::backtick);
    if (c == '"') {
      stack_.pop_back();
      before_ = ordinary;
    }
  }

  /// Quotes in it are read by rules of their own: then it is not known where it ends.
  void read_parameter(char c) {
    if (c == '}') {
      stack_.pop_back();
      before_ = ordinary;
      at_word_start_ = false;
      return;
    }
    if (c == '\\' || c == '\'' || c == '"' || c == '`' || c == '{' || c == '$' || c == '\n')
      lose("behind ${...} with quotes or '$' in it");
  }

  void read_backtick(char c) {
    if (c == '\\') escaped_ = true;
    if (c == '`') {
      stack_.pop_back();
      before_ = ordinary;
      at_word_start_ = false;
    }
  }

  void read_arithmetic(char c) {
    if (dollar(c)) return;
    before_ = c;
    if (c == '\'' || c == '"' || c == '\\' || c == '`' || c == '\n')
      lose("behind arithmetic with quotes in it");
    if (c == '(') ++top().parentheses;
    if (c == ')' && --top().parentheses == 0) {
      at_word_start_ = top().command;
      stack_.pop_back();
      before_ = ordinary;
    }
  }

  void read_bare(char c) {
    if (read_mark(c)) return;
    if (c == '\\') {
      escaped_ = true;
      return;
    }
    // "$((" and "((" begin arithmetic.
    if (before_ == '(' && c == '(') {
      if (substitution_began_) {
        top().in = place::arithmetic;
        top().parentheses = 2;
      } else {
        --top().parentheses;
        push(place::arithmetic);
        top().parentheses = 2;
        top().command = true;
      }
      substitution_began_ = false;
      before_ = ordinary;
      return;
    }
    substitution_began_ = false;
    if (before_ == '$' && c == '\'') {
      lose("in or behind $'...'");
    }
    if (dollar(c)) return;

    if (at_word_start_ && c == '#') {
      push(place::comment);
      return;
    }
    if (letters.find(c) != std::string_view::npos && (at_word_start_ || !word_.empty())) {
      word_ += c;
    } else {
      // The patterns of a case end with parentheses that nothing opens.
      if (word_ == "case" && stack_.size() > 1) lose("behind a 'case' in $(...)");
      word_.clear();
    }
    const bool ends_word = std::string_view{" \t\n;&|()<>"}.find(c) != std::string_view::npos;
    const char last = std::exchange(before_, c);
    at_word_start_ = ends_word;

    switch (c) {
      case '\'': push(place::single); break;
      case '"':
        push(place::dbl);
        before_ = ordinary;
        break;
      case '`': push(place::backtick); break;
      case '(': ++top().parentheses; break;
      case ')':
        if (top().parentheses > 0) {
          --top().parentheses;
        } else if (top().substitution) {
          stack_.pop_back();
          before_ = ordinary;
          at_word_start_ = false;
        }  // else it is of a case
        break;
      case '<':
        if (last == '<') {
          redirected_.push_back({});
          redirected_.back().depth = stack_.size();
          before_ = ordinary;
        }
        break;
      case '\n':
        if (redirected_.empty()) break;
        if (redirected_.front().depth != stack_.size())
          lose("behind a here-document that is not begun where its '<<' is");
        in_body_ = true;
        line_.clear();
        break;
      default: break;
    }
  }

  /// The end mark of a here-document. True: `c` was part of that.
  bool read_mark(char c) {
    if (redirected_.empty() || !redirected_.back().reading) return false;
    heredoc& h = redirected_.back();
    if (h.quote != 0) {
      if (c == h.quote)
        h.quote = 0;
      else
        h.mark += c;
      if (c == '\n' || c == '\\' || c == '$' || c == '`')
        lose("behind a here-document whose end mark is not plain");
      return true;
    }
    if (!h.started) {
      if (c == '-' && !h.tabs) {
        h.tabs = true;
        return true;
      }
      if (c == ' ' || c == '\t') return true;
      if (c == '<') {  // <<<
        redirected_.pop_back();
        at_word_start_ = true;
        return true;
      }
    }
    if (c == '\'' || c == '"') {
      h.started = true;
      h.quote = c;
      return true;
    }
    if (std::string_view{" \t\n;&|()<>"}.find(c) == std::string_view::npos) {
      if (c == '\\' || c == '$' || c == '`' || c == '{' || c == '#')
        lose("behind a here-document whose end mark is not plain");
      h.started = true;
      h.mark += c;
      return true;
    }
    if (!h.started) lose("behind '<<' without an end mark");
    h.reading = false;
    at_word_start_ = true;
    return false;
  }

  bool skip_heredoc(char c) {
    if (!in_body_) return false;
    if (c != '\n') {
      line_ += c;
      return true;
    }
    const heredoc& h = redirected_.front();
    std::string_view line = line_;
    if (h.tabs) line.remove_prefix(std::min(line.find_first_not_of('\t'), line.size()));
    if (line == h.mark) {
      redirected_.erase(redirected_.begin());
      in_body_ = !redirected_.empty();
      at_word_start_ = true;
      before_ = '\n';
    } else if (h.depth > 1 && line.find(h.mark) != std::string_view::npos) {
      lose("behind a here-document in $(...)");  // some shells end it there
    }
    line_.clear();
    return true;
  }

  std::vector<level> stack_{level{}};
  bool escaped_ = false;
  char before_ = '\n';  // the byte before, where that matters
  bool at_word_start_ = true;
  bool substitution_began_ = false;
  std::string word_;
  std::vector<heredoc> redirected_;
  bool in_body_ = false;
  std::string line_;
  const char* lost_ = nullptr;
};

bool is_plain(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return letters.find(c) != std::string_view::npos || (c >= '0' && c <= '9')
           || std::string_view{"_./:=@%+,-"}.find(c) != std::string_view::npos;
  });
}

/// Names of columns in scripts: nothing that means something to the shell.
bool is_plain_name(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return is_plain({&c, 1}) || c == ' ' || static_cast<unsigned char>(c) >= 0x80;
  });
}

/// Where a number would say which descriptor is redirected.
bool redirects(std::string_view value, std::string_view after) {
  return (after.starts_with('<') || after.starts_with('>'))
         && value.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

std::string quoted(std::string_view text, quotes where) {
  if (is_plain(text)) return std::string{text};
  std::string result;
  result.reserve(text.size() + 2);
  switch (where) {
    case quotes::arithmetic:
      throw not_runnable{"cannot stand in arithmetic, where a shell may run what it says"};
    case quotes::dbl:
      for (const char c : text) {
        if (c == '$' || c == '`' || c == '"' || c == '\\') result += '\\';
        result += c;
      }
      return result;
    case quotes::bare:
    case quotes::single: break;
  }
  if (where == quotes::bare) result += '\'';
  for (const char c : text)
    if (c == '\'')
      result += "'\\''";
    else
      result += c;
  if (where == quotes::bare) result += '\'';
  return result;
}

script::script(std::string_view text, bool named, std::string_view instead) {
  reader at;
  std::string literal;
  while (!text.empty()) {
    std::optional<placeholder> hole;
    // What stands behind a backslash is no placeholder, nor is ${1}.
    if (!at.escaped() && !at.after_dollar()) {
      hole = read_placeholder(text, named, instead);
      if (hole && instead.empty() && !is_plain_name(hole->name)) hole.reset();
    }
    if (!hole) {
      at.read(text.front());
      literal += text.front();
      text.remove_prefix(1);
      continue;
    }
    const quotes where = at.here();
    if (hole->shows == placeholder::what::name) {  // it may turn out to be ordinary text
      for (const char c : hole->original) at.read(c);
    } else {
      at.filled();
    }
    text.remove_prefix(hole->original.size());
    parts_.push_back({std::exchange(literal, {}), std::move(hole), where});
  }
  if (!literal.empty()) parts_.push_back({std::move(literal), std::nullopt, quotes::bare});
}

bool script::has_placeholders() const {
  return std::any_of(parts_.begin(), parts_.end(),
                     [](const part& p) { return p.hole.has_value(); });
}

bool script::shows(placeholder::what what) const {
  return std::any_of(parts_.begin(), parts_.end(),
                     [&](const part& p) { return p.hole && p.hole->shows == what; });
}

std::string script::expand(const item& i, const figures& f) const {
  std::string text;
  for (std::size_t at = 0; at < parts_.size(); ++at) {
    const part& p = parts_[at];
    text += p.literal;
    if (!p.hole) continue;
    if (!i.members.empty() && p.hole->shows == placeholder::what::item
        && p.where == quotes::bare) {  // each of several items is a word of its own
      for (std::size_t m = 0; m < i.members.size(); ++m)
        text += (m == 0 ? "" : " ") + quoted(shown(*p.hole, i.members[m], f), p.where);
      continue;
    }
    const std::string value = shown(*p.hole, i, f);
    if (p.hole->shows == placeholder::what::name && !is_title(*p.hole, i))
      text += value;
    else if (p.where == quotes::bare && at + 1 < parts_.size()
             && redirects(value, parts_[at + 1].literal))
      text += "'" + value + "'";
    else
      text += quoted(value, p.where);
  }
  return text;
}

std::string as_shell_text(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& w : words) {
    if (!text.empty()) text += ' ';
    text += quoted(w, quotes::bare);
  }
  return text;
}

}  // namespace fmap::tool
