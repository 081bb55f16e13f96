// SPDX-License-Identifier: BSD-3-Clause
// The inside of a node: how it begins and ends, and its signs of life.

#include "src/remote/host/agent.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <utility>

#include <unistd.h>

#include <fmap/detail/program_fingerprint.hpp>
#include <fmap/remote_error.hpp>

#include "src/kernel/pool_port.hpp"
#include "src/remote/environment.hpp"
#include "src/remote/host/exit_codes.hpp"
#include "src/remote/worker_exit.hpp"

namespace fmap::remote {

namespace {

std::string host_name() {
  char buffer[256] = "localhost";
  ::gethostname(buffer, sizeof buffer - 1);
  return buffer;
}

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

}  // namespace

void agent::greet() {
  frames::hello hello{detail::protocol_version, detail::program_fingerprint()};
  hello.host = host_name();
  hello.pid = ::getpid();
  hello.name = options_.name;
  hello.workers = options_.workers;
  up_.send(hello);
}

bool agent::receive(frames::kind kind, wire::reader& r) {
  if (kind == frames::kind::refused) refused(r);
  if (kind == frames::kind::welcome) return welcome(r);
  if (kind == frames::kind::quit) quit();
  if (!core_) return false;
  switch (kind) {
    case frames::kind::open: return open(r);
    case frames::kind::batch: return batch(r);
    case frames::kind::close: return close(r);
    case frames::kind::beat: return take_beat(r);
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
  s.environment = environment_with(frame.environment);
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
    std::fprintf(stderr, "fmap: node %s refused by its pool: %s\n", options_.name.c_str(),
                 frame.why.c_str());
  ::_exit(exit_refused);
}

/// What runs of closed runs nobody wants: its processes end with this one.
void agent::quit() {
  if (runs_.empty() && *unfinished_ == 0) core_.reset();
  exit_in_order();
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
  if (beats_->due(now)) up_.send_if_idle(beats_->next(now));
  return !beats_->silent(now);
}

int agent::pause(beat::duration now) const { return beats_ ? beats_->pause(now) : 1000; }

/// The pool here cannot go on. Also called by threads that send outcomes.
void agent::give_up() {
  const std::exception_ptr why = kernel::pool_port{*core_->box}.broken();
  up_.send(frames::broken{everywhere(why)}, encode_here(why));
  ::_exit(exit_broken);
}

}  // namespace fmap::remote
