// SPDX-License-Identifier: BSD-3-Clause
// Workers answer, and die.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <sys/wait.h>
#include <unistd.h>

#include "tool/ui/messages.hpp"
#include "tool/worker/coprocesses.hpp"
#include "tool/worker/stall.hpp"

namespace fmap::tool {

namespace {

constexpr std::size_t error_tail_size = 2048;
constexpr std::size_t shown_bytes = 100;
constexpr std::size_t longest_error_line = 1u << 16;
constexpr int most_deaths = 5;  // outside any item
constexpr std::chrono::seconds deaths_within{10};

std::string called(const worker& w) { return "worker " + std::to_string(w.slot); }

}  // namespace

// -- what it says -----------------------------------------------------------------------------------

void coprocesses::read_answers(worker& w) {
  static thread_local std::string bytes(65536, '\0');
  if (w.out < 0) return;
  const ssize_t got = ::read(w.out, bytes.data(), bytes.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    poller_.unwatch(w.out);
    ::close(std::exchange(w.out, -1));
    // Nobody answers any more.
    if (!w.reaped && !custody_.open(w.number).empty())
      climb(w, w.end_it.begin(clock::now(), options_.kill_after));
    return;
  }
  if (!w.broke.empty()) return;  // what it says makes no sense any more
  w.says.feed({bytes.data(), static_cast<std::size_t>(got)});
  w.last_sign = clock::now();
  try {
    if (!take_answers(w)) return;
  } catch (const protocol_error& e) {
    breaks(w, e.what(), e.bytes);
    return;
  }
  if (of_.memory != 0 && !w.retired && memory_of(w.process) > of_.memory) replace(w);
}

/// Whether there was one.
bool coprocesses::take_answers(worker& w) {
  if (!w.ready) {
    const auto line = w.says.first_line();
    if (!line) return false;
    if (*line != *of_.ready) throw protocol_error{"it is not ready but says", *line};
    w.ready = true;
    w.since = w.last_sign;
    flush(w);
  }
  std::size_t many = 0;
  while (auto a = w.says.next()) {
    take_answer(w, std::move(*a));
    ++many;
  }
  if (many == 0) return false;
  const auto took = std::chrono::duration<double>(w.last_sign - w.since).count();
  const double each = std::max(took / static_cast<double>(many), 1e-8);
  w.seconds_each = w.seconds_each <= 0 ? each : w.seconds_each * 0.75 + each * 0.25;
  w.since = w.last_sign;
  return true;
}

void coprocesses::take_answer(worker& w, answer a) {
  const auto item = custody_.answered(w.number, a.seq);
  if (!item) {
    const std::string text = a.failed ? a.error : a.output;
    throw protocol_error{a.seq ? "an answer to question " + std::to_string(*a.seq)
                                     + ", which it has not been asked"
                               : "one answer more than there were questions",
                         text};
  }
  job& j = *jobs_.at(*item).what;
  w.open_bytes -= std::min(w.open_bytes, whole(j.what).size());
  w.last_answered = name_of(j.what);
  j.used.wall = w.last_sign - w.since;
  ending how{ending::kind::exited, a.failed ? 1 : 0, false, false, {}};
  if (!a.output.empty()) to_.put(j, stream_of::out, a.output);
  if (!a.error.empty()) to_.put(j, stream_of::err, a.error);
  settle(*item, std::move(how));
}

/// It is ended: nothing that it says is believed any more.
void coprocesses::breaks(worker& w, const std::string& what, std::string_view bytes) {
  const auto& open = custody_.open(w.number);
  std::string text = called(w) + " breaks the protocol: " + what + ": '"
                     + for_people(bytes.substr(0, shown_bytes)) + "'";
  if (!open.empty())
    text += ", at " + name_of(jobs_.at(open.front()).what->what);
  else if (!w.last_answered.empty())
    text += ", after " + w.last_answered;
  say(text);
  if (open.empty()) in_doubt_ = true;  // which of its answers was one too many is not known
  w.broke = what;
  if (!w.reaped) climb(w, w.end_it.begin(clock::now(), options_.kill_after, true));
}

void coprocesses::read_errors(worker& w) {
  static thread_local std::string bytes(65536, '\0');
  if (w.err < 0) return;
  const ssize_t got = ::read(w.err, bytes.data(), bytes.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    poller_.unwatch(w.err);
    ::close(std::exchange(w.err, -1));
  } else {
    const std::string_view read{bytes.data(), static_cast<std::size_t>(got)};
    w.error_line += read;
    w.error_tail += read;
    w.error_tail.erase(0, w.error_tail.size() - std::min(w.error_tail.size(), error_tail_size));
  }
  pass_lines(w, got <= 0);
}

/// Its standard error, line by line.
void coprocesses::pass_lines(worker& w, bool over) {
  const std::string before = "[" + called(w) + "] ";
  std::string text;
  std::size_t at = 0;
  for (auto end = w.error_line.find('\n'); end != std::string::npos;
       end = w.error_line.find('\n', at)) {
    text += before + w.error_line.substr(at, end + 1 - at);
    at = end + 1;
  }
  w.error_line.erase(0, at);
  if (!w.error_line.empty() && (over || w.error_line.size() > longest_error_line))
    text += before + std::exchange(w.error_line, {}) + "\n";
  pass_on(text);
}

// -- how it ends ------------------------------------------------------------------------------------

void coprocesses::reap(worker& w) {
  if (w.reaped || ::waitpid(w.process, &w.status, WNOHANG) != w.process) return;
  w.reaped = true;
  w.last_sign = clock::now();
  poller_.unwatch(w.handle);
  ::close(std::exchange(w.handle, -1));
  close_input(w);
}

void coprocesses::close_outputs(worker& w) {
  while (w.err >= 0) {  // what there is
    const std::size_t before = w.error_tail.size() + w.error_line.size();
    read_errors(w);
    if (w.error_tail.size() + w.error_line.size() == before) break;
  }
  pass_lines(w, true);
  for (int* end : {&w.out, &w.err}) {
    if (*end < 0) continue;
    poller_.unwatch(*end);
    ::close(std::exchange(*end, -1));
  }
}

ending coprocesses::end_of(const worker& w) const {
  ending e;
  e.timed_out = w.timed_out;
  e.cut_off = w.cut_off;
  if (!w.broke.empty()) {
    e.how = ending::kind::lost;
    e.why = "its worker breaks the protocol: " + w.broke;
  } else if (WIFSIGNALED(w.status)) {
    e.how = ending::kind::signalled;
    e.code = WTERMSIG(w.status);
  } else if (WEXITSTATUS(w.status) != 0) {
    e.how = ending::kind::exited;
    e.code = WEXITSTATUS(w.status);
  } else {
    e.how = ending::kind::lost;
    e.why = "its worker has ended without an answer";
  }
  return e;
}

void coprocesses::gone(id which) {
  const auto found = workers_.find(which);
  const std::unique_ptr<worker> w = std::move(found->second);
  close_outputs(*w);
  if (w->broke.empty() && !w->says.begun().empty() && custody_.open(which).empty())
    breaks(*w, "bytes after its last answer", w->says.begun());
  workers_.erase(found);
  if (guard_ != nullptr && w->slot <= guard_->size()) guard_->of(w->slot).store(0);
  slots_.give_back(w->slot);
  const ending how = end_of(*w);
  const std::deque<id> open = custody_.open(which);
  if (open.empty() || !w->ready) {
    custody_.returned(which);
    died_idle(*w);
    return;
  }
  job& first = *jobs_.at(open.front()).what;
  first.end = how;
  first.error_tail = w->error_tail;
  if (how.how == ending::kind::signalled) first.signals.push_back(how.code);
  const auto loss = custody_.lost(which, how.timed_out && !of_.retries_timeouts);
  if (loss.convicted) {
    complete(*loss.convicted, how);
  } else if (options_.verbose && loss.suspect && !draining_) {
    say(called(*w) + ": " + reason(how) + "; " + name_of(first.what) + " is tried again");
  }
  if (!draining_) return;
  for (const id item : custody_.take_back()) {
    ending skipped;
    skipped.cut_off = true;
    complete(item, skipped);
  }
}

/// It had no item.
void coprocesses::died_idle(const worker& w) {
  const bool well = w.broke.empty() && WIFEXITED(w.status) && WEXITSTATUS(w.status) == 0;
  if (w.cut_off || draining_ || (w.retired && well)) return;
  const ending how = end_of(w);
  if (w.retired && w.broke.empty()) {
    say(called(w) + ": " + reason(how) + " after its last answer");
    return;
  }
  const auto now = clock::now();
  deaths_.push_back(now);
  while (deaths_.front() + deaths_within < now) deaths_.pop_front();
  if (deaths_.size() <= most_deaths) return;
  std::string text = "workers end before they have been asked anything: "
                     + (how.why.empty() ? reason(how) : how.why);
  const std::string last = last_line(w.error_tail);
  if (!last.empty()) text += ": " + last;
  terminate_all(false);
  broken_(text);
}

// -- items ------------------------------------------------------------------------------------------

/// It has been answered.
void coprocesses::settle(id item, ending how) {
  job& j = *jobs_.at(item).what;
  if (failed(how) && !draining_ && options_.retry.tries_again(how, j.attempts)) {
    j.end = how;
    to_.drop(j);
    const double share = std::uniform_real_distribution<>{0, 1}(random_);
    later_.emplace(clock::now() + options_.retry.pause(j.attempts, share), item);
    return;
  }
  complete(item, std::move(how));
}

void coprocesses::complete(id item, ending how) {
  const auto found = jobs_.find(item);
  order o = std::move(found->second);
  jobs_.erase(found);
  job& j = *o.what;
  if (j.used.arguments.empty()) j.used.arguments = words_;
  if (how.how != ending::kind::skipped) {
    ++finished_;
    if (options_.ended && j.what.saved == nullptr) options_.ended(j, how);
    count(how);
  }
  j.handed = true;
  to_.ended(j, std::move(how));
  unwritten_.fetch_add(1);
  o.promised.set_value(o.what);
}

void coprocesses::climb(worker& w, ladder::step step) {
  switch (step) {
    case ladder::step::none: return;
    case ladder::step::terminate:
      ::kill(-w.process, SIGTERM);
      ::kill(-w.process, SIGCONT);
      return;
    case ladder::step::kill: ::kill(-w.process, SIGKILL); return;
    case ladder::step::give_up: break;
  }
  close_outputs(w);
  close_input(w);
  if (w.reaped) return;
  poller_.unwatch(w.handle);
  ::close(std::exchange(w.handle, -1));
  w.reaped = true;
  w.status = SIGKILL;
}

/// What time has brought for it.
void coprocesses::look_at(worker& w, clock::time_point now) {
  const auto limit = options_.limit.value();
  const bool asked = !custody_.open(w.number).empty();
  if (asked && limit && !w.end_it.begun() && !w.reaped && now >= w.since + *limit) {
    w.timed_out = true;
    climb(w, w.end_it.begin(now, options_.kill_after));
  }
  climb(w, w.end_it.pass(now));
  if (w.reaped && w.out >= 0 && now >= w.last_sign + options_.linger) close_outputs(w);
  if (asked && !w.reaped && w.in >= 0 && now >= w.last_sign + stall_pause) look_for_stall(w, now);
}

/// It has been given all, and waits for more.
void coprocesses::look_for_stall(worker& w, clock::time_point now) {
  w.last_sign = now;  // until it is looked at again
  if (w.written < w.to_write.size() || !w.ready || !sleeps_in_read(w.process)) return;
  if (!std::exchange(keeps_answers_, true))
    say(called(w) + " does not answer but waits for more: it keeps its answers in a buffer. "
        + std::string{flush_advice});
  else if (!w.retired && (!custody_.next() || custody_.open(w.number).size() > 1))
    retire(w);  // the end of its input makes it write
}

}  // namespace fmap::tool
