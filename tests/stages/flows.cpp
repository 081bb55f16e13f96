// SPDX-License-Identifier: BSD-3-Clause
// Stages in CAF's flows, on the CAF that has them.
#include "actors/caf_compat.hpp"

#if FMAP_CAF_1

#  include <atomic>
#  include <chrono>
#  include <functional>
#  include <future>
#  include <memory>
#  include <mutex>
#  include <set>
#  include <stdexcept>
#  include <string>
#  include <vector>

#  include <fmap/flow.hpp>
#  include <fmap/stage.hpp>

#  include "support/catch.hpp"
#  include "support/puppet.hpp"

using namespace testing;

namespace {

/// What came out of a flow, and how it ended: "complete", or its error.
class flow_record {
public:
  void add(int x) {
    std::lock_guard guard{mutex_};
    seen_.push_back(x);
  }
  void ends(std::string how) { how_.set_value(std::move(how)); }

  std::string end() {
    auto end = how_.get_future();
    return end.wait_for(std::chrono::seconds{20}) == std::future_status::ready ? end.get() : "none";
  }
  std::size_t size() const {
    std::lock_guard guard{mutex_};
    return seen_.size();
  }
  std::multiset<int> seen() const {
    std::lock_guard guard{mutex_};
    return {seen_.begin(), seen_.end()};
  }

private:
  mutable std::mutex mutex_;
  std::vector<int> seen_;
  std::promise<std::string> how_;
};

using record = std::shared_ptr<flow_record>;

template <class T>
void note(caf::flow::observable<T> results, const record& r) {
  results.do_on_complete([r] { r->ends("complete"); })
      .do_on_error([r](const caf::error& e) { r->ends(text_of(e)); })
      .for_each([r](const T& x) {
        if constexpr (std::is_same_v<T, int>)
          r->add(x);
        else
          r->add(x ? *x : -1);
      });
}

struct world {
  fmap::actor_system_config config;
  caf::actor_system system{config};

  /// Runs something in an actor of its own; only its flows keep that alive.
  caf::actor in_an_actor(std::function<void(caf::event_based_actor*)> what) {
    return system.spawn([what = std::move(what)](caf::event_based_actor* self) { what(self); });
  }
};

int twice(int x) { return 2 * x; }

int odd_fails(int x) {
  if (x % 2 == 1) throw std::runtime_error{"odd"};
  return x;
}

}  // namespace

TEST_CASE("a flow into a stage, and the stage's results as a flow") {
  world w;
  const auto r = std::make_shared<flow_record>();
  const caf::actor stage = fmap::spawn_stage<int, int>(w.system, twice, {.buffersize = 8});
  const obituary end{stage};
  w.in_an_actor([&](caf::event_based_actor* self) {
    fmap::to_stage(self, self->make_observable().iota(0).take(1000).as_observable(), stage);
    note(fmap::from_stage<int>(self, stage), r);
  });
  CHECK(r->end() == "complete");
  CHECK(end.awaited() == "");
  const auto seen = r->seen();
  CHECK(seen.size() == 1000);
  CHECK(std::set<int>(seen.begin(), seen.end()).size() == 1000);
  CHECK(*seen.rbegin() == 1998);
}

TEST_CASE("an endless flow is pulled no further than stage and buffers hold") {
  world w;
  std::atomic<int> made{0};
  const caf::actor stage = fmap::spawn_stage<int, int>(w.system, twice, {.buffersize = 8});
  w.in_an_actor([&](caf::event_based_actor* self) {
    fmap::to_stage(
        self,
        self->make_observable().iota(0).map([&made](int x) { return ++made, x; }).as_observable(),
        stage);
  });
  // Nobody takes results: when the stage is full, the flow stands still.
  puppet down{w.system};
  down.tells(stage, fmap::attach_sink{});
  down.tells(stage, fmap::demand{8});
  REQUIRE(down.heard(8).size() == 8);
  const int bound = 8 + 8 + static_cast<int>(caf::defaults::flow::buffer_size);
  CHECK(made <= bound);
  down.dies(death::normal);
}

TEST_CASE("a failure ends a flow of results, with its text") {
  world w;
  const auto r = std::make_shared<flow_record>();
  caf::actor stage =
      fmap::spawn_stage<int, int>(w.system, odd_fails, {.workers = 1, .ordered = true});
  const obituary end{stage};
  w.in_an_actor([&](caf::event_based_actor* self) {
    fmap::to_stage(self, self->make_observable().iota(0).as_observable(), stage);
    note(fmap::from_stage<int>(self, stage), r);
  });
  CHECK(r->end() == "fmap: item 1 failed: odd");
  CHECK(r->seen() == std::multiset<int>{0});
  CHECK(end.awaited() == "fmap: item 1 failed: odd");
}

TEST_CASE("failures are elements of a flow of expected") {
  world w;
  const auto r = std::make_shared<flow_record>();
  const caf::actor stage = fmap::spawn_stage<int, int>(w.system, odd_fails);
  w.in_an_actor([&](caf::event_based_actor* self) {
    fmap::to_stage(self, self->make_observable().iota(0).take(100).as_observable(), stage);
    note(fmap::from_stage<caf::expected<int>>(self, stage), r);
  });
  CHECK(r->end() == "complete");
  CHECK(r->size() == 100);
  CHECK(r->seen().count(-1) == 50);
}

TEST_CASE("a flow that fails is the reason of the stage's end, and of the flow's after it") {
  world w;
  const auto r = std::make_shared<flow_record>();
  const caf::actor stage = fmap::spawn_stage<int, int>(w.system, twice);
  const obituary end{stage};
  w.in_an_actor([&](caf::event_based_actor* self) {
    fmap::to_stage(self,
                   self->make_observable()
                       .iota(0)
                       .take(10)
                       .concat(self->make_observable().fail<int>(
                           caf::make_error(caf::sec::runtime_error, "ill")))
                       .as_observable(),
                   stage);
    note(fmap::from_stage<int>(self, stage), r);
  });
  CHECK(r->end() == "ill");
  CHECK(r->size() == 10);
  CHECK(end.awaited() == "ill");
}

TEST_CASE("whoever leaves the flow of results stops the stage and the flow before it") {
  world w;
  const auto r = std::make_shared<flow_record>();
  const caf::actor stage = fmap::spawn_stage<int, int>(w.system, twice, {.buffersize = 4});
  const obituary end{stage};
  const caf::actor actor = w.in_an_actor([&](caf::event_based_actor* self) {
    fmap::to_stage(self, self->make_observable().iota(0).as_observable(), stage);
    note(fmap::from_stage<int>(self, stage).take(5).as_observable(), r);
  });
  const obituary user{actor};
  CHECK(r->end() == "complete");
  CHECK(r->size() == 5);
  CHECK(end.awaited() == "");
  CHECK(user.awaited() == "");  // its flows are over
}

TEST_CASE("the actor that has the flow of results dies: the stage stops, and the flow before it") {
  world w;
  const death how = GENERATE(death::normal, death::error, death::exit_message);
  const auto r = std::make_shared<flow_record>();
  const caf::actor stage = fmap::spawn_stage<int, int>(w.system, twice, {.buffersize = 4});
  const obituary end{stage}, user{w.in_an_actor([&](caf::event_based_actor*self) {
    fmap::to_stage(self, self->make_observable().iota(0).as_observable(), stage);
  })};
  const caf::actor actor = w.system.spawn([&](caf::event_based_actor* self) -> caf::behavior {
    fmap::from_stage<int>(self, stage).for_each([r](int x) { r->add(x); });
    return {[self](const command& c) { c.what(self); }};
  });
  REQUIRE(eventually([&] { return r->size() > 100; }));
  fmap::actors::post(actor, command{[how](caf::event_based_actor* self) { die_now(self, how); }});
  CHECK(end.awaited() == std::vector{"", "ill", "kill"}[static_cast<std::size_t>(how)]);
  CHECK(user.awaited() == "");
}

TEST_CASE("the actor that has the flow of items dies: the stage finishes what it has") {
  world w;
  const death how = GENERATE(death::normal, death::error, death::exit_message);
  const auto r = std::make_shared<flow_record>();
  const caf::actor stage = fmap::spawn_stage<int, int>(w.system, twice, {.buffersize = 4});
  w.in_an_actor([&](caf::event_based_actor* self) { note(fmap::from_stage<int>(self, stage), r); });
  const caf::actor actor = w.system.spawn([&](caf::event_based_actor* self) -> caf::behavior {
    fmap::to_stage(self, self->make_observable().iota(0).as_observable(), stage);
    return {[self](const command& c) { c.what(self); }};
  });
  REQUIRE(eventually([&] { return r->size() > 100; }));
  fmap::actors::post(actor, command{[how](caf::event_based_actor* self) { die_now(self, how); }});
  CHECK(r->end() == "disposed");
}

TEST_CASE("the stage dies: the flow of results fails, the flow before it is cancelled") {
  world w;
  const auto r = std::make_shared<flow_record>();
  const caf::actor stage = fmap::spawn_stage<int, int>(w.system, twice, {.buffersize = 4});
  const obituary user{w.in_an_actor([&](caf::event_based_actor* self) {
    fmap::to_stage(self, self->make_observable().iota(0).as_observable(), stage);
    note(fmap::from_stage<int>(self, stage), r);
  })};
  REQUIRE(eventually([&] { return r->size() > 100; }));
  caf::anon_send_exit(stage, caf::exit_reason::kill);
  CHECK(r->end() == "kill");
  CHECK(user.awaited() == "");
}

TEST_CASE("a stage that has its neighbours refuses a second flow on either side") {
  world w;
  const caf::actor stage = fmap::spawn_stage<int, int>(w.system, twice);
  puppet up{w.system}, down{w.system};
  up.tells(stage, fmap::attach_source{});
  down.tells(stage, fmap::attach_sink{});
  REQUIRE(up.heard(1).size() == 1);
  const auto r = std::make_shared<flow_record>();
  const obituary user{w.in_an_actor([&](caf::event_based_actor* self) {
    fmap::to_stage(self, self->make_observable().iota(0).as_observable(), stage);
    note(fmap::from_stage<int>(self, stage), r);
  })};
  CHECK(r->end() == "fmap: this stage has a downstream already");
  CHECK(user.awaited() == "");
  up.tells(stage, 21);
  down.tells(stage, fmap::demand{1});
  CHECK(down.heard(1) == lines{"42"});
}

TEST_CASE("a flow and a handle to no actor") {
  world w;
  std::atomic<int> refused{0};
  const obituary user{w.in_an_actor([&](caf::event_based_actor* self) {
    const auto items = self->make_observable().iota(0).take(1).as_observable();
    try {
      fmap::to_stage(self, items, nullptr);
    } catch (const std::invalid_argument& e) {
      if (e.what() == std::string{"fmap: to_stage() was given a handle to no actor"}) ++refused;
    }
    try {
      fmap::from_stage<int>(self, nullptr);
    } catch (const std::invalid_argument& e) {
      if (e.what() == std::string{"fmap: from_stage() was given a handle to no actor"}) ++refused;
    }
  })};
  CHECK(user.awaited() == "");
  CHECK(refused == 2);
}

#endif
