// SPDX-License-Identifier: BSD-3-Clause
// A worker process as its pool sees it: what it says.

#include <string>
#include <utility>

#include <fmap/detail/exception_codec.hpp>
#include <fmap/detail/program_fingerprint.hpp>
#include <fmap/errors.hpp>

#include "src/remote/session.hpp"

namespace fmap::remote {

/// False: it makes no sense.
bool session::receive(frames::kind kind, wire::reader& r) {
  watchdog_.progress(now());
  switch (kind) {
    case frames::kind::hello: return greet(r);
    case frames::kind::started:
      if (!life_.greeted || life_.ready) return false;
      shared_->budget.ready();
      return life_.ready = true;
    case frames::kind::outcomes:
      watchdog_.resume();
      prove();
      return transfer_->outcomes(r);
    case frames::kind::returned:
      if (!transfer_->returned(r)) return false;
      if (held().empty()) watchdog_.resume();
      return true;
    case frames::kind::broken: return broken(r);
    default: return false;
  }
}

bool session::greet(wire::reader& r) {
  frames::hello hello;
  if (!frames::read(r, hello) || life_.greeted) return false;
  const frames::hello ours{detail::protocol_version, detail::program_fingerprint()};
  if (hello == ours) return life_.greeted = true;
  life_.blameless = true;
  port_.break_up(std::make_exception_ptr(
      error{"fmap: a worker process runs another program: its protocol is "
            + std::to_string(hello.version) + " and its fingerprint " + hello.fingerprint
            + ", ours are " + std::to_string(ours.version) + " and " + ours.fingerprint}));
  return true;
}

bool session::broken(wire::reader& r) {
  frames::broken frame;
  if (!frames::read(r, frame)) return false;
  const std::exception_ptr why = detail::decode_exception(r);
  if (!why) return false;
  life_.blameless = true;
  port_.break_up(why);
  return true;
}

/// The peer can do what it is there for.
void session::prove() {
  if (std::exchange(life_.proven, true)) return;
  ++shared_->proven;
  port_.start_succeeded();
}

}  // namespace fmap::remote
