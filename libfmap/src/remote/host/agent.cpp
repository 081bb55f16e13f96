// SPDX-License-Identifier: BSD-3-Clause
// The inside of a node: how it begins and ends, and its signs of life.

#include "src/remote/host/agent.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <utility>
#include <vector>

#include <unistd.h>

#include <fmap/detail/program_fingerprint.hpp>
#include <fmap/remote_error.hpp>

#include "src/core/host_name.hpp"
#include "src/kernel/pool_port.hpp"
#include "src/remote/environment.hpp"
#include "src/remote/host/exit_codes.hpp"
#include "src/remote/plain_text.hpp"
#include "src/remote/worker_exit.hpp"

namespace fmap::remote {

namespace {

/// A number of nanoseconds that somebody else has sent.
std::chrono::nanoseconds nanoseconds(std::uint64_t n) {
  return std::chrono::nanoseconds{
      static_cast<std::int64_t>(std::min(n, static_cast<std::uint64_t>(detail::for_ever.count())))};
}

/// Whether it was thrown in a worker process, by an initializer: it would be thrown in any.
bool everywhere(const std::exception_ptr& why) {
  try {
    std::rethrow_exception(why);
  } catch (const remote_origin&) {
    return true;
  } catch (...) {
    return false;
  }
}

/// What a node was started with is not for programs that its items start.
std::vector<std::string> environment_for_items(const std::vector<std::string>& more) {
  std::vector<std::string> result = environment_with({});
  std::erase_if(result, [](const std::string& entry) { return entry.starts_with("FMAP_"); });
  for (const std::string& entry : more) {
    const std::string name = entry.substr(0, entry.find('=') + 1);
    std::erase_if(result, [&](const std::string& other) { return other.starts_with(name); });
    result.push_back(entry);
  }
  return result;
}

}  // namespace

std::string agent::usual_name() { return detail::host_name() + ":" + std::to_string(::getpid()); }

agent::agent(uplink& up, agent_options options, make_processes make)
    : up_{up}, options_{std::move(options)}, host_{detail::host_name()}, name_{options_.name.empty()
                                                                                   ? usual_name()
                                                                                   : options_.name},
      make_processes_{std::move(make)} {}

void agent::greet() {
  frames::hello hello{detail::protocol_version, detail::program_fingerprint()};
  hello.host = host_;
  hello.pid = ::getpid();
  hello.name = name_;
  hello.workers = options_.workers;
  hello.incarnation = options_.incarnation;
  up_.send(hello);
}

bool agent::receive(frames::kind kind, wire::reader& r) {
  if (kind == frames::kind::refused) refused(r);
  if (kind == frames::kind::welcome) return welcome(r);
  if (kind == frames::kind::quit) quit(r);
  if (!core_) return false;
  switch (kind) {
    case frames::kind::open: return open(r);
    case frames::kind::batch: return batch(r);
    case frames::kind::close: return close(r);
    case frames::kind::beat: return take_beat(r);
    case frames::kind::leave: return leave(r);
    default: return false;
  }
}

bool agent::welcome(wire::reader& r) {
  frames::welcome frame;
  if (!frames::read(r, frame) || core_ || frame.heartbeat == 0) return false;
  process_settings s;
  s.threads = std::max(frame.threads, 1u);
  s.initializer = frame.initializer;
  s.max_items = frame.max_items;
  s.restarts = static_cast<std::size_t>(frame.restarts);
  s.restart_window = nanoseconds(frame.restart_window);
  s.environment = environment_for_items(frame.environment);
  s.nice = frame.nice;
  s.address_space_limit = frame.address_space_limit;
  largest_ = frame.largest_item;
  silence_ = nanoseconds(frame.silence);
  beats_.emplace(nanoseconds(frame.heartbeat), silence_, now_);
  core_ = make_processes_(options_.workers, std::move(s));
  up_.send(frames::started{});
  return true;
}

void agent::refused(wire::reader& r) {
  frames::refused frame;
  if (frames::read(r, frame))
    std::fprintf(stderr, "fmap: node %s refused by its pool: %s\n", name_.c_str(),
                 plain_text(frame.why).c_str());
  if (frame.later && options_.come_later != nullptr) options_.come_later();
  ::_exit(exit_refused);
}

/// What runs of closed runs nobody wants: its processes end with this one.
void agent::quit(wire::reader& r) {
  frames::quit frame;
  const bool again = frames::read(r, frame) && frame.again && !leave_by_;
  if (runs_.empty() && *unfinished_ == 0) core_.reset();
  if (again && options_.come_again != nullptr) options_.come_again();
  exit_in_order();
}

void agent::leave(beat::duration time, const std::string& why) {
  if (leave_by_ || !core_) ::_exit(exit_left);
  leave_by_ = now_ + std::min<beat::duration>(time, detail::for_ever);
  for (const auto& [there, s] : runs_) give_back(there, s);
  up_.send(frames::leaving{why, static_cast<std::uint64_t>(time.count())});
}

/// The pool's wish; a signal may have come before.
bool agent::leave(wire::reader& r) {
  frames::leave frame;
  if (!frames::read(r, frame)) return false;
  if (!leave_by_) leave(nanoseconds(frame.time), "its pool has asked it to leave");
  return true;
}

bool agent::take_beat(wire::reader& r) {
  frames::beat frame;
  if (!frames::read(r, frame)) return false;
  beats_->received(frame, now_);
  return true;
}

void agent::heard(beat::duration now) {
  now_ = now;
  if (beats_) beats_->heard(now);
}

bool agent::look(beat::duration now) {
  now_ = now;
  if (!beats_) return now <= silence_;
  if (kernel::pool_port{*core_->box}.broken()) give_up();
  if (leave_by_ && now > *leave_by_) {
    std::fprintf(stderr, "fmap: node %s leaves before all is done: its time is over\n",
                 name_.c_str());
    ::_exit(exit_left);
  }
  if (beats_->due(now)) up_.send_if_idle(beats_->next(now));
  return !beats_->silent(now);
}

int agent::pause(beat::duration now) const {
  if (!beats_) return 1000;
  if (!leave_by_) return beats_->pause(now);
  using std::chrono::milliseconds;
  const auto left = std::chrono::duration_cast<milliseconds>(*leave_by_ - now).count() + 1;
  return static_cast<int>(std::clamp<milliseconds::rep>(left, 0, beats_->pause(now)));
}

/// The pool here cannot go on. Also called by threads that send outcomes.
void agent::give_up() {
  const std::exception_ptr why = kernel::pool_port{*core_->box}.broken();
  up_.send(frames::broken{everywhere(why)}, encode_here(why));
  ::_exit(exit_broken);
}

}  // namespace fmap::remote
