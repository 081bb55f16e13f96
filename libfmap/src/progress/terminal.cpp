// SPDX-License-Identifier: BSD-3-Clause
// Terminals.
#include "src/progress/terminal.hpp"

#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <langinfo.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace fmap::detail {

namespace {

/// While it lives, a broken pipe sends this thread no signal.
class no_broken_pipes {
public:
  no_broken_pipes() {
    ::sigemptyset(&pipe_);
    ::sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    ::sigpending(&pending);
    was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  no_broken_pipes(const no_broken_pipes&) = delete;
  no_broken_pipes& operator=(const no_broken_pipes&) = delete;
  ~no_broken_pipes() {
    const timespec at_once{0, 0};
    if (!was_pending_)
      while (::sigtimedwait(&pipe_, nullptr, &at_once) < 0 && errno == EINTR) {}
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

private:
  sigset_t pipe_{}, before_{};
  bool was_pending_ = false;
};

constexpr int patience = 1000;  // milliseconds, for a terminal that does not block

}  // namespace

bool is_terminal(std::FILE* to) {
  const char* const kind = std::getenv("TERM");
  return ::isatty(::fileno(to)) == 1 && (kind == nullptr || std::strcmp(kind, "dumb") != 0);
}

terminal_size size_of(std::FILE* to) {
  winsize size{};
  if (::ioctl(::fileno(to), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return {};
  return {size.ws_col, size.ws_row};
}

bool is_utf8_locale() {
  const locale_t users = ::newlocale(LC_CTYPE_MASK, "", nullptr);
  if (users == nullptr) return false;
  const bool is = std::strcmp(::nl_langinfo_l(CODESET, users), "UTF-8") == 0;
  ::freelocale(users);
  return is;
}

bool write_to(std::FILE* to, std::string_view text) {
  const no_broken_pipes guard;
  if (std::fflush(to) != 0) return false;
  const int descriptor = ::fileno(to);
  if (descriptor < 0)  // it is in memory
    return std::fwrite(text.data(), 1, text.size(), to) == text.size() && std::fflush(to) == 0;
  while (!text.empty()) {
    const ssize_t n = ::write(descriptor, text.data(), text.size());
    if (n > 0) {
      text.remove_prefix(static_cast<std::size_t>(n));
    } else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      pollfd room{descriptor, POLLOUT, 0};
      if (::poll(&room, 1, patience) <= 0)
        return true;  // it is looked at again at the next drawing
    } else if (n == 0 || errno != EINTR) {
      return false;
    }
  }
  return true;
}

}  // namespace fmap::detail
