// SPDX-License-Identifier: BSD-3-Clause
// The real actors in thousands of random orders: the bound and exactly-once after every step, whoever
// fails, is killed or leaves.
#include <cstdint>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmap/errors.hpp>

#include "support/catch.hpp"
#include "support/collect.hpp"
#include "support/stepped_pool.hpp"
#include "support/this_process.hpp"

using namespace testing;

namespace {

/// What happens to a schedule on the way.
enum class mishap {
  none,
  source_throws,
  source_killed,
  worker_killed,
  supervisor_killed,
  stopped,
  shut_down
};

/// One schedule, drawn from its seed. User code lets others run in its midst, so that several workers
/// and the source are inside user code at once, as far as that can be nested on one thread.
class schedule {
public:
  schedule(std::uint64_t seed, mishap m) : dice_{seed}, mishap_{m}, pool_{dice_(), 1 + below(4)} {
    limits_.buffersize = 1 + below(20);
    limits_.ordered = below(2) == 0;
    if (below(3) == 0)
      limits_.chunksize = 1 + below(static_cast<std::uint32_t>(limits_.buffersize));
    items_ = below(150);
    at_hand_ = mishap_ != mishap::source_killed && below(2) == 0;
    throws_at_ = mishap_ == mishap::source_throws ? below(150) : ~0ull;
    strikes_at_ = below(200);
  }

  /// What went wrong; empty if nothing did.
  std::string play() {
    {
      stepped_run run{pool_,
                      limits_,
                      items_,
                      [this](std::uint64_t i) { return make(i); },
                      [this](counted c) { return apply(std::move(c)); },
                      at_hand_};
      run_ = &run;
      for (std::uint64_t idle = 0; !run.over(); ++steps_) {
        if (steps_ == strikes_at_) strike();
        idle = act() ? 0 : idle + 1;
        check();
        if (idle > 200) {
          expect(false, "nobody moves");
          break;
        }
      }
      if (problem_.empty()) check_end();
      run_ = nullptr;
    }
    pool_.shut_down();
    expect(counted::alive == 0, "an item is left");
    expect(pool_.world.running() == 0, "an actor is left");
    expect(!pool_.world.waits_for_time(), "a tick is left");
    return problem_;
  }

private:
  std::uint32_t below(std::uint32_t n) {
    return std::uniform_int_distribution<std::uint32_t>{0, n - 1}(dice_);
  }

  void expect(bool holds, const char* what) {
    if (!holds && problem_.empty()) problem_ = what;
  }

  counted make(std::uint64_t i) {
    ++pulled_;
    expect(pulled_ - run_taken() <= limits_.buffersize, "pulled more than the bound");
    meanwhile();
    if (i == throws_at_) {
      --pulled_;  // no item came of it
      throw std::runtime_error{"source"};
    }
    return counted{static_cast<int>(i)};
  }

  counted apply(counted c) {
    const int i = c.value();
    expect(called_.insert(i).second, "called twice for an item");
    meanwhile();
    if (i % 11 == 5) throw std::runtime_error{"item " + std::to_string(i)};
    return counted{2 * i};
  }

  std::uint64_t run_taken() const { return run_ != nullptr ? run_->taken() : 0; }

  /// Others run while somebody is inside user code.
  void meanwhile() {
    if (run_ == nullptr || depth_ == 6 || below(3) != 0) return;
    ++depth_;
    for (std::uint32_t i = below(4); i != 0; --i) {
      act();
      check();
    }
    --depth_;
  }

  /// Somebody does one thing; false if there was nothing to do.
  bool act() {
    switch (below(5)) {
      case 0: return pool_.world.advance(fmap::kernel::tuning::tick);
      case 1: return take();
      case 2: run_->give_tokens_back(); [[fallthrough]];
      default: return pool_.world.step();
    }
  }

  bool take() {
    const auto outcome = run_->take();
    if (!outcome) return false;
    expect(seen_.insert(outcome->index).second, "an outcome came twice");
    expect(outcome->index < pulled_, "an outcome of nothing");
    if (limits_.ordered) expect(outcome->index == seen_.size() - 1, "out of order");
    if (outcome->value)
      expect(*outcome->value == 2 * static_cast<int>(outcome->index), "wrong value");
    else if (message_of(outcome->error) != "item " + std::to_string(outcome->index))
      ++losses_;
    return true;
  }

  void strike() {
    switch (mishap_) {
      case mishap::source_killed: kill("fmap.source"); break;
      case mishap::worker_killed:
        kill("fmap.worker");
        strikes_at_ += 1 + below(30);
        break;
      case mishap::supervisor_killed: kill("fmap.supervisor"); break;
      case mishap::stopped: run_->stop(); break;
      case mishap::shut_down: pool_.box().shut_down(); break;
      default: break;
    }
    struck_ = true;
  }

  void kill(const std::string& name) {
    const auto found = pool_.world.named(name);
    if (!found.empty()) pool_.world.kill(found[below(static_cast<std::uint32_t>(found.size()))]);
  }

  /// What holds at any moment.
  void check() {
    if (run_ == nullptr || below(2) == 0) return;
    const auto s = run_->stats();
    const auto& c = s.counts;
    expect(c.queued + c.held + s.ready <= limits_.buffersize, "more in flight than the bound");
    expect(c.pulled == c.queued + c.held + s.ready + s.taken + c.dropped, "stats do not add up");
    expect(c.pulled <= pulled_, "more items than were pulled");
    expect(c.peak_in_flight <= limits_.buffersize, "peak above the bound");
  }

  void check_end() {
    const auto message = message_of<fmap::error>([this] { run_->throw_if_cut(); });
    const std::string source = run_->input_error() ? message_of(run_->input_error()) : "";
    if (mishap_ == mishap::stopped && struck_) return;
    expect(seen_.size() == pulled_, "an item without an outcome");
    if (mishap_ != mishap::supervisor_killed) expect(losses_ == 0, "an item was lost");
    if (source.empty() && message == "nothing") {
      expect(pulled_ == items_, "ended early without an error");
    } else if (throws_at_ < items_) {
      expect(source == "source", "the source's exception is lost");
    } else {
      expect(mishap_ != mishap::none && mishap_ != mishap::worker_killed && struck_,
             "an error of nobody's");
    }
  }

  std::mt19937_64 dice_;
  mishap mishap_;
  stepped_pool pool_;
  fmap::actors::run_limits limits_;
  bool at_hand_ = false;
  std::uint64_t items_ = 0, throws_at_ = 0, strikes_at_ = 0, steps_ = 0;
  stepped_run* run_ = nullptr;
  std::uint64_t pulled_ = 0, losses_ = 0;
  std::set<int> called_;
  std::set<std::uint64_t> seen_;
  int depth_ = 0;
  bool struck_ = false;
  std::string problem_;
};

void play_many(mishap m, std::uint64_t schedules) {
  const std::uint64_t first = std::random_device{}();
  for (std::uint64_t seed = first; seed != first + schedules; ++seed) {
    const std::string problem = schedule{seed, m}.play();
    CAPTURE(seed);
    REQUIRE(problem == "");
  }
}

constexpr std::uint64_t many = memory_is_watched ? 500 : 2000;

}  // namespace

TEST_CASE("random schedules: the bound and exactly-once hold after every step") {
  play_many(mishap::none, 2 * many);
}

TEST_CASE("random schedules with a source that throws") { play_many(mishap::source_throws, many); }

TEST_CASE("random schedules in which the source is killed") {
  play_many(mishap::source_killed, many);
}

TEST_CASE("random schedules in which workers are killed between batches") {
  play_many(mishap::worker_killed, many);
}

TEST_CASE("random schedules in which the supervisor is killed") {
  play_many(mishap::supervisor_killed, many);
}

TEST_CASE("random schedules in which the run is stopped") { play_many(mishap::stopped, many); }

TEST_CASE("random schedules in which the pool is shut down") { play_many(mishap::shut_down, many); }
