// SPDX-License-Identifier: BSD-3-Clause
// The real ledger in simulated time: a pool, nodes of many threads behind a network, one run.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <queue>
#include <random>
#include <utility>
#include <vector>

#include "src/kernel/ledger.hpp"

namespace testing {

using namespace fmap::kernel;

/// Times in microseconds.
struct simulated_nodes {
  std::uint32_t nodes = 1, threads = 64;
  double item = 1000, round_trip = 200;
  double report = 0;  // what is finished waits so long; 0: what report_after() says
  double message_cost = 4, item_cost = 0.08;  // of the pool, which does one thing at a time
};

/// Half of each item's time is the same for all, the other half is random. Nodes report by time, and hold what that
/// and the way there and back take; the bound follows what the ledger finds useful.
class node_simulation {
public:
  explicit node_simulation(const simulated_nodes& s)
      : s_{s}, report_{s.report > 0 ? s.report : us(report_after(s.nodes))}, nodes_(s.nodes) {
    const auto ahead = hold_for(ns(s.round_trip + report_), std::chrono::microseconds{150});
    run_ = l.open({.buffersize = 1024, .max_attempts = 3});
    for (node& n : nodes_)
      n.id = l.add_worker({.capacity = 1u << 20,
                           .weight = s.threads,
                           .batch_time = std::chrono::microseconds{150},
                           .is_node = true,
                           .hold = ahead});
    pull();
    for (std::uint32_t i = 0; i != s.nodes; ++i) give(i);
  }

  /// Lets time pass; returns how many items were executed meanwhile.
  std::uint64_t pass(double time) {
    const std::uint64_t before = executed_;
    const double end = now_ + time;
    while (!events_.empty() && events_.top().at < end) {
      const event e = events_.top();
      events_.pop();
      now_ = e.at;
      if (!nodes_[e.at_node].lost) happen(e);
    }
    now_ = end;
    return executed_ - before;
  }

  /// The part of the threads' time that was used while this time passed.
  double utilisation(double time) {
    return static_cast<double>(pass(time)) * s_.item
           / (time * static_cast<double>(s_.nodes) * s_.threads);
  }

  /// The process that runs the item that a node has held longest dies; the node says so at once.
  void item_dies(std::uint32_t i) {
    const held_span s = l.held_by(nodes_[i].id).front();
    l.died(nodes_[i].id, run_, s.first, mark::running);
    give(i);
  }

  /// Nobody saw what became of its items.
  void node_is_lost(std::uint32_t i) {
    nodes_[i].lost = true;
    l.remove_worker(nodes_[i].id, [](run_id, std::uint64_t) { return mark::unseen; });
    for (std::uint32_t other = 0; other != s_.nodes; ++other) give(other);
  }

  double items_for_each_message() const {
    return static_cast<double>(sent_items_)
           / static_cast<double>(std::max(sent_, std::uint64_t{1}));
  }
  const run_counts& counts() const { return l.counts(run_); }

  ledger l;

private:
  using range = std::pair<std::uint64_t, std::uint32_t>;  // first, count
  enum class what : std::uint8_t { batch_arrives, item_done, report, report_arrives, report_read };

  struct event {
    double at = 0;
    what now{};
    std::uint32_t at_node = 0, count = 0;
    std::uint64_t first = 0;
    bool last = true;  // of its message
    double took = 0;   // each item
    bool operator<(const event& o) const { return at > o.at; }
  };

  struct node {
    worker_id id = 0;
    std::deque<range> waiting;
    std::vector<range> done;
    std::uint32_t busy = 0;
    bool lost = false, reporting = false, idle = false;
  };

  static double us(ledger::duration d) {
    return std::chrono::duration<double, std::micro>(d).count();
  }
  static ledger::duration ns(double us) {
    return ledger::duration{static_cast<std::int64_t>(us * 1000)};
  }

  void happen(const event& e) {
    node& n = nodes_[e.at_node];
    switch (e.now) {
      case what::batch_arrives: n.waiting.emplace_back(e.first, e.count); return start(e.at_node);
      case what::item_done: return done(e);
      case what::report: n.reporting = false; return send(e.at_node);
      case what::report_arrives: {
        event read = e;
        read.now = what::report_read;
        read.at = pool_time(e.count, e.last ? s_.message_cost : 0);
        events_.push(read);
        return;
      }
      case what::report_read: return read(e);
    }
  }

  // -- the node -----------------------------------------------------------------

  void start(std::uint32_t i) {
    node& n = nodes_[i];
    while (n.busy < s_.threads && !n.waiting.empty()) {
      range& next = n.waiting.front();
      const double time = s_.item * (0.5 + 0.5 * vary_(random_));
      events_.push({now_ + time, what::item_done, i, 1, next.first++});
      if (--next.second == 0) n.waiting.pop_front();
      ++n.busy;
    }
  }

  void done(const event& e) {
    node& n = nodes_[e.at_node];
    --n.busy;
    ++executed_;
    if (!n.done.empty() && n.done.back().first + n.done.back().second == e.first)
      ++n.done.back().second;
    else
      n.done.emplace_back(e.first, 1);
    start(e.at_node);
    if (n.busy == 0)
      send(e.at_node);
    else if (!std::exchange(n.reporting, true))
      events_.push({now_ + report_, what::report, e.at_node});
  }

  void send(std::uint32_t i) {
    node& n = nodes_[i];
    for (std::size_t k = 0; k != n.done.size(); ++k)
      events_.push({now_ + s_.round_trip / 2, what::report_arrives, i, n.done[k].second,
                    n.done[k].first, k + 1 == n.done.size(), s_.item});
    n.done.clear();
  }

  // -- the pool -----------------------------------------------------------------

  /// When it will have done this, too.
  double pool_time(std::uint32_t items, double message) {
    free_at_ = std::max(free_at_, now_) + message + items * s_.item_cost;
    return free_at_;
  }

  void pull() {
    l.resize(run_, std::max(l.buffersize(run_), l.useful_bound(run_)));
    while (const std::uint64_t n = l.grant(run_, 256 - filled_)) {
      l.pulled(run_, chunk_, static_cast<std::uint32_t>(n));
      filled_ = (filled_ + static_cast<std::uint32_t>(n)) % 256;
      if (filled_ == 0) ++chunk_;
    }
  }

  void give(std::uint32_t i) {
    node& n = nodes_[i];
    if (n.lost) return;
    while (const span s = l.take(n.id, 0, l.counts(run_).held == 0)) {
      ++sent_;
      sent_items_ += s.count;
      events_.push({pool_time(s.count, s_.message_cost) + s_.round_trip / 2, what::batch_arrives, i,
                    s.count, s.first});
    }
    n.idle = !l.full(n.id);
  }

  void read(const event& e) {
    l.finished(nodes_[e.at_node].id, run_, e.first, e.count, ns(e.took * e.count));
    while (const span s = l.next_ready(run_)) l.taken(run_, s.count);
    pull();
    if (!e.last) return;
    give(e.at_node);
    // One more is called, as the mailbox does.
    for (std::uint32_t tries = 0; l.queued() != 0 && tries != 8; ++tries) {
      called_ = (called_ + 1) % s_.nodes;
      if (!nodes_[called_].idle) continue;
      give(called_);
      break;
    }
  }

  const simulated_nodes s_;
  const double report_;
  std::vector<node> nodes_;
  run_id run_ = 0;
  std::priority_queue<event> events_;
  double now_ = 0, free_at_ = 0;
  std::uint64_t executed_ = 0, sent_ = 0, sent_items_ = 0;
  std::uint32_t chunk_ = 0, filled_ = 0, called_ = 0;
  std::mt19937_64 random_{1};
  std::exponential_distribution<double> vary_{1};
};

}  // namespace testing
