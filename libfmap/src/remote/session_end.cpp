// SPDX-License-Identifier: BSD-3-Clause
// A worker process as its pool sees it: its end.

#include <utility>

#include "src/remote/item_fate.hpp"
#include "src/remote/session.hpp"

namespace fmap::remote {

/// As the pool's owner wants its processes to end.
void session::end_in_order() {
  constexpr std::chrono::milliseconds moment{50};
  switch (shared_->how_to_end) {
    case process_shared::ending::in_order:
      if (!watchdog_.quitting()) peer_->kill_if_alive(moment);
      break;
    case process_shared::ending::terminate:
      peer_->terminate();
      line_->bytes().cut();
      peer_->kill_if_alive(watchdog::time_to_quit);
      break;
    case process_shared::ending::kill: peer_->kill();
  }
}

/// Collects the peer, which has ended or is about to.
worker_death session::end() {
  if (!life_.started) return {};
  if (life_.nonsense)
    peer_->kill();
  else
    end_in_order();
  return peer_->reap();
}

/// What is known of it now.
peer_life session::life(bool started) const {
  peer_life result = life_;
  result.started = started;
  // What it had begun is to blame. One that had proved to work, and had something to do, was just between two items.
  result.working = transfer_ && !held().empty() && (transfer_->delivered() || held().begun());
  result.pool_broken = port_.broken() != nullptr;
  result.out_of_memory = life_.started && peer_->seen_by().out_of_memory();
  result.expired = watchdog_.expired();
  if (result.expired && transfer_) result.call = held().call_of(*result.expired);
  result.address_space_limit = shared_->settings.address_space_limit;
  result.program = peer_->description();
  return result;
}

/// The peer is gone: decides on all it held.
void session::conclude(const std::exception_ptr& not_started) {
  const worker_death death = end();
  const post_mortem findings{life(!not_started), death};
  if (life_.proven) --shared_->proven;
  switch (findings.why()) {
    case post_mortem::cause::not_the_pools: break;
    case post_mortem::cause::not_started:
      start_failed(not_started ? not_started : findings.cannot_start());
      break;
    case post_mortem::cause::outside:
      if (!shared_->budget.spend(started_at_, life_.ready, clock::now()))
        port_.break_up(findings.keeps_dying());
      break;
  }
  const auto seen = [&](run_id run, std::uint64_t index) {
    return transfer_ ? held().state_of({run, index}) : mark::waiting;
  };
  // Whoever learns that this worker has left finds nothing of it.
  line_.reset();
  release_slot();
  shared_->slots.forget(bell_);
  bell_.reset();
  port_.lost(
      [&](run_id run, std::uint64_t index) {
        return findings.judge({run, index}, seen(run, index));
      },
      [&](const casualty& c) {
        const run_id run = c.item.run;
        const mark how = seen(run, c.item.first);
        std::exception_ptr error = findings.error_of(c, how, held().timeout_of(run));
        const sent_batch* const b = held().find(run);
        if (b == nullptr || !b->work->relays()) return error;
        return std::make_exception_ptr(
            relayed_end{c.why, findings.judge({run, c.item.first}, how), error});
      });
}

/// That there was no descriptor, no process or no memory may pass; meanwhile others work.
void session::start_failed(std::exception_ptr why) {
  if (port_.start_failed(shared_->settings.restarts, shared_->proven))
    port_.break_up(std::move(why));
}

}  // namespace fmap::remote
