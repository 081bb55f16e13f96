// SPDX-License-Identifier: BSD-3-Clause
// One place of a node_pool: lives of a node, one after the other.

#include "src/remote/door/launcher.hpp"

#include <algorithm>
#include <exception>
#include <string>
#include <thread>
#include <utility>

#include <fmap/errors.hpp>

#include "src/kernel/pool_port.hpp"
#include "src/kernel/remote_port.hpp"
#include "src/remote/command_peer.hpp"

namespace fmap::remote {

namespace {

using std::chrono::milliseconds;

/// Between two lives; twice as long each time.
constexpr milliseconds first_pause{100}, longest_pause{30'000};

/// Meanwhile it is looked after so often whether the pool has a use for nodes.
constexpr milliseconds look_every{50};

node_event_kind event_of(node_end::kind how) {
  switch (how) {
    case node_end::kind::left: return node_event_kind::left;
    case node_end::kind::refused: return node_event_kind::refused;
    case node_end::kind::not_started: return node_event_kind::launch_failed;
    default: return node_event_kind::lost;
  }
}

}  // namespace

launcher::launcher(std::shared_ptr<shared_mailbox> box, std::shared_ptr<node_shared> shared,
                   std::size_t place)
    : box_{std::move(box)}, shared_{std::move(shared)}, place_{place},
      budget_{shared_->settings.launch[place].restarts,
              shared_->settings.launch[place].restart_window},
      pause_{first_pause} {}

void launcher::run() {
  for (;;) {
    if (may_leave()) return;
    const auto started = clock::now();
    shared_->roster.starts(place_);
    const node_end end = live_once();
    shared_->roster.ends(place_, event_of(end.how), end.why);
    if (end.how == node_end::kind::left) return stand_by();
    if (!go_on_after(end, started)) return give_up();
    shared_->roster.waits(place_);
    if (!wait(pause_)) return;
    pause_ = std::min(2 * pause_, longest_pause);
  }
}

/// What prevents a life, such as a lack of descriptors, ends it.
node_end launcher::live_once() {
  try {
    const node_launch& l = shared_->settings.launch[place_];
    return node_session{box_, shared_, place_,
                        std::make_unique<command_peer>(l.command, shared_->settings.environment)}
        .live();
  } catch (const std::exception& e) {
    return {node_end::kind::not_started, e.what()};
  }
}

bool launcher::may_leave() { return kernel::remote_port{*box_}.may_leave(); }

/// False: that was too often.
bool launcher::go_on_after(const node_end& end, clock::time_point started) {
  if (end.how == node_end::kind::refused) return false;
  const bool joined = end.how == node_end::kind::lost;
  if (joined) {
    budget_.ready();
    pause_ = first_pause;
  }
  return budget_.spend(started, joined, clock::now());
}

void launcher::give_up() {
  shared_->roster.given_up(place_);
  shared_->roster.tell_broken(place_);
  stand_by();
}

/// Nobody comes to this place any more. Others may still have work.
void launcher::stand_by() {
  if (shared_->roster.nobody_comes() && !may_leave())
    kernel::pool_port{*box_}.break_up(std::make_exception_ptr(error{
        "fmap: no node is left, and no command is run again: " + shared_->roster.troubles()}));
  while (!may_leave()) std::this_thread::sleep_for(look_every);
}

/// False: the pool has no use for nodes any more.
bool launcher::wait(milliseconds time) {
  const auto until = clock::now() + time;
  while (!may_leave()) {
    const auto left = until - clock::now();
    if (left <= left.zero()) return true;
    std::this_thread::sleep_for(std::min<clock::duration>(left, look_every));
  }
  return false;
}

}  // namespace fmap::remote
