// SPDX-License-Identifier: BSD-3-Clause
// The bar's thread.
#include "tool/ui/bar.hpp"

#include <clocale>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string_view>
#include <utility>

#include <langinfo.h>
#include <unistd.h>

#include "tool/ui/messages.hpp"
#include "tool/ui/screen.hpp"

namespace fmap::tool {

namespace {

constexpr std::chrono::milliseconds redraw_pause{100};
constexpr std::chrono::seconds log_pause{10};

bool is_utf8_locale() {
  const locale_t users = ::newlocale(LC_CTYPE_MASK, "", nullptr);
  if (users == nullptr) return false;
  const bool is = std::strcmp(::nl_langinfo_l(CODESET, users), "UTF-8") == 0;
  ::freelocale(users);
  return is;
}

}  // namespace

bool shows_colour() {
  const char* const no = std::getenv("NO_COLOR");
  const char* const terminal = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && (no == nullptr || *no == '\0') && terminal != nullptr
         && std::string_view{terminal} != "dumb";
}

bar::bar(std::function<progress()> figures, bool colour)
    : figures_{std::move(figures)}, terminal_{::isatty(STDERR_FILENO) == 1},
      began_{std::chrono::steady_clock::now()} {
  look_.utf8 = is_utf8_locale();
  look_.colour = colour;
  if (terminal_) screen::use();
  thread_ = std::thread{[this] { run(); }};
}

bar::~bar() {
  {
    std::lock_guard guard{mutex_};
    over_ = true;
  }
  over_changed_.notify_one();
  thread_.join();
  if (terminal_)
    screen::show({});
  else
    say(plain_line(now()));
}

progress bar::now() {
  progress p = figures_();
  p.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now()
                                                                    - began_);
  p.rate = rate_.note(p.done, p.elapsed);
  p.now = std::time(nullptr);
  return p;
}

void bar::run() {
  std::unique_lock lock{mutex_};
  const std::chrono::milliseconds pause =
      terminal_ ? redraw_pause : std::chrono::milliseconds{log_pause};
  while (!over_changed_.wait_for(lock, pause, [this] { return over_; })) {
    lock.unlock();
    if (terminal_) {
      look_.width = screen::width();
      screen::show(bar_line(now(), look_));
    } else {
      say(plain_line(now()));
    }
    lock.lock();
  }
}

}  // namespace fmap::tool
