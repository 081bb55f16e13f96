// SPDX-License-Identifier: BSD-3-Clause
// From caf::actor_pool, which newer versions of CAF do not have, to a pool's handle. It was:
//
//   caf::scoped_execution_unit context{&system};
//   caf::actor workers = caf::actor_pool::make(&context, 4, [&] { return system.spawn(factorizer); },
//                                              caf::actor_pool::round_robin());
//
// The worker's behavior becomes a function, and who asks need not change. New: at most `buffersize`
// requests are worked on at a time, a free thread takes the next one, and a function may block.
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string>

#include <caf/all.hpp>

#include <fmap/actor.hpp>

std::string factorize(int n) {
  if (n < 2) throw std::invalid_argument{std::to_string(n) + " has no prime factors"};
  std::string result;
  for (int p = 2; n != 1; ++p)
    for (; n % p == 0; n /= p) result += (result.empty() ? "" : " * ") + std::to_string(p);
  return result;
}

int main() {
  caf::actor_system_config config;
  caf::actor_system system{config};

  fmap::thread_pool pool{system, {.workers = 4}};
  caf::actor workers =
      pool.handle<int>(factorize, {.buffersize = 16, .when_full = fmap::wait_for_room});

  caf::scoped_actor self{system};
  for (int n : {12, 97, 1, 1001, 2147483646})
    self->request(workers, caf::infinite, n)
        .receive([=](const std::string& factors) { std::cout << n << " = " << factors << '\n'; },
                 [=](const caf::error&) { std::cout << n << ": cannot be factorized\n"; });

  if (std::cout.flush()) return EXIT_SUCCESS;
  std::cerr << "actor_pool: write error\n";
  return EXIT_FAILURE;
}
