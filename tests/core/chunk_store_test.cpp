// SPDX-License-Identifier: BSD-3-Clause
// A run's chunks: how large they are, and lockstep with a naive model.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <utility>

#include <fmap/detail/function_job.hpp>

#include "src/kernel/chunk_store.hpp"
#include "src/kernel/tuning.hpp"
#include "support/catch.hpp"
#include "support/seed.hpp"

using namespace fmap::kernel;

namespace {

constexpr fmap::detail::slot_layout small{8, 8, 0};

using keep = chunk_store::keep;

/// Chunks that are in use, and how many of their slots are.
struct in_use {
  chunk* c;
  std::uint32_t left;
};

}  // namespace

TEST_CASE("chunk capacity: half a bound, a power of two, at most 256 items and 64 KiB") {
  struct row {
    std::uint64_t bound;
    std::uint32_t batch;
    std::size_t item;
    std::uint32_t capacity;
  };
  const row rows[] = {
      {1, 0, 8, 1},         {2, 0, 8, 1},           {3, 0, 8, 1},          {16, 0, 8, 8},
      {100, 0, 8, 32},      {1024, 0, 8, 256},      {1u << 20, 0, 8, 256}, {1024, 0, 1024, 64},
      {1024, 0, 70'000, 1}, {1024, 1, 8, 256},      {1024, 100, 8, 200},   {1024, 300, 8, 300},
      {4, 4, 8, 4},         {unbounded, 1, 8, 256}, {16, 3, 8, 6},
  };
  for (const row& r : rows) {
    CAPTURE(r.bound, r.batch, r.item);
    CHECK(chunk_capacity(r.bound, r.batch, {r.item, 8, 0}) == r.capacity);
  }
}

TEST_CASE("chunk store: chunks are used again as far as they are kept; lockstep with a plain map") {
  const std::uint64_t seed = testing::seed();
  INFO(testing::seed_message(seed));
  testing::dice d{seed};
  const keep how = GENERATE(keep::all, keep::some, keep::none);
  chunk_store store;
  std::map<std::uint32_t, in_use> used;
  std::uint64_t next_index = 0;
  std::size_t most_used = 0, unused = 0;
  int wrong = 0;
  for (int step = 0; step != 20'000; ++step) {
    if (d.below(3) == 0 || used.empty()) {
      if (used.size() > 20) continue;
      chunk* c = nullptr;
      if (how == keep::none && d.one_in(2)) {  // as in a worker process
        const std::uint32_t id = store.adopt(std::make_unique<chunk>(99, 4, small), next_index, 4);
        c = &store.at(id);
      } else {
        c = &store.open(next_index, 4, small);
        wrong += store.filling() != c;
        if (unused != 0) --unused;
        if (d.one_in(2)) store.filled();
      }
      wrong += used.contains(c->id) || &store.at(c->id) != c || c->first != next_index;
      wrong += c->capacity != 4 || c->left != 4;
      used[c->id] = {c, 4};
      next_index += 4;
    } else {
      auto it = std::next(used.begin(), static_cast<std::ptrdiff_t>(d.below(used.size())));
      const auto n = static_cast<std::uint32_t>(1 + d.below(it->second.left));
      const bool was_filling = store.filling() == it->second.c;
      const bool gone = (it->second.left -= n) == 0;
      store.release(*it->second.c, n, how);
      if (was_filling) wrong += (store.filling() == nullptr) != gone;
      if (!gone) continue;
      used.erase(it);
      if (how == keep::all || (how == keep::some && unused < tuning::chunks_kept)) ++unused;
    }
    most_used = std::max(most_used, used.size() + unused);
    wrong += store.size() > most_used;
  }
  CHECK(wrong == 0);
}

TEST_CASE("chunk store: what is left in the slots is destroyed with the store") {
  const auto value = std::make_shared<int>(1);
  using item = std::shared_ptr<int>;
  auto same = [](item x) { return x; };
  fmap::detail::function_job<item, decltype(same)> work{same};
  chunk_store store;
  chunk& c = store.open(0, 4, work.layout);
  for (std::uint32_t i = 0; i != 2; ++i) {
    ::new (c.at(i)) item{value};
    c.state(i) = fmap::detail::slot_state::item;
  }
  CHECK(value.use_count() == 3);
  store.clear(work);
  CHECK(value.use_count() == 1);
  CHECK(store.size() == 0);
}
