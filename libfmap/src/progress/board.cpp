// SPDX-License-Identifier: BSD-3-Clause
// The bars' thread.
#include "src/progress/board.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

namespace fmap::detail {

namespace {

constexpr std::chrono::seconds json_pause{1};

}  // namespace

bar::bar(std::function<map_stats()> figures, progress_options given, mode how)
    : how{how}, options{std::move(given)}, figures_{std::move(figures)} {
  now_.label = harmless(options.label);
  now_.unit = harmless(options.unit);
  now_.shows_left = options.eta;
  due = bar_clock::now()
        + (how == mode::json ? std::chrono::nanoseconds{json_pause}
                             : std::min<std::chrono::nanoseconds>(options.lines_every, for_ever));
}

const bar_figures& bar::look() {
  const map_stats s = figures_();
  now_.done = s.ready + s.taken;
  now_.taken = s.taken;
  now_.failed = s.failed;
  now_.in_flight = s.in_flight;
  now_.buffersize = s.buffersize;
  now_.total = options.total ? options.total : s.total;
  now_.elapsed = s.elapsed;
  pace_.note(now_.done, s.workers != 0 ? s.workers : s.buffersize, s.elapsed);
  now_.rate = pace_.rate();
  now_.left = now_.total ? pace_.left(*now_.total) : std::nullopt;
  return now_;
}

board& board::instance() {
  static board& only = *new board;
  return only;
}

void board::add(bar& b) {
  const guard lock{mutex_};
  bars_.push_back(&b);
  if (b.how == bar::mode::drawn) screen_of(b.options.to).due = bar_clock::now();
  if (running_ == 0) {
    try {
      thread_ = std::thread{[this, id = ++threads_] { run(id); }};
      running_ = threads_;
    } catch (const std::system_error&) {
      // Without a thread there is the closing line.
    }
  }
  changed_.notify_one();
}

void board::finish(bar& b, bool stopped) noexcept {
  std::thread over;
  {
    const guard lock{mutex_};
    const auto at = std::find(bars_.begin(), bars_.end(), &b);
    if (at == bars_.end()) return;
    bars_.erase(at);
    try {
      close(b, stopped);
    } catch (...) {
      // There is no memory to say it with.
    }
    if (bars_.empty()) {
      running_ = 0;
      over = std::move(thread_);
      changed_.notify_one();
    }
  }
  if (over.joinable()) over.join();
}

/// The last that is drawn of it.
void board::close(bar& b, bool stopped) {
  const bar_figures& f = b.look();
  if (f.total && f.taken < *f.total) stopped = true;
  std::FILE* const to = b.options.to;
  switch (b.how) {
    case bar::mode::none: return;
    case bar::mode::json: return say(to, json_line(f));
    case bar::mode::lines:
      if (b.options.keep) say(to, closing_line(f, stopped));
      return;
    case bar::mode::drawn:
      draw(screen_of(to),
           b.options.keep ? std::vector{closing_line(f, stopped)} : std::vector<std::string>{});
      if (std::none_of(bars_.begin(), bars_.end(), [to](const bar* other) {
            return other->how == bar::mode::drawn && other->options.to == to;
          }))
        screens_.remove_if([to](const bar_screen& s) { return s.to == to; });
  }
}

void board::print(std::string_view line) noexcept {
  try {
    const guard lock{mutex_};
    const std::string text{line};
    bool drawn = false;
    for (bar_screen& s : screens_) {
      if (s.shown.empty() || s.gone) continue;
      draw(s, {text});
      drawn = true;
    }
    if (!drawn) say(stderr, text);
  } catch (...) {
    // There is no memory to say it with.
  }
}

void board::run(std::uint64_t thread) {
  guard lock{mutex_};
  while (running_ == thread) {
    auto next = bar_clock::now() + json_pause;
    try {
      next = draw_what_is_due(bar_clock::now());
    } catch (...) {
      // There was no memory for a line: the next time there may be.
    }
    changed_.wait_until(lock, next);
  }
}

bar_clock::time_point board::draw_what_is_due(bar_clock::time_point now) {
  auto next = now + std::chrono::hours{1};
  for (bar* const b : bars_) {
    if (b->how == bar::mode::drawn) {
      bar_screen& s = screen_of(b->options.to);
      if (!s.gone && s.due <= now) draw(s, {});
      next = std::min(next, s.gone ? next : s.due);
    } else {
      if (b->due <= now) {
        const bar_figures& f = b->look();
        const double share = f.total && *f.total != 0
                                 ? static_cast<double>(f.done) / static_cast<double>(*f.total)
                                 : 1;
        if (b->how == bar::mode::json) {
          say(b->options.to, json_line(f));
          b->due = now + json_pause;
        } else if (share >= b->next_share || !f.total) {
          say(b->options.to, log_line(f));
          b->due = now + std::min<std::chrono::nanoseconds>(b->options.lines_every, for_ever);
          b->next_share = share + 0.1;
        } else {
          b->due = now + json_pause;  // the tenth is not there yet
        }
      }
      next = std::min(next, b->due);
    }
  }
  return next;
}

bar_screen& board::screen_of(std::FILE* to) {
  const auto at = std::find_if(screens_.begin(), screens_.end(),
                               [to](const bar_screen& s) { return s.to == to; });
  if (at != screens_.end()) return *at;
  screens_.emplace_back().to = to;
  return screens_.back();
}

/// All bars of a stream, below what is to stay `above` them.
void board::draw(bar_screen& s, const std::vector<std::string>& above) {
  const terminal_size size = size_of(s.to);
  std::vector<std::string> lines;
  auto pause = std::chrono::nanoseconds::max();
  for (bar* const b : bars_) {
    if (b->how != bar::mode::drawn || b->options.to != s.to) continue;
    pause = std::min<std::chrono::nanoseconds>(pause, b->options.every);
    if (size.height == 0 || lines.size() + 1 < size.height)
      lines.push_back(bar_line(b->look(), {size.width, utf8_}));
  }
  s.due = bar_clock::now() + std::min<std::chrono::nanoseconds>(pause, std::chrono::hours{1});
  if (!s.gone) s.gone = !write_to(s.to, s.shown.redraw(above, lines, size.width));
}

/// A line where there is no bar.
void board::say(std::FILE* to, const std::string& line) { write_to(to, line + "\n"); }

}  // namespace fmap::detail
