// SPDX-License-Identifier: BSD-3-Clause
// The ledger's books, checked index by index.

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "src/kernel/ledger.hpp"

namespace fmap::kernel {

namespace {

bool before(const span& a, const span& b) { return a.first < b.first; }

std::uint64_t items_of(const std::vector<span>& spans) {
  std::uint64_t items = 0;
  for (const span& s : spans) items += s.count;
  return items;
}

/// Whether a run's tokens and indices add up; `held` is what workers hold of it.
bool adds_up(const account& r, const std::vector<span>& held) {
  const run_counts& c = r.counts;
  if (c.free + c.granted + r.in_flight() != r.limits.buffersize) return false;
  if (c.pulled != r.in_flight() + c.taken + c.dropped) return false;
  std::vector<span> all{r.queue.begin(), r.queue.end()};
  if (!std::is_sorted(all.begin(), all.end(), before)) return false;
  for (const suspect& s : r.suspects) {
    if (!s.item.alone || s.item.count != 1) return false;
    all.push_back(s.item);
  }
  if (items_of(all) != c.queued || items_of(held) != c.held) return false;
  if (r.waiting.size() != c.waiting) return false;
  for (const auto& [index, s] : r.waiting) {
    if (s.first != index || s.count != 1) return false;
    all.push_back(s);
  }
  all.insert(all.end(), held.begin(), held.end());
  all.insert(all.end(), r.ready.begin(), r.ready.end());
  std::sort(all.begin(), all.end(), before);
  for (std::size_t i = 0; i + 1 < all.size(); ++i)
    if (all[i].end() > all[i + 1].first) return false;
  return all.empty() || all.back().end() <= c.pulled;
}

}  // namespace

bool ledger::audit() const {
  std::unordered_map<run_id, std::vector<span>> held;
  std::uint32_t emptying = 0;
  bool right = true;
  workers_.for_each([&](const worker_state& w) {
    std::uint64_t items = 0;
    for (const held_span& s : w.held) {
      items += s.count;
      held[s.run].push_back(s);
      right = right && !(w.shape.is_node && runs_.find(s.run)->stopped);
    }
    right = right && items == w.items && items <= w.shape.capacity;
    right = right && (w.now == filling::up || items != 0);
    if (w.now != filling::up) ++emptying;
  });
  std::uint64_t suspects = 0, waiting = 0;
  runs_.for_each([&](const account& r) {
    suspects += r.suspects.size();
    waiting += r.waiting.size();
    right = right && adds_up(r, held[r.id]);
  });
  return right && emptying == emptying_ && suspects == suspects_ && waiting == waiting_;
}

}  // namespace fmap::kernel
