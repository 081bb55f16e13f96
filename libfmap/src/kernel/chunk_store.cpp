// SPDX-License-Identifier: BSD-3-Clause
// A run's chunks: which one is being filled, which ones can be used again.

#include "src/kernel/chunk_store.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "src/kernel/tuning.hpp"

namespace fmap::kernel {

std::uint32_t chunk_capacity(std::uint64_t buffersize, std::uint32_t batch,
                             detail::slot_layout layout) {
  const auto half = static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(buffersize / 2, 1, tuning::largest_chunk));
  const auto fitting = static_cast<std::uint32_t>(
      std::clamp<std::size_t>(tuning::largest_chunk_bytes / layout.size, 1, tuning::largest_chunk));
  const std::uint32_t capacity = std::bit_floor(std::min(half, fitting));
  return batch == 0 ? capacity : batch * std::max(1u, capacity / batch);
}

std::uint32_t chunk_store::vacant_id() {
  if (vacant_.empty()) {
    chunks_.emplace_back();
    vacant_.push_back(static_cast<std::uint32_t>(chunks_.size() - 1));
  }
  const std::uint32_t id = vacant_.back();
  vacant_.pop_back();
  return id;
}

chunk& chunk_store::open(std::uint64_t first, std::uint32_t capacity, detail::slot_layout layout) {
  if (unused_.empty()) {
    const std::uint32_t id = vacant_id();
    chunks_[id] = std::make_unique<chunk>(id, capacity, layout);
    unused_.push_back(chunks_[id].get());
  }
  filling_ = unused_.back();
  unused_.pop_back();
  filling_->first = first;
  filling_->left = filling_->capacity;
  return *filling_;
}

std::uint32_t chunk_store::adopt(std::unique_ptr<chunk> c, std::uint64_t first,
                                 std::uint32_t count) {
  const std::uint32_t id = vacant_id();
  c->id = id;
  c->first = first;
  c->left = count;
  chunks_[id] = std::move(c);
  return id;
}

void chunk_store::release(chunk& c, std::uint32_t count, keep how) {
  if ((c.left -= count) != 0) return;
  if (filling_ == &c) filling_ = nullptr;  // it is full
  if (how == keep::all || (how == keep::some && unused_.size() < tuning::chunks_kept)) {
    unused_.push_back(&c);
  } else {
    vacant_.push_back(c.id);
    chunks_[c.id].reset();
  }
}

void chunk_store::clear(job& work) {
  for (auto& c : chunks_)
    if (c) work.clear(*c, 0, c->capacity);
  chunks_.clear();
}

}  // namespace fmap::kernel
