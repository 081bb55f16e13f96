// SPDX-License-Identifier: BSD-3-Clause
// Custody of items.
#include "tool/worker/custody.hpp"

#include <algorithm>
#include <utility>

namespace fmap::tool {

custody::id custody::give(id worker) {
  const id item = waiting_.front();
  waiting_.pop_front();
  held& h = workers_[worker];
  h.items.push_back(item);
  ++h.given;
  return item;
}

const std::deque<custody::id>& custody::give_trial(id worker) {
  held& h = workers_[worker];
  h.items = std::move(trials_.front());
  h.given = h.items.size();
  h.trial = true;
  trials_.pop_front();
  return h.items;
}

std::vector<custody::id> custody::take_back() {
  std::vector<id> all{waiting_.begin(), waiting_.end()};
  waiting_.clear();
  for (const auto& items : trials_) all.insert(all.end(), items.begin(), items.end());
  trials_.clear();
  return all;
}

std::optional<custody::id> custody::answered(id worker, std::optional<id> item) {
  const auto found = workers_.find(worker);
  if (found == workers_.end()) return std::nullopt;
  held& h = found->second;
  const auto at = item ? std::find(h.items.begin(), h.items.end(), *item) : h.items.begin();
  if (at == h.items.end()) return std::nullopt;
  const id is = *at;
  h.items.erase(at);
  // A suspect that was alone is innocent: what it was blamed for had another reason, and its answer had been kept.
  if (h.trial && h.given == 1 && alone_.erase(is) != 0) keeps_answers_ = true;
  alone_.erase(is);
  return is;
}

const std::deque<custody::id>& custody::open(id worker) const {
  static const std::deque<id> none;
  const auto found = workers_.find(worker);
  return found == workers_.end() ? none : found->second.items;
}

bool custody::on_trial(id worker) const {
  const auto found = workers_.find(worker);
  return found != workers_.end() && found->second.trial;
}

void custody::returned(id worker) {
  const auto found = workers_.find(worker);
  if (found == workers_.end()) return;
  held h = std::move(found->second);
  workers_.erase(found);
  if (h.items.empty()) return;
  if (h.trial)
    trials_.push_front(std::move(h.items));
  else
    waiting_.insert(waiting_.begin(), h.items.begin(), h.items.end());
}

custody::loss custody::lost(id worker, bool sentence) {
  const auto found = workers_.find(worker);
  if (found == workers_.end()) return {};
  held h = std::move(found->second);
  workers_.erase(found);
  if (h.items.empty()) return {};
  const id suspect = h.items.front();
  if (sentence) {
    h.items.pop_front();
    alone_.erase(suspect);
    waiting_.insert(waiting_.begin(), h.items.begin(), h.items.end());
    return {std::nullopt, suspect};
  }
  if (h.trial && h.given == 1) {
    if (++alone_[suspect] >= deaths_) {
      alone_.erase(suspect);
      return {suspect, suspect};
    }
    trials_.push_back(std::move(h.items));
    return {suspect, std::nullopt};
  }
  try_again(std::move(h.items));
  return {suspect, std::nullopt};
}

/// Those of a death in company.
void custody::try_again(std::deque<id> items) {
  if (!keeps_answers_) {
    const id suspect = items.front();
    items.pop_front();
    alone_.try_emplace(suspect, 0);
    trials_.push_back({suspect});
    waiting_.insert(waiting_.begin(), items.begin(), items.end());
    return;
  }
  if (items.size() == 1) {
    alone_.try_emplace(items.front(), 0);
    trials_.push_back(std::move(items));
    return;
  }
  const auto half = items.begin() + static_cast<std::ptrdiff_t>((items.size() + 1) / 2);
  trials_.emplace_back(items.begin(), half);
  trials_.emplace_back(half, items.end());
}

}  // namespace fmap::tool
