// SPDX-License-Identifier: BSD-3-Clause
// How many items go to a worker: a batch, what it may hold, what is worth a message.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>

#include "src/kernel/tuning.hpp"

namespace fmap::kernel {

/// How a worker is served.
struct worker_shape {
  using duration = std::chrono::nanoseconds;

  std::uint32_t capacity = 1;  ///< items that it may hold
  std::uint32_t weight = 1;    ///< its threads; 0: it is only a name under which to take items
  duration batch_time = tuning::batch;
  std::uint32_t depth = 0;  ///< not 0: it is not asked for each batch in turn, and may hold so many
  bool is_node =
      false;        ///< another machine; runs a suspect alone by itself, whatever else it holds
  duration hold{};  ///< not 0: instead of the depth, work for so long for each of its threads

  bool by_message() const { return depth != 0 || hold.count() != 0; }
};

/// How large batches may be while costs are being learnt: each may hold some times as many as were finished at once.
class batch_growth {
public:
  void start(bool expected) { most_ = expected ? tuning::first_expected : tuning::first_batch; }
  void finished(std::uint32_t count) {
    if (most_ < tuning::largest_batch)
      most_ = std::max(most_, std::min(count * tuning::growth, tuning::largest_batch));
  }
  std::uint32_t most() const { return most_; }

private:
  std::uint32_t most_ = tuning::first_batch;
};

/// What a batch's size depends on.
struct batch_scene {
  double cost = 0;               ///< of an item in ns; 0: unknown
  std::uint64_t queued = 0;      ///< items of the run
  std::uint64_t buffersize = 1;  ///< its tokens
  std::uint32_t growing = 1;     ///< the limit while costs are being learnt
  std::uint64_t weights = 1;     ///< threads of all workers
  std::uint32_t most = 1;        ///< what lies together and finds room
  std::uint32_t held = 0;        ///< by the worker, of all runs
};

/// So many items last for this time.
inline std::uint64_t lasting(double ns, double cost) {
  return static_cast<std::uint64_t>(
      std::clamp<double>(cost > 0 ? ns / cost : tuning::first_batch, 1, tuning::largest_batch));
}

/// As many items as last about the worker's batch time, for all its threads; at most its share of what is queued,
/// but what is not worth anybody else's visit is not shared.
inline std::uint32_t batch_size(const batch_scene& s, const worker_shape& w) {
  if (s.most <= 1) return s.most;
  const std::uint64_t weight = std::max(w.weight, 1u);
  const std::uint64_t weights = std::max<std::uint64_t>(s.weights, 1);
  // Of what nobody knows no thread gets more than one; and only a node's threads get theirs at once.
  const std::uint64_t timed =
      s.cost > 0 || w.is_node ? lasting(static_cast<double>(w.batch_time.count()), s.cost) * weight
                              : tuning::first_batch;
  const auto most = std::min({timed, s.growing * weight, std::uint64_t{s.most}});
  if (s.queued * weight >= most * weights) return static_cast<std::uint32_t>(most);
  std::uint64_t least = 1;
  if (!w.by_message())
    least = std::max(
        lasting(tuning::least_batch, s.cost),
        std::min(lasting(tuning::least_batch_roomy, s.cost), s.buffersize / (2 * weights)));
  else if (
      w.is_node)  // one message for its threads that have nothing to do, and for a share of what else it may hold
    least = std::max<std::uint64_t>(s.held < weight ? weight - s.held : 0,
                                    (s.most + tuning::node_message_share - 1)
                                        / tuning::node_message_share);
  const std::uint64_t share = (s.queued * weight + weights - 1) / weights;
  return static_cast<std::uint32_t>(std::min(std::max({share, least, std::uint64_t{1}}), most));
}

/// How many items of a run a worker may hold: of slow ones so few that the others get their share. `cost` is
/// measured, or 0.
inline std::uint32_t most_held(double cost, const worker_shape& w) {
  std::uint64_t most = std::max(w.weight, 1u);  // one item for each of its threads
  if (w.hold.count() != 0) {
    // What they execute, and what bridges the way there and back.
    const double each = cost > 0 ? 1 + static_cast<double>(w.hold.count()) / cost : 1;
    most = static_cast<std::uint64_t>(
        std::ceil(std::min<double>(each, tuning::largest_batch) * static_cast<double>(most)));
  } else if (w.depth == 0) {
    return w.capacity;
  } else if (cost > 0) {
    const double fitting =
        static_cast<double>(w.depth) * static_cast<double>(w.batch_time.count()) / cost;
    // A second one bridges the way there and back, unless that does not count.
    if (fitting * tuning::lone_from >= 1)
      most *= static_cast<std::uint64_t>(std::clamp<double>(fitting, 2, tuning::largest_batch));
  }
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(most, w.capacity));
}

/// How many more items of a run a worker that holds `items` may hold now. Who has work for all its threads, and lacks
/// less than a share of what it holds ahead, gets nothing: the message would be a small one, and it comes by again in
/// time.
inline std::uint32_t room(double cost, std::uint32_t items, const worker_shape& w) {
  const std::uint32_t most = most_held(cost, w);
  if (items >= most) return 0;
  const std::uint32_t n = most - items;
  if (w.hold.count() != 0 && items >= w.weight
      && n < (most - std::min(most, w.weight)) / tuning::refill_share)
    return 0;
  return n;
}

/// What the sizes of batches depend on of which each is one call.
struct whole_scene {
  std::uint64_t queued = 0;      ///< items of the run
  std::uint64_t buffersize = 1;  ///< its tokens
  std::uint32_t chunksize = 0;   ///< what the user says; 0: nothing
  std::uint64_t weights = 1;     ///< threads that there are, or are to be
  std::uint32_t held = 0;        ///< by the worker, of this run
};

/// A call for each thread, and as much again on its way to them, use up the bound.
inline std::uint64_t whole_chunk(const whole_scene& s) {
  if (s.chunksize != 0) return s.chunksize;
  return std::clamp<std::uint64_t>(s.buffersize / (2 * std::max<std::uint64_t>(s.weights, 1)), 1,
                                   tuning::largest_chunk);
}

/// Whether a worker has a call for each of its threads, as far as one can tell from here.
inline bool whole_at_work(const whole_scene& s, const worker_shape& w) {
  const std::uint64_t chunk = whole_chunk(s);
  return (s.held + chunk - 1) / chunk >= std::max(w.weight, 1u);
}

/// How many more items of such a run a worker may hold, if it may hold `most` more of any. Who gets messages, and has
/// work for all its threads, gets full batches or nothing: what has been sent apart is executed apart.
inline std::uint32_t whole_room(const whole_scene& s, std::uint32_t most, const worker_shape& w) {
  const std::uint64_t chunk = whole_chunk(s);
  const std::uint64_t all = (w.by_message() ? 2 : 1) * chunk * std::max(w.weight, 1u);
  if (s.held >= all) return 0;
  const std::uint64_t room = std::min(all - s.held, std::uint64_t{most});
  if (w.by_message() && whole_at_work(s, w) && std::min(room, s.queued) < chunk) return 0;
  return static_cast<std::uint32_t>(room);
}

/// As many items as may be for each thread. Unless the user says how many, at most a worker's share of what is queued:
/// so they are few only where workers wait for items anyway.
inline std::uint32_t whole_batch(const whole_scene& s, std::uint32_t most, const worker_shape& w) {
  const std::uint64_t weight = std::max(w.weight, 1u);
  const std::uint64_t full = std::min(whole_chunk(s) * weight, std::uint64_t{most});
  if (s.chunksize != 0 || whole_at_work(s, w)) return static_cast<std::uint32_t>(full);
  const std::uint64_t weights = std::max(s.weights, weight);
  const std::uint64_t share = (s.queued * weight + weights - 1) / weights;
  return static_cast<std::uint32_t>(std::min(std::max<std::uint64_t>(share, 1), full));
}

/// Whether what is queued of a run is worth sending to a worker that is not asked for each batch in turn, while
/// others of its items are under way. Of tiny ones some are waited for.
inline bool worth_a_message(double cost, std::uint64_t queued, std::uint64_t buffersize) {
  const double many = tuning::message_worth / std::max(cost, tuning::least_cost);
  const double some = static_cast<double>(buffersize) / tuning::message_share;
  return static_cast<double>(queued) >= std::min(many, some);
}

// -- nodes -------------------------------------------------------------------------

/// What a node holds ahead for each of its threads: a result may take the way back and its successor the way there.
constexpr worker_shape::duration hold_for(worker_shape::duration round_trip,
                                          worker_shape::duration batch_time) {
  return std::max<worker_shape::duration>(tuning::least_hold, 2 * round_trip + batch_time);
}

/// How long a node keeps what is finished, so that the pool has time for all their messages.
constexpr worker_shape::duration report_after(std::uint64_t nodes) {
  return std::max<worker_shape::duration>(tuning::least_report, nodes * tuning::report_each);
}

/// The tokens that keep a worker busy: for each thread one item that it executes, one more, and what it holds ahead.
inline std::uint64_t tokens_for(double cost, const worker_shape& w) {
  const double ahead = cost > 0 ? static_cast<double>(w.hold.count()) / cost : 0;
  return static_cast<std::uint64_t>(
      std::min<double>(std::ceil(w.weight * (2 + ahead)), tuning::largest_bound));
}

}  // namespace fmap::kernel
