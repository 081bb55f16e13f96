// SPDX-License-Identifier: BSD-3-Clause
// Which items are recorded.

#include "src/journal/index.hpp"

#include <algorithm>

namespace fmap::journals {

void index_by_place::add(std::uint64_t place, const ending& e) {
  rows_.push_back({e.index, e.item.first, place, e.failed});
}

void index_by_place::complete() {
  std::stable_sort(rows_.begin(), rows_.end(),
                   [](const row& a, const row& b) { return a.index < b.index; });
  // Of several records of an index the last one counts.
  const auto same = [](const row& a, const row& b) { return a.index == b.index; };
  rows_.erase(rows_.begin(), std::unique(rows_.rbegin(), rows_.rend(), same).base());
}

index_by_place::answer index_by_place::look(std::uint64_t index, const digest& item) {
  while (next_ != rows_.size() && rows_[next_].index < index) ++next_;
  if (next_ == rows_.size() || rows_[next_].index != index) return {};
  const row& r = rows_[next_];
  return {r.item == item.first ? match::same_item : match::other_item, {r.place, r.failed != 0}};
}

void index_by_item::add(std::uint64_t place, const ending& e) {
  if (e.again) {
    const auto [begin, end] = entries_.equal_range(e.item);
    const auto before = std::find_if(begin, end, [](const auto& x) { return x.second.failed; });
    if (before != end) entries_.erase(before);
  }
  entries_.emplace(e.item, entry{place, e.failed});
}

std::optional<entry> index_by_item::take(const digest& item) {
  const auto found = entries_.find(item);
  if (found == entries_.end()) return {};
  const entry result = found->second;
  entries_.erase(found);
  return result;
}

}  // namespace fmap::journals
