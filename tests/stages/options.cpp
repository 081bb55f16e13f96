// SPDX-License-Identifier: BSD-3-Clause
// The options of stages: those that make no sense, and those that the configuration gives.
#include <algorithm>
#include <atomic>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fmap/stage.hpp>
#include <fmap/thread_pool.hpp>

#include "src/core/processors.hpp"
#include "support/catch.hpp"
#include "support/puppet.hpp"

using namespace testing;

namespace {

int same(int x) { return x; }

struct arguments_config : fmap::actor_system_config {
  explicit arguments_config(std::vector<std::string> arguments, const std::string& content = "") {
    std::istringstream in{content};
    if (parse(std::move(arguments), in)) throw std::runtime_error{"bad configuration"};
  }
};

/// How many items a stage of this system asks for at once.
std::string demand_of(caf::actor_system& system, const fmap::stage_options& options = {}) {
  const caf::actor stage = fmap::spawn_stage<int, int>(system, same, options);
  puppet up{system};
  up.tells(stage, fmap::attach_source{});
  const lines heard = up.heard(1);
  return heard.empty() ? "" : heard[0];
}

/// How many threads a stage of this system uses at once.
int workers_of(caf::actor_system& system, const fmap::stage_options& options = {}) {
  gate hold;
  const caf::actor stage = fmap::spawn_stage<int, int>(
      system,
      [&](int x) {
        hold.pass();
        return x;
      },
      options);
  puppet up{system}, down{system};
  opens_at_exit guard{hold};
  const obituary end{stage};
  down.tells(stage, fmap::attach_sink{});
  down.tells(stage, fmap::demand{100});
  up.tells(stage, fmap::attach_source{});
  up.heard(1);
  for (int i = 0; i != 16; ++i) up.tells(stage, i);
  up.tells(stage, fmap::end{});
  int most = 0;
  eventually([&] {
    most = std::max(most, hold.waiting());
    return most >= 3;
  });
  hold.open();
  end.awaited();
  return most;
}

}  // namespace

TEST_CASE("options of a stage that make no sense are refused") {
  caf::actor_system_config config;
  caf::actor_system system{config};
  const auto spawn = [&](const fmap::stage_options& o) {
    return fmap::spawn_stage<int, int>(system, same, o);
  };
  CHECK_THROWS_AS(spawn({.buffersize = 0}), std::invalid_argument);
  CHECK_THROWS_AS(spawn({.workers = 0}), std::invalid_argument);
  CHECK_THROWS_AS(spawn({.buffersize = 4, .chunksize = 5}), std::invalid_argument);
  CHECK_THROWS_AS(spawn({.chunksize = 0}), std::invalid_argument);
  CHECK_THROWS_AS(spawn({.max_attempts = 0}), std::invalid_argument);
  CHECK_THROWS_AS(spawn({.item_timeout = std::chrono::seconds{1}}), std::invalid_argument);
  CHECK_THROWS_AS(fmap::spawn_sink<int>(system, [](int) {}, {.buffersize = 0}),
                  std::invalid_argument);
  fmap::thread_pool pool{1};
  CHECK_THROWS_WITH((fmap::spawn_stage<int, int>(system, pool, same, {.workers = 2})),
                    Catch::Contains("leave workers out"));
  pool.shutdown();
  CHECK_THROWS_AS((fmap::spawn_stage<int, int>(system, pool, same)), fmap::pool_shutdown);
}

TEST_CASE("without any option a stage has four items for each worker, at least 16") {
  caf::actor_system_config config;
  caf::actor_system system{config};
  const std::size_t workers = fmap::detail::usable_processors();
  CHECK(demand_of(system) == "demand " + std::to_string(std::max<std::size_t>(16, 4 * workers)));
  CHECK(demand_of(system, {.workers = 8}) == "demand 32");
  CHECK(demand_of(system, {.chunksize = 40}) == "demand 40");
}

TEST_CASE("options on the command line reach stages that leave them out") {
  arguments_config config{{"--fmap.workers=3", "--fmap.buffersize=20"}};
  caf::actor_system system{config};
  CHECK(demand_of(system) == "demand 20");
  CHECK(demand_of(system, {.buffersize = 5}) == "demand 5");
  CHECK(workers_of(system) == 3);
}

TEST_CASE("options in a configuration file reach stages that leave them out") {
  arguments_config config{{}, config_group("fmap", "workers=3\nbuffersize=21\n")};
  caf::actor_system system{config};
  CHECK(demand_of(system) == "demand 21");
  CHECK(workers_of(system, {.buffersize = 16}) == 3);
}

TEST_CASE("a number of workers or items below 1 in the configuration is refused") {
  const std::string option = GENERATE("workers=-1", "workers=0", "buffersize=-3", "buffersize=0");
  const bool in_file = GENERATE(false, true);
  arguments_config config{in_file ? std::vector<std::string>{}
                                  : std::vector<std::string>{"--fmap." + option},
                          in_file ? config_group("fmap", option + "\n") : ""};
  caf::actor_system system{config};
  CHECK_THROWS_AS((fmap::spawn_stage<int, int>(system, same)), std::invalid_argument);
  CHECK_THROWS_WITH((fmap::spawn_stage<int, int>(system, same)),
                    Catch::Contains("fmap: fmap." + option.substr(0, option.find('=')))
                        && Catch::Contains("at least 1"));
}

/// With fmap's options, and without: a file is read either way.
template <class Config>
void refuses_what_is_no_number() {
  struct config : Config {
    explicit config(const std::string& content) {
      std::istringstream in{content};
      if (this->parse(std::vector<std::string>{}, in))
        throw std::invalid_argument{"bad configuration"};
    }
  };
  const std::string name = GENERATE("workers", "buffersize"), value = GENERATE("\"x\"", "2.5");
  const std::string content = config_group("fmap", name + "=" + value + "\n");
  std::optional<config> given;
  try {
    given.emplace(content);
  } catch (const std::invalid_argument&) {
    return;  // CAF 1 says so itself if the option is known
  }
  caf::actor_system system{*given};
  CHECK_THROWS_AS((fmap::spawn_stage<int, int>(system, same)), std::invalid_argument);
  CHECK_THROWS_WITH((fmap::spawn_stage<int, int>(system, same)),
                    Catch::Contains("fmap: fmap." + name)
                        && Catch::Contains("must be a number, at least 1"));
  if (name == "workers") CHECK(demand_of(system, {.workers = 1}) == "demand 16");
}

TEST_CASE("workers or items in a file that are no number are refused") {
  refuses_what_is_no_number<fmap::actor_system_config>();
}

TEST_CASE(
    "workers or items in a file that are no number are refused: without fmap's options, too") {
  refuses_what_is_no_number<caf::actor_system_config>();
}
