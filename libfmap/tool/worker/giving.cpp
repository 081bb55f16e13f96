// SPDX-License-Identifier: BSD-3-Clause
// Workers are started, and given items.
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <utility>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tool/launch/child.hpp"
#include "tool/launch/pipe.hpp"
#include "tool/ui/messages.hpp"
#include "tool/worker/coprocesses.hpp"

namespace fmap::tool {

namespace {

constexpr std::size_t deepest = 4096;         // items given ahead
constexpr std::size_t most_bytes = 32 << 10;  // of them
constexpr double given_for = 0.001;           // seconds that what is given ahead lasts
constexpr std::chrono::milliseconds start_pause{100};

}  // namespace

std::string coprocesses::text_of(const item& i) const { return whole(i); }

std::size_t coprocesses::size_of(id item) const { return whole(jobs_.at(item).what->what).size(); }

/// Starts workers, and gives each as much as it is to have.
void coprocesses::serve() {
  if (!draining_) {
    std::size_t taken = 0;  // slots; one that is replaced has given up its own
    for (const auto& [number, w] : workers_) {
      if (!w->retired && !w->reaped && !w->end_it.begun()) give_some(*w);
      if (!w->replaced) ++taken;
    }
    // What a death is to be explained by goes first: the slot of the one that died is free.
    for (; custody_.has_trial() && taken < options_.jobs; ++taken)
      if (!start_worker(true)) return;
    for (; custody_.next() && taken < options_.jobs && may_give(*custody_.next()); ++taken)
      if (!start_worker(false)) return;
  }
  if ((!no_more_ && !draining_) || !later_.empty() || !custody_.empty()) return;
  for (const auto& [number, w] : workers_)
    if (!w->retired) retire(*w);
}

/// Or too much waits to be written, unless it is this one that all wait for.
bool coprocesses::may_give(id item) {
  const auto can = [&] {
    if (to_.in_memory() < of_.buffer_bytes) return true;
    return options_.ordered ? item == jobs_.begin()->first : unwritten_.load() == 0;
  };
  if (can()) return true;
  paused_.store(true);  // what is written from here on wakes us
  return can();
}

std::size_t coprocesses::depth_of(const worker& w) const {
  if (of_.depth != 0) return of_.depth;
  if (keeps_answers_) return deepest;
  if (w.seconds_each <= 0) return 1;
  return std::clamp<std::size_t>(static_cast<std::size_t>(given_for / w.seconds_each), 1, deepest);
}

void coprocesses::give_some(worker& w) {
  if (!w.ready) return;
  const std::size_t depth = depth_of(w);
  const std::size_t open = custody_.open(w.number).size();
  // A batch is a question of its own: a new one when half of the last has been answered.
  if (of_.kind == protocol_kind::batches && open * 2 > depth) return;
  std::vector<id> given;
  while (open + given.size() < depth && custody_.next()) {
    const id item = *custody_.next();
    const std::size_t bytes = size_of(item);
    if (open + given.size() > 0 && w.open_bytes + bytes > most_bytes) break;
    if (of_.items != 0 && w.given >= of_.items) break;
    if (!may_give(item)) break;
    w.open_bytes += bytes;
    ++w.given;
    given.push_back(custody_.give(w.number));
  }
  if (given.empty()) return;
  if (open == 0) w.since = clock::now();
  ask(w, given);
  if (of_.items != 0 && w.given >= of_.items) replace(w);
  if (depth > widest_) {
    widest_ = depth;
    if (widen_) widen_(2 * depth * options_.jobs + 16);
  }
}

void coprocesses::ask(worker& w, const std::vector<id>& items) {
  std::vector<question> questions;
  std::vector<std::string> texts;
  texts.reserve(items.size());
  for (const id number : items) {
    job& j = *jobs_.at(number).what;
    if (j.attempts++ == 0) j.used.started = std::chrono::system_clock::now();
    j.used.attempts = j.attempts;
    j.used.slot = w.slot;
    if (j.attempts == 1 && options_.began) options_.began(j, w.process);
    texts.push_back(text_of(j.what));
    questions.push_back({number, texts.back(), of_.json_items, j.attempts});
  }
  w.to_write += protocol_.words(questions);
  w.last_sign = clock::now();
  flush(w);
}

/// Its input ends behind what it has been given.
void coprocesses::retire(worker& w) {
  w.retired = true;
  flush(w);
}

/// Another one is started in its place before it has ended.
void coprocesses::replace(worker& w) {
  w.replaced = true;
  retire(w);
}

void coprocesses::flush(worker& w) {
  if (!w.ready) return;
  while (w.in >= 0 && w.written < w.to_write.size()) {
    const ssize_t n = ::write(w.in, w.to_write.data() + w.written, w.to_write.size() - w.written);
    if (n > 0) {
      w.written += static_cast<std::size_t>(n);
      w.last_sign = clock::now();
    } else if (n < 0 && errno == EAGAIN) {
      if (!std::exchange(w.watches_in, true)) poller_.watch(w.in, tag(w.number, about::in), true);
      return;
    } else if (n < 0 && errno != EINTR) {
      close_input(w);  // it reads no more: its end says the rest
      w.retired = true;
    }
  }
  w.to_write.clear();
  w.written = 0;
  if (w.in >= 0 && std::exchange(w.watches_in, false)) poller_.unwatch(w.in);
  if (w.retired) close_input(w);
}

void coprocesses::close_input(worker& w) {
  if (w.in < 0) return;
  if (std::exchange(w.watches_in, false)) poller_.unwatch(w.in);
  ::close(std::exchange(w.in, -1));
}

/// False: there is no process to be had now.
bool coprocesses::start_worker(bool trial) {
  if (start_again_ && clock::now() < *start_again_) return false;
  start_again_.reset();
  auto made = std::make_unique<worker>(protocol_);
  worker& w = *made;
  w.number = ++serial_;
  w.slot = slots_.take();
  w.began = w.last_sign = w.since = clock::now();
  w.ready = !of_.ready;
  int error = 0;
  if (!start_process(w, error)) {
    for (int* end : {&w.in, &w.out, &w.err}) close_if_open(*end);
    slots_.give_back(w.slot);
    if (error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE) {
      start_again_ = clock::now() + start_pause;
      return false;
    }
    const id first = trial ? custody_.give_trial(w.number).front() : custody_.give(w.number);
    complete(first, {ending::kind::not_started, error, false, false, words_.front()});
    (void)custody_.answered(w.number);
    custody_.returned(w.number);
    drain();
    return false;
  }
  workers_.emplace(w.number, std::move(made));
  poller_.watch(w.handle, tag(w.number, about::process));
  poller_.watch(w.out, tag(w.number, about::out));
  poller_.watch(w.err, tag(w.number, about::err));
  if (trial) {
    const auto& items = custody_.give_trial(w.number);
    w.given = items.size();
    ask(w, {items.begin(), items.end()});
    retire(w);
  } else {
    give_some(w);
  }
  return true;
}

bool coprocesses::start_process(worker& w, int& error) {
  int in = -1, out = -1, err = -1;
  error = make_pipe(w.in, in, true);
  if (error == 0) error = make_pipe(w.out, out, false);
  if (error == 0) error = make_pipe(w.err, err, false);
  if (error == 0) {
    if (options_.show_commands) say_command(words_);
    std::vector<std::string> environment = options_.environment;
    environment.push_back("FMAP_SLOT=" + std::to_string(w.slot));
    child_options o;
    o.arguments = &words_;
    o.environment = &environment;
    o.in = in;
    o.out = out;
    o.err = err;
    o.dies_with_us = guard_ != nullptr;
    if (guard_ != nullptr && w.slot <= guard_->size()) o.seat = &guard_->of(w.slot);
    if (options_.files) o.files = &*options_.files;
    o.surroundings = &options_.surroundings;
    const started s = tool::start(o);
    w.process = s.process;
    error = s.error;
  }
  for (int* end : {&in, &out, &err}) close_if_open(*end);
  if (w.process < 0) return false;
  w.handle = static_cast<int>(::syscall(SYS_pidfd_open, w.process, 0));
  return true;
}

}  // namespace fmap::tool
