// SPDX-License-Identifier: BSD-3-Clause
// A user's program, which includes fmap's installed headers and nothing else of it.
#include <chrono>
#include <functional>
#include <iostream>
#include <ranges>
#include <string>
#include <vector>

#include <caf/all.hpp>

#include <fmap/actor.hpp>
#include <fmap/fmap.hpp>
#include <fmap/process_pool.hpp>
#include <fmap/stage.hpp>

using namespace std::chrono_literals;

int twice(int x) { return 2 * x; }

int failures = 0;

void expect(bool condition, const char* what) {
  std::cout << (condition ? "ok      " : "FAILED  ") << what << '\n';
  failures += !condition;
}

void map_and_tasks() {
  fmap::thread_pool pool{3};
  std::vector<int> seen;
  for (int v : fmap::future_map(pool, twice, std::views::iota(0), 5) | std::views::take(100))
    seen.push_back(v);
  expect(seen.size() == 100, "an endless input, and leaving early");
  expect(pool.submit(twice, 21).get(1s) == 42, "a task");
  fmap::promise<int> answer;
  auto asks = [&](int) { return answer.get_future().get(); };
  bool late = false;
  {
    fmap::future_map waits{pool, asks, std::views::iota(0, 1), fmap::map_options{.timeout = 1ms}};
    try {
      waits.begin();
    } catch (const fmap::timeout_error&) {  // which the library has thrown
      late = true;
    }
    answer.set_value(1);
  }
  expect(late, "an exception out of the library, by its type");
  std::vector<int> xs{1, 2, 3}, sums;
  for (int v : pool.map(std::plus<>{}, xs, xs)) sums.push_back(v);
  expect(sums == std::vector{2, 4, 6}, "a map over two ranges, in order");
}

void processes() {
  fmap::process_pool pool{2};
  auto square = [](int x) { return x * x; };
  expect(pool.submit(square, 7).get() == 49, "a lambda in a worker process");
  expect(pool.submit(fmap::fn<&twice>, 7).get() == 14, "a function in a worker process");
  int lost = 0, others = 0;
  auto fragile = [](int x) { return x == 5 ? (std::abort(), 0) : x; };
  fmap::future_map map{pool, fragile, std::views::iota(0, 50)};
  for (const auto& o : map.outcomes()) {
    try {
      o.value();
      ++others;
    } catch (const fmap::worker_lost&) {  // by its type, also out of a shared library
      ++lost;
    }
  }
  expect(lost == 1 && others == 49, "an item that ends its process");
}

/// Sends the orders 1 to 100 to a stage, as many as that demands.
class seller : public caf::event_based_actor {
public:
  seller(caf::actor_config& config, caf::actor stage)
      : caf::event_based_actor{config}, stage_{std::move(stage)} {}

  caf::behavior make_behavior() override {
    send(stage_, fmap::attach_source{});
    return {[this](fmap::demand d) {
      for (; d.n > 0 && next_ <= 100; --d.n) send(stage_, next_++);
      if (next_ <= 100) return;
      send(stage_, fmap::end{});
      quit();
    }};
  }

private:
  caf::actor stage_;
  int next_ = 1;
};

/// Demands receipts one by one, and tells a client how many there were.
class buyer : public caf::event_based_actor {
public:
  buyer(caf::actor_config& config, caf::actor stage, caf::actor client)
      : caf::event_based_actor{config}, stage_{std::move(stage)}, client_{std::move(client)} {}

  caf::behavior make_behavior() override {
    send(stage_, fmap::attach_sink{});
    send(stage_, fmap::demand{1});
    return {
        [this](const std::string& receipt) {
          receipts_ += receipt.starts_with("receipt ");
          send(stage_, fmap::demand{1});
        },
        [this](const fmap::end& e) {
          send(client_, e.reason ? -1 : receipts_);
          quit();
        },
    };
  }

private:
  caf::actor stage_, client_;
  int receipts_ = 0;
};

void actors() {
  fmap::actor_system_config config;
  caf::actor_system system{config};
  caf::scoped_actor self{system};

  const auto stage = fmap::spawn_stage<int, std::string>(
      system, [](int order) { return "receipt " + std::to_string(order); }, {.workers = 2});
  // Held here, since the stage does not keep them alive.
  const auto downstream = system.spawn<buyer>(stage, caf::actor_cast<caf::actor>(self));
  const auto upstream = system.spawn<seller>(stage);
  self->receive([](int receipts) { expect(receipts == 100, "a stage between two actors"); });

  fmap::thread_pool pool{system, {.workers = 2}};
  const auto doubler = pool.handle<int>(twice);
  self->request(doubler, caf::infinite, 21)
      .receive([](int x) { expect(x == 42, "a request to a pool"); },
               [](const caf::error&) { expect(false, "a request to a pool"); });
  int sum = 0;
  for (int v : fmap::future_map<int>(system, doubler, std::views::iota(0, 10), 4)) sum += v;
  expect(sum == 90, "a map over an actor");
}

int main(int argc, char** argv) {
  fmap::init(argc, argv);
  map_and_tasks();
  processes();
  actors();
  return failures;
}
