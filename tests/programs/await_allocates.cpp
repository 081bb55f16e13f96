// SPDX-License-Identifier: BSD-3-Clause
// To await a future allocates nothing, whether it is done or not.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <new>

#include <fmap/coroutine.hpp>
#include <fmap/promise.hpp>

namespace {

std::atomic<long> allocations{0};

fmap::future<void> wait_for(const fmap::future<int>& done, fmap::future<int> pending, long& before,
                            long& after, int& sum) {
  before = allocations;
  for (int i = 0; i != 100; ++i) sum += co_await done;
  sum += co_await pending;
  after = allocations;
}

}  // namespace

[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* p = std::malloc(size)) return p;
  throw std::bad_alloc{};
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }

int main() {
  fmap::promise<int> one, other;
  one.set_value(1);
  const auto done = one.get_future();
  long before = -1, after = -1;
  int sum = 0;
  const auto f = wait_for(done, other.get_future(), before, after, sum);
  if (f.done()) return 1;
  other.set_value(1);
  f.get();
  std::printf("%d awaits, %ld allocations\n", sum, after - before);
  return sum == 101 && before >= 2 && after == before ? 0 : 1;
}
