// SPDX-License-Identifier: BSD-3-Clause
// The launcher sees commands end, and ends those that run too long.
#include <cerrno>
#include <csignal>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool/command/shell_context.hpp"
#include "tool/launch/launcher.hpp"
#include "tool/ui/messages.hpp"

namespace fmap::tool {

namespace {

/// How often to look for what is left of a group that was told to end.
constexpr std::chrono::milliseconds group_poll{50};

std::chrono::nanoseconds time_of(const timeval& t) {
  return std::chrono::seconds{t.tv_sec} + std::chrono::microseconds{t.tv_usec};
}

}  // namespace

void launcher::reap(running& r) {
  if (r.reaped) return;
  int status = 0;
  rusage taken{};
  if (::wait4(r.process, &status, WNOHANG, &taken) != r.process) return;
  r.reaped = true;
  r.last_sign = clock::now();
  unwatch(r.handle);
  ::close(std::exchange(r.handle, -1));
  close_input(r);
  usage& used = r.of.what->used;
  used.wall = r.last_sign - r.began;
  used.user = time_of(taken.ru_utime);
  used.system = time_of(taken.ru_stime);
  used.maxrss_kb = taken.ru_maxrss;
  if (WIFSIGNALED(status)) {
    r.end.how = ending::kind::signalled;
    r.end.code = WTERMSIG(status);
  } else {
    r.end.how = ending::kind::exited;
    r.end.code = WEXITSTATUS(status);
  }
  if (r.end_it.begun()) r.look_at_group = r.last_sign;
}

/// Others of the group may go on when its first process has ended; those that were told to end are seen out.
void launcher::finish_if_over(running& r) {
  if (!r.reaped || r.is_open()) return;
  if (r.look_at_group && r.own_group) {
    while (::waitpid(-r.process, nullptr, WNOHANG) > 0) {}  // where we are init
    if (::kill(-r.process, 0) == 0) return;
  }
  if (guard_ != nullptr && r.slot <= guard_->size()) guard_->of(r.slot).store(0);
  slots_.give_back(r.slot);
  if (options_.ungrouped && r.end.how == ending::kind::signalled && r.end.code == SIGPIPE) {
    pollfd out{STDOUT_FILENO, 0, 0};
    r.end.output_closed = ::poll(&out, 1, 0) > 0 && (out.revents & POLLERR) != 0;
  }
  r.of.what->used.sent = r.sent;
  if (!failed(r.end)) {
    r.end.cut_off = false;
    options_.limit.note(r.of.what->used.wall);
    if (options_.succeeded) options_.succeeded(many(r.runs()), r.of.what->used.wall);
  }
  order o = std::move(r.of);
  ending e = std::move(r.end);
  running_.erase(r.serial);
  settle(std::move(o), std::move(e));
}

/// A try has ended, or could not be begun.
void launcher::settle(order o, ending e) {
  if (goes_on(o, e)) return;
  job& j = *o.what;
  if (!j.blamed.empty()) {
    e = j.blamed.front().second;
    name_blamed(j);
  }
  complete(o, std::move(e));
}

/// What is recorded is the command for those that failed, and no other.
void launcher::name_blamed(job& j) {
  std::vector<item> members;
  members.reserve(j.blamed.size());
  for (const auto& [member, how] : j.blamed) members.push_back(j.what.members[member]);
  try {
    j.used.arguments = command_(joined(std::move(members), j.what.number), j.used.slot);
  } catch (const not_runnable&) {
    // It was run as a part of others: this does not happen.
  }
}

/// Whether there is more to be done for the item: another try, or other pieces.
bool launcher::goes_on(order& o, const ending& e) {
  job& j = *o.what;
  j.end = e;
  if (e.how == ending::kind::signalled) j.signals.push_back(e.code);
  if (failed(e) && !e.cut_off) {
    if (try_later(o, e) || split(o, e)) return true;
    const auto [first, last] = j.left.back();
    for (std::size_t m = first; options_.split_failed && m < last; ++m) j.blamed.emplace_back(m, e);
  }
  j.left.pop_back();
  if (j.left.empty() || e.cut_off) return false;
  to_.keep(j);
  j.attempts = 0;
  put_back(std::move(o));
  return true;
}

bool launcher::try_later(order& o, const ending& e) {
  job& j = *o.what;
  if (draining_ || !options_.retry.tries_again(e, j.attempts)) return false;
  if (j.handed) {
    say(name_of(j.what)
        + ": is not tried again: there was no room to hold its output, so it has been written "
          "already");
    return false;
  }
  const double share = std::uniform_real_distribution<>{0, 1}(random_);
  const auto pause = options_.retry.pause(j.attempts, share);
  if (options_.verbose)
    say(name_of(j.what) + ": " + reason(e) + ", try " + std::to_string(j.attempts + 1) + " of "
        + std::to_string(options_.retry.tries) + " in "
        + std::to_string(std::chrono::ceil<std::chrono::milliseconds>(pause).count()) + " ms");
  later_.emplace(clock::now() + pause, std::move(o));
  return true;
}

/// By halves, the first one first.
bool launcher::split(order& o, const ending& e) {
  job& j = *o.what;
  const auto [first, last] = j.left.back();
  if (!options_.split_failed || draining_ || last - first < 2) return false;
  if (e.how == ending::kind::not_started || j.handed) return false;
  const std::size_t middle = first + (last - first) / 2;
  j.left.back() = {middle, last};
  j.left.emplace_back(first, middle);
  j.attempts = 0;
  if (options_.lines == nullptr) to_.drop(j);
  put_back(std::move(o));
  return true;
}

void launcher::count(const job& j, const ending& e) {
  if (e.cut_off || e.how == ending::kind::not_started) return;
  const std::uint64_t items = many(j.what);
  const std::uint64_t bad = !failed(e) ? 0 : j.blamed.empty() ? items : j.blamed.size();
  switch (options_.halt.note(items, bad, options_.total)) {
    case halt_rule::what::never: return;
    case halt_rule::what::soon:
      stop_for(options_.halt.good() ? stop::halted_well : stop::halted);
      return;
    case halt_rule::what::now:
      stop_for(options_.halt.good() ? stop::halted_well : stop::halted);
      if (!terminating_) terminate_all(false);
  }
}

void launcher::send(const running& r, int signal) {
  if (const pid_t target = r.target(); target != 0) ::kill(target, signal);
}

void launcher::climb(running& r, ladder::step step) {
  switch (step) {
    case ladder::step::none: return;
    case ladder::step::terminate:
      send(r, SIGTERM);
      send(r, SIGCONT);
      break;
    case ladder::step::kill: send(r, SIGKILL); break;
    case ladder::step::give_up:
      close_stream(r, stream_of::out);
      close_stream(r, stream_of::err);
      close_input(r);
      r.look_at_group.reset();
      if (!r.reaped) {
        unwatch(r.handle);
        ::close(std::exchange(r.handle, -1));
        r.reaped = true;
        r.end.how = ending::kind::signalled;
        r.end.code = SIGKILL;
      }
      return;
  }
  if (r.reaped) r.look_at_group = clock::now();
}

/// What time has brought for it.
void launcher::look_at(running& r, clock::time_point now) {
  const auto limit = options_.limit.value();
  if (limit && !r.end_it.begun() && !r.reaped && now >= r.began + *limit) {
    r.end.timed_out = true;
    climb(r, r.end_it.begin(now, options_.kill_after));
  }
  climb(r, r.end_it.pass(now));
  if (r.look_at_group && now >= *r.look_at_group) r.look_at_group = now + group_poll;
  if (!r.reaped || !r.is_open() || now < r.last_sign + options_.linger) return;
  if (r.refused[0] || r.refused[1] || r.end_it.begun()) {
    r.last_sign = now;  // it may have more to say, or it is the ladder's turn
    return;
  }
  if (!std::exchange(lingered_, true))
    say(name_of(r.runs())
        + ": has ended, but a process that it left behind holds its output open: given up");
  close_stream(r, stream_of::out);
  close_stream(r, stream_of::err);
}

}  // namespace fmap::tool
