// SPDX-License-Identifier: BSD-3-Clause
// A node as its pool sees it: what it says, and what becomes of what it held.

#include <algorithm>
#include <exception>
#include <string>
#include <utility>

#include <fmap/detail/exception_codec.hpp>
#include <fmap/detail/program_fingerprint.hpp>

#include "src/remote/door/node_session.hpp"
#include "src/remote/door/objection.hpp"
#include "src/remote/plain_text.hpp"

namespace fmap::remote {

namespace {

/// How a command ended, for people.
std::string how_it_ended(const worker_death& d) {
  if (d.signal != 0) return "its command was killed by signal " + std::to_string(d.signal);
  return "its command exited with code " + std::to_string(d.exit_code);
}

}  // namespace

/// False: it makes no sense.
bool node_session::receive(frames::kind kind, wire::reader& r) {
  if (end_.how != node_end::kind::open) return true;
  if (kind == frames::kind::hello) return greet(r);
  if (!beats_) return false;
  if (kind == frames::kind::started) return join(r);
  if (kind == frames::kind::beat) return take_beat(r);
  if (kind == frames::kind::broken) return broken(r);
  if (!transfer_) return false;
  switch (kind) {
    case frames::kind::outcomes: return transfer_->outcomes(r);
    case frames::kind::returned: return transfer_->returned(r);
    case frames::kind::closed: return transfer_->closed(r);
    case frames::kind::leaving: return leaving(r);
    default: return false;
  }
}

bool node_session::greet(wire::reader& r) { return !beats_ && frames::read(r, who_) && let_in(); }

/// True: it has an answer.
bool node_session::let_in() {
  if (who_.name.empty()) who_.name = who_.host + ":" + std::to_string(who_.pid);
  if (std::string why = objection(who_, shared_->settings); !why.empty())
    return refuse(std::move(why));
  const frames::welcome& welcome = shared_->settings.welcome;
  weight_ = who_.workers * welcome.threads;
  if (!shared_->roster.comes(place_, who_.name, who_.host, who_.pid, who_.workers, weight_, bell_))
    return refuse(name_taken(who_.name));
  line_->limit(
      std::min<std::uint64_t>(frames::longest, welcome.largest_item + 8 * frames::full_size));
  line_->send(welcome);
  using std::chrono::nanoseconds;
  beats_.emplace(nanoseconds{welcome.heartbeat}, nanoseconds{welcome.silence}, now());
  return true;
}

bool node_session::refuse(std::string why) {
  line_->send(frames::refused{why});
  line_->flush();
  end(node_end::kind::refused, std::move(why));
  return true;
}

bool node_session::join(wire::reader& r) {
  frames::started frame;
  if (!frames::read(r, frame) || transfer_) return false;
  hold_ = kernel::hold_for(kernel::tuning::least_report, kernel::tuning::batch_remote);
  port_.join_node(bell_, {.capacity = any_number,
                          .weight = weight_,
                          .batch_time = kernel::tuning::batch_remote,
                          .is_node = true,
                          .hold = hold_});
  transfer_.emplace(port_, *line_, in_transit{peer_->seen_by(), suspects{}},
                    shared_->settings.welcome.largest_item);
  shared_->roster.joins(place_);
  return true;
}

bool node_session::take_beat(wire::reader& r) {
  frames::beat frame;
  if (!frames::read(r, frame)) return false;
  beats_->received(frame, now());
  if (!transfer_ || beats_->round_trip().count() == 0) return true;
  const auto report = kernel::report_after(shared_->roster.ready());
  const auto hold = kernel::hold_for(beats_->round_trip() + report, kernel::tuning::batch_remote);
  if (hold > hold_ + hold_ / 8 || hold < hold_ - hold_ / 8) port_.set_hold(hold_ = hold);
  return true;
}

bool node_session::broken(wire::reader& r) {
  frames::broken frame;
  if (!frames::read(r, frame)) return false;
  const std::exception_ptr why = detail::decode_exception(r);
  if (!why) return false;
  if (frame.everywhere) port_.break_up(why);
  end(node_end::kind::lost, "it cannot work: " + detail::describe(why));
  return true;
}

/// From now on it gets nothing. What it has not begun follows.
bool node_session::leaving(wire::reader& r) {
  frames::leaving frame;
  if (!frames::read(r, frame) || leaving_) return false;
  leaving_ = true;
  why_it_leaves_ = plain_text(std::move(frame.why));
  shared_->roster.leaves(place_, why_it_leaves_);
  return true;
}

/// Collects the peer, and decides on all it held.
void node_session::conclude() {
  if (started_) {
    constexpr std::chrono::milliseconds moment{100};
    if (gone_ || end_.how == node_end::kind::refused || quitting_)
      peer_->kill_if_alive(moment);
    else
      peer_->kill();
    const bool command = peer_->end_fd() >= 0;
    const worker_death death = peer_->reap();
    if (gone_ && command) end_.why += ": " + how_it_ended(death);
  }
  if (self_.id != 0) decide_on_all();
  transfer_.reset();
  line_.reset();
}

void node_session::decide_on_all() {
  if (transfer_) report();
  const bool pool_broken = port_.broken() != nullptr;
  const worker_death death{
      .signal = 0, .exit_code = -1, .host = who_.host, .pid = who_.pid, .reason = end_.why};
  port_.lost(
      [&](run_id run, std::uint64_t index) {
        return pool_broken || !transfer_ ? mark::waiting : held().state_of({run, index});
      },
      [&](const casualty& c) {
        return std::make_exception_ptr(node_lost{c.item.first, c.attempts, death, who_.name});
      });
}

}  // namespace fmap::remote
