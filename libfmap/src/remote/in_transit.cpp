// SPDX-License-Identifier: BSD-3-Clause
// What a peer holds.

#include "src/remote/in_transit.hpp"

#include <algorithm>

namespace fmap::remote {

void in_transit::add(const parcel& p, detail::remote_job& work, std::uint64_t first,
                     witness::places where) {
  const std::uint32_t n = where.count;
  batches_.push_back({p.of, &work, p.in, first, n, n, where.first, std::vector<bool>(n, true),
                      p.of->work && p.of->work->whole});
}

sent_batch* in_transit::find(run_id run, std::optional<std::uint64_t> index) {
  for (sent_batch& b : batches_)
    if (b.of->id == run && (!index || b.holds(*index))) return &b;
  return nullptr;
}

void in_transit::close(sent_batch& b, std::uint64_t first, std::uint32_t count) {
  const auto offset = static_cast<std::uint32_t>(first - b.first);
  for (std::uint32_t i = offset; i != offset + count; ++i) b.is_open[i] = false;
  b.open -= count;
  witness_.free(b.place + offset, count);
}

void in_transit::forget_empty() {
  std::erase_if(batches_, [](const sent_batch& b) { return b.open == 0; });
}

void in_transit::forget_stopped() {
  std::erase_if(batches_, [](const sent_batch& b) { return b.of->seen.stopped.load(); });
}

std::uint32_t in_transit::size() const noexcept {
  std::uint32_t n = 0;
  for (const sent_batch& b : batches_) n += b.open;
  return n;
}

mark in_transit::state_of(const item_id& item) const {
  const sent_batch* b = find(item.run, item.index);
  return b != nullptr ? state_of(*b, static_cast<std::uint32_t>(item.index - b->first))
                      : mark::waiting;
}

mark in_transit::state_of(const sent_batch& b, std::uint32_t i) const {
  const mark seen = witness_.state_of(b.place + i);
  // Nobody sees which of them such a call is at.
  if (seen == mark::running && b.in_one_call && b.count > 1) return mark::unknown;
  return seen == mark::unknown ? suspects_.judge(seen, open_before(b, i)) : seen;
}

/// How many items that were sent before this one are open; not more than matters.
std::uint64_t in_transit::open_before(const sent_batch& batch, std::uint32_t i) const {
  if (suspects_.all()) return 0;
  std::uint64_t n = 0;
  for (const sent_batch& b : batches_) {
    if (&b == &batch) break;
    n += b.open;
  }
  for (std::uint32_t k = 0; k != i && suspects_.judge(mark::unknown, n) == mark::unknown; ++k)
    n += batch.is_open[k] ? 1 : 0;
  return n;
}

bool in_transit::any_is(std::initializer_list<mark> wanted) const {
  return std::any_of(batches_.begin(), batches_.end(), [&](const sent_batch& b) {
    for (std::uint32_t i = 0; i != b.count; ++i)
      if (b.is_open[i] && std::find(wanted.begin(), wanted.end(), state_of(b, i)) != wanted.end())
        return true;
    return false;
  });
}

std::optional<item_range> in_transit::call_of(const item_id& item) const {
  const sent_batch* b = find(item.run, item.index);
  if (b == nullptr || !b->in_one_call || b->open < 2) return {};
  return item_range{item.run, b->first, b->end()};
}

std::uint32_t in_transit::calls(std::uint32_t threads) const noexcept {
  std::uint32_t n = 0;
  for (const sent_batch& b : batches_) n += b.in_one_call ? std::min(b.open, threads) : b.open;
  return n;
}

item_timeouts in_transit::timeouts() const {
  item_timeouts result;
  for (const sent_batch& b : batches_) {
    const auto t = b.of->limits.item_timeout;
    if (t.count() == 0) continue;
    result.least = result.least.count() == 0 ? t : std::min(result.least, t);
    result.most = std::max(result.most, t);
  }
  return result;
}

std::chrono::nanoseconds in_transit::timeout_of(run_id run) const {
  const sent_batch* b = find(run);
  return b != nullptr ? b->of->limits.item_timeout : std::chrono::nanoseconds{};
}

}  // namespace fmap::remote
