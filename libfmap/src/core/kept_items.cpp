// SPDX-License-Identifier: BSD-3-Clause
// Copies of items.
#include <mutex>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include <fmap/detail/demangle.hpp>
#include <fmap/detail/job.hpp>
#include <fmap/outcome.hpp>

namespace fmap::detail {

struct kept_items::impl {
  std::mutex mutex;
  std::unordered_map<std::uint64_t, kept_item> items;
};

kept_items::kept_items() : impl_{std::make_unique<impl>()} {}
kept_items::~kept_items() = default;

void kept_items::put(std::uint64_t index, kept_item item) {
  const std::lock_guard guard{impl_->mutex};
  impl_->items.insert_or_assign(index, std::move(item));
}

kept_item kept_items::take(std::uint64_t index) noexcept {
  const std::lock_guard guard{impl_->mutex};
  const auto found = impl_->items.find(index);
  if (found == impl_->items.end()) return {};
  kept_item item = std::move(found->second);
  impl_->items.erase(found);
  return item;
}

std::shared_ptr<kept_items> input::keep_items() {
  throw std::invalid_argument{"fmap: keep_items is for maps over ranges"};
}

void input::record(const std::shared_ptr<journal_run>&) {
  throw std::invalid_argument{"fmap: journal is for maps over ranges"};
}

void job::check_retries() const {
  throw std::invalid_argument{"fmap: retry: what this map is over cannot be tried again"};
}

void throw_no_item(const kept_item& there, const std::type_info& wanted) {
  if (there.type == nullptr)
    throw std::logic_error{
        "fmap: outcome::item(): the map keeps no items; set keep_items in its options"};
  throw std::logic_error{"fmap: outcome::item(): the item is a " + type_name(*there.type)
                         + ", not a " + type_name(wanted)};
}

}  // namespace fmap::detail
