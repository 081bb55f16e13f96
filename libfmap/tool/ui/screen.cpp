// SPDX-License-Identifier: BSD-3-Clause
// The bottom line of standard error.
#include "tool/ui/screen.hpp"

#include <atomic>
#include <cerrno>
#include <mutex>
#include <string_view>

#include <sys/ioctl.h>
#include <unistd.h>

namespace fmap::tool::screen {

namespace {

std::atomic<bool> used{false};
std::recursive_mutex mutex;
bool shown = false;

void put(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(STDERR_FILENO, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

constexpr std::string_view erase = "\r\033[K";

}  // namespace

void use() { used = true; }

quiet::quiet() : locked_{used} {
  if (!locked_) return;
  mutex.lock();
  if (shown) put(erase);
  shown = false;
}

quiet::~quiet() {
  if (locked_) mutex.unlock();
}

void show(const std::string& line) {
  std::lock_guard guard{mutex};
  if (line.empty() && !shown) return;
  put(std::string{erase} + line);
  shown = !line.empty();
}

std::size_t width() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

}  // namespace fmap::tool::screen
