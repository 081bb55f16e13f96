// SPDX-License-Identifier: BSD-3-Clause
// Messages.
#include "tool/ui/messages.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <unistd.h>

#include "tool/command/shell_context.hpp"
#include "tool/ui/screen.hpp"

namespace fmap::tool {

namespace {

constexpr std::size_t longest = 200;

void write_line(std::string line) {
  const screen::quiet quiet;
  line += '\n';
  std::string_view left = line;
  while (!left.empty()) {
    const ssize_t n = ::write(STDERR_FILENO, left.data(), left.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    left.remove_prefix(static_cast<std::size_t>(n));
  }
}

}  // namespace

void say(std::string_view text) { write_line("fmap: " + std::string{text}); }

void pass_on(std::string_view lines) {
  if (lines.ends_with('\n')) write_line(std::string{lines.substr(0, lines.size() - 1)});
}

void say_command(const std::vector<std::string>& words) { write_line(as_shell_text(words)); }

std::string counted(std::uint64_t many, std::string_view noun) {
  return std::to_string(many) + ' ' + std::string{noun} + (many == 1 ? "" : "s");
}

std::string for_people(std::string_view all) {
  std::string text{all};
  if (text.size() > longest) {
    const auto inside = [&](std::size_t at) {  // a character
      return at > 0 && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
    };
    std::size_t head = longest / 2, tail = text.size() - longest / 2;
    for (int bytes = 0; bytes < 3 && inside(head); ++bytes) --head;
    for (int bytes = 0; bytes < 3 && inside(tail); ++bytes) ++tail;
    text = text.substr(0, head) + "..." + text.substr(tail);
  }
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      result += "\\n";
    } else if (c == '\t') {
      result += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      char hex[5];
      std::snprintf(hex, sizeof hex, "\\x%02x", unsigned{byte});
      result += hex;
    } else {
      result += c;
    }
  }
  return result;
}

std::string name_of(const item& i) {
  if (i.block != nullptr) return "block " + std::to_string(i.number);
  const std::string text = for_people(whole(i));
  return text.empty() ? "(empty)" : text;
}

std::string last_line(std::string_view bytes) {
  while (bytes.ends_with('\n') || bytes.ends_with('\r')) bytes.remove_suffix(1);
  const auto before = bytes.find_last_of("\n\r");
  if (before != std::string_view::npos) bytes.remove_prefix(before + 1);
  return for_people(bytes);
}

std::string reason(const ending& e) {
  if (e.timed_out) return "time-out";
  switch (e.how) {
    case ending::kind::exited: return "exit " + std::to_string(e.code);
    case ending::kind::signalled: {
      const char* name = ::sigabbrev_np(e.code);
      return "killed by "
             + (name != nullptr ? "SIG" + std::string{name} : "signal " + std::to_string(e.code));
    }
    case ending::kind::not_run: return "not runnable: " + e.why;
    case ending::kind::not_started:
      return e.code == ENOENT ? e.why + ": command not found"
                              : e.why + ": " + std::strerror(e.code);
    case ending::kind::lost: return e.why;
    case ending::kind::skipped: break;
  }
  return "not begun";
}

}  // namespace fmap::tool
