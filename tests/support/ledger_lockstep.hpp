// SPDX-License-Identifier: BSD-3-Clause
// A ledger and its model in step.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "support/ledger_model.hpp"

namespace testing {

/// Does everything twice, in a ledger and in the model, and compares.
class lockstep {
public:
  ledger l;
  std::map<run_id, run_model> runs;
  std::map<worker_id, worker_model> workers;
  run_counts total;  // of runs that were closed

  worker_id add_worker(const worker_model& m) {
    const worker_id w =
        l.add_worker({.capacity = m.capacity, .weight = m.weight, .is_node = m.is_node});
    expect(workers.emplace(w, m).second, "a worker id is used twice");
    return w;
  }

  run_id open(const run_limits& limits) {
    const run_id id = l.open(limits);
    run_model& r = runs[id];
    r.limits = limits;
    r.free = r.wanted = limits.buffersize;
    return id;
  }

  std::uint64_t grant(run_id id, std::uint64_t wanted) {
    run_model& r = runs.at(id);
    const std::uint64_t n = r.ended || r.stopped ? 0 : std::min(wanted, r.free);
    r.free -= n;
    r.granted += n;
    expect(l.grant(id, wanted) == n, "grant: other tokens than there are");
    return n;
  }

  void pulled(run_id id, std::uint32_t chunk, std::uint32_t count) {
    run_model& r = runs.at(id);
    l.pulled(id, chunk, count);
    for (; count != 0; --count) {
      --r.granted;
      auto i = r.items.emplace(r.pulled++, item_model{.chunk = chunk}).first;
      if (r.stopped) r.drop(i);
    }
  }

  void end(run_id id) {
    run_model& r = runs.at(id);
    l.end(id);
    r.ended = true;
    r.release(std::exchange(r.granted, 0));
  }

  void resize(run_id id, std::uint64_t buffersize) {
    run_model& r = runs.at(id);
    l.resize(id, buffersize);
    if (r.stopped) return;
    r.wanted = buffersize;
    for (; r.limits.buffersize < buffersize; ++r.limits.buffersize) ++r.free;
    for (; r.limits.buffersize > buffersize && r.free != 0; --r.limits.buffersize) --r.free;
    expect(l.narrowing(id) == r.limits.buffersize > buffersize, "narrowing");
  }

  void give_back_excess(run_id id) {
    run_model& r = runs.at(id);
    l.give_back_excess(id);
    if (r.limits.buffersize > r.wanted) r.release(std::exchange(r.granted, 0));
  }

  span take(worker_id w) {
    const std::size_t holds = held_by(w).size();
    const bool may = workers.contains(w) && !stays_empty(w) && holds < workers[w].capacity;
    const bool must = may && queued([&](const item_model& i) { return may_take(w, i); }) != 0;
    const span s = l.take(w);
    expect(static_cast<bool>(s) == must, "take: given nothing, or though nothing may be given");
    if (!s) return s;
    expect(holds + s.count <= workers[w].capacity, "take: more than the worker's capacity");
    run_model& r = runs.at(s.run);
    expect(!r.stopped, "take: of a stopped run");
    expect(r.limits.chunksize == 0 || s.count <= r.limits.chunksize, "take: more than chunksize");
    for (std::uint64_t index = s.first; index != s.end(); ++index) {
      auto found = r.items.find(index);
      expect(found != r.items.end() && found->second.where == place::queued, "take: not queued");
      item_model& i = found->second;
      expect(i.chunk == s.chunk, "take: across chunks");
      expect(may_take(w, i), "take: not for this worker");
      expect(i.alone == s.alone && (!i.alone || s.count == 1), "take: a suspect with others");
      i.where = place::held;
      i.holder = w;
    }
    workers[w].emptying = s.alone && !workers[w].is_node;
    return s;
  }

  /// An item of a worker that lives.
  void died(worker_id w, run_id id, std::uint64_t index, mark m, worker_id heir) {
    std::optional<casualty::reason> why;
    const bool single = held_by(w).size() == 1 && m != mark::unknown;
    for_held(w, id, index, 1, [&](run_model& r, auto i) {
      const auto at = i++;
      at->second.not_by = w;
      why = lose(r, at, m, single);
      if (why && workers.contains(heir)) at->second = held_item(at->second, heir);
      return i;
    });
    const auto ends = l.died(w, id, index, m, heir);
    expect(ends.has_value() == why.has_value() && (!ends || ends->why == *why),
           "died: another end");
  }

  void finished(worker_id w, run_id id, std::uint64_t first, std::uint32_t count,
                ledger::duration took, bool teaches = true) {
    std::uint32_t n = 0;
    for_held(w, id, first, count, [&](run_model& r, auto i) {
      ++n;
      if (r.stopped) return r.drop(i);
      i->second.where = place::ready;
      return ++i;
    });
    expect(l.finished(w, id, first, count, took, teaches) == n,
           "finished: another number than the worker held");
  }

  void drop(worker_id w, run_id id, std::uint64_t first, std::uint32_t count) {
    l.drop(w, id, first, count);
    for_held(w, id, first, count, [](run_model& r, auto i) { return r.drop(i); });
  }

  void give_back(worker_id w, run_id id, std::uint64_t first, std::uint32_t count) {
    l.give_back(w, id, first, count);
    for_held(w, id, first, count, [&](run_model& r, auto i) {
      if (r.stopped) return r.drop(i);
      i->second.where = place::queued;
      i->second.not_by = 0;
      return ++i;
    });
  }

  /// `marks` says what became of an item. What ends is held by the heir, if there is one.
  template <class Marks>
  void remove_worker(worker_id w, Marks marks, worker_id heir = 0) {
    using reason = casualty::reason;
    const bool single = held_by(w).size() == 1;
    std::map<std::pair<run_id, std::uint64_t>, reason> ends;
    for (auto& [id, r] : runs) {
      for (auto i = r.items.begin(); i != r.items.end();) {
        const auto at = i++;
        if (at->second.where != place::held || at->second.holder != w) continue;
        at->second.not_by = 0;
        const auto why = lose(r, at, marks(id, at->first), single);
        if (why) ends[{id, at->first}] = *why;
        if (why && workers.contains(heir)) at->second = held_item(at->second, heir);
      }
    }
    const auto casualties = l.remove_worker(w, marks, heir);
    expect(casualties.size() == ends.size(), "another number of items ended");
    for (const casualty& c : casualties) {
      auto found = ends.find({c.item.run, c.item.first});
      expect(c.item.count == 1 && found != ends.end(), "an item ended that must not");
      expect(c.why == found->second, "casualty: why");
      const item_model& i = runs.at(c.item.run).items.at(c.item.first);
      if (c.why == reason::quarantined) expect(c.attempts == i.deaths, "casualty: attempts");
    }
    workers.erase(w);
  }

  span next_ready(run_id id) {
    run_model& r = runs.at(id);
    const span s = l.next_ready(id);
    expect(static_cast<bool>(s) == r.can_hand_out(),
           "next_ready: though there is none, or none though there is");
    for (std::uint64_t index = s.first; index != s.end(); ++index) {
      auto i = r.items.find(index);
      expect(i != r.items.end() && i->second.where == place::ready,
             "next_ready: not ready, or twice");
      expect(i->second.chunk == s.chunk, "next_ready: across chunks");
      expect(!r.limits.ordered || index == r.next_out++, "next_ready: out of order");
      i->second.where = place::handed_out;
      r.handed_out.push_back(index);
    }
    return s;
  }

  void taken(run_id id, std::uint64_t count) {
    run_model& r = runs.at(id);
    l.taken(id, count);
    if (r.stopped) return;
    for (std::uint64_t n = 0; n != count; ++n) r.items.erase(r.handed_out[n]);
    r.handed_out.erase(r.handed_out.begin(),
                       r.handed_out.begin() + static_cast<std::ptrdiff_t>(count));
    r.taken += count;
    r.release(count);
  }

  void stop(run_id id) {
    run_model& r = runs.at(id);
    l.stop(id);
    r.stopped = true;
    r.handed_out.clear();
    for (auto i = r.items.begin(); i != r.items.end();)
      i = i->second.where == place::held && !workers[i->second.holder].is_node ? std::next(i)
                                                                               : r.drop(i);
  }

  void close(run_id id) {
    const run_model& r = runs.at(id);
    total.taken += r.taken;
    total.dropped += r.dropped;
    total.retried += r.retried;
    total.quarantined += r.quarantined;
    l.close(id);
    runs.erase(id);
    expect(!l.knows(id), "close: still known");
  }

  std::vector<const item_model*> held_by(worker_id w) const {
    std::vector<const item_model*> result;
    for (const auto& [id, r] : runs)
      for (const auto& [index, i] : r.items)
        if (i.where == place::held && i.holder == w) result.push_back(&i);
    return result;
  }

  /// Everything that can be asked has the model's answer.
  void compare() const {
    expect(l.audit(), "audit");
    std::uint64_t queued = 0, held = 0;
    for (const auto& [id, r] : runs) {
      const run_counts c = l.counts(id);
      queued += r.count(place::queued);
      held += r.count(place::held);
      expect(c.free == r.free && c.granted == r.granted, "tokens");
      expect(c.free + c.granted + r.items.size() == r.limits.buffersize, "invariant 1");
      expect(l.buffersize(id) == r.limits.buffersize, "buffersize");
      expect(c.pulled == r.pulled && c.taken == r.taken && c.dropped == r.dropped,
             "counts of indices");
      expect(c.queued == r.count(place::queued) && c.held == r.count(place::held), "invariant 2");
      expect(c.ready == r.count(place::ready) + r.count(place::handed_out), "invariant 3");
      expect(c.retried == r.retried && c.quarantined == r.quarantined, "counts of deaths");
      expect(l.stopped(id) == r.stopped && l.drained(id) == r.drained(), "stopped or drained");
      expect(l.has_ready(id) == r.can_hand_out(), "has_ready");
      for (const auto& [index, i] : r.items) {
        expect(i.deaths <= std::max(r.limits.max_attempts, 1u), "invariant 5");
        if (i.deaths != 0 && i.where != place::handed_out)
          expect(l.attempts(id, index) == std::min(i.deaths + 1, r.limits.max_attempts),
                 "attempts");
      }
    }
    expect(l.queued() == queued && l.held() == held, "totals");
    expect(l.workers() == workers.size(), "workers");
    for (const auto& [w, m] : workers) {
      std::uint64_t holds = 0;
      for (const span& s : l.held_by(w)) {
        holds += s.count;
        for (std::uint64_t index = s.first; index != s.end(); ++index) {
          const item_model& i = runs.at(s.run).items.at(index);
          expect(i.where == place::held && i.holder == w, "held by somebody else");
        }
      }
      expect(holds == held_by(w).size() && holds <= m.capacity, "invariant 4");
    }
  }

private:
  template <class Which>
  std::uint64_t queued(Which which) const {
    std::uint64_t n = 0;
    for (const auto& [id, r] : runs)
      for (const auto& [index, i] : r.items) n += i.where == place::queued && which(i) ? 1 : 0;
    return n;
  }

  /// A suspect goes to a node or to who holds nothing, and not back to where it died if there is another worker.
  bool may_take(worker_id w, const item_model& i) const {
    const bool others = std::any_of(workers.begin(), workers.end(), [&](const auto& o) {
      return o.first != w && o.second.weight != 0;
    });
    return !i.alone
           || ((workers.at(w).is_node || held_by(w).empty()) && (i.not_by != w || !others));
  }

  /// Whether a worker that holds something gets no more, because a suspect waits or it holds one.
  bool stays_empty(worker_id w) {
    std::uint64_t others = 0;
    for (auto& [id, m] : workers) {
      m.emptying = m.emptying && !held_by(id).empty();
      others += id != w && m.emptying ? 1 : 0;
    }
    const auto held = held_by(w);
    if (workers[w].is_node || held.empty()) return workers[w].emptying = false;
    const bool suspect = held.front()->alone;
    workers[w].emptying = suspect || others < queued([](const item_model& i) { return i.alone; });
    return workers[w].emptying;
  }

  static item_model held_item(item_model i, worker_id holder) {
    i.where = place::held;
    i.holder = holder;
    return i;
  }

  template <class Action>
  void for_held(worker_id w, run_id id, std::uint64_t first, std::uint32_t count, Action act) {
    auto found = runs.find(id);
    if (found == runs.end()) return;
    auto& items = found->second.items;
    for (auto i = items.lower_bound(first); i != items.end() && i->first < first + count;)
      i = i->second.where == place::held && i->second.holder == w ? act(found->second, i)
                                                                  : std::next(i);
  }

  /// Whether the item ends here, and why.
  static std::optional<casualty::reason> lose(run_model& r,
                                              std::map<std::uint64_t, item_model>::iterator at,
                                              mark m, bool single) {
    using reason = casualty::reason;
    item_model& i = at->second;
    if (r.stopped) return r.drop(at), std::nullopt;
    if (m == mark::unseen) m = mark::finished;
    if ((m == mark::unknown && single) || (m == mark::finished && i.alone)) m = mark::running;
    std::optional<reason> why;
    if (m == mark::expired) {
      why = reason::expired;
    } else if (m == mark::running) {
      if (++i.deaths >= r.limits.max_attempts) why = reason::quarantined;
      ++(why ? r.quarantined : r.retried);
    } else if (m != mark::waiting && r.limits.max_attempts <= 1) {
      why = reason::result_lost;
    }
    if (!why && m == mark::finished)
      i.alone = ++i.deaths >= 2 || i.deaths + 1 >= r.limits.max_attempts;
    if (!why && (m == mark::running || m == mark::unknown)) i.alone = true;
    i.where = why ? place::ready : place::queued;
    return why;
  }
};

}  // namespace testing
