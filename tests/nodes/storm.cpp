// SPDX-License-Identifier: BSD-3-Clause
// Whatever can happen to nodes happens to three of them, again and again, during a long run.
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <ranges>
#include <set>
#include <sstream>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmap/fmap.hpp>
#include <fmap/node_pool.hpp>

#include "src/remote/link/join_file.hpp"
#include "support/bridge.hpp"
#include "support/catch.hpp"
#include "support/dialling.hpp"
#include "support/eventually.hpp"
#include "support/folder.hpp"
#include "support/nodes.hpp"
#include "support/processes.hpp"
#include "support/seed.hpp"

using namespace std::chrono_literals;
using testing::dialled_node;

namespace {

constexpr auto silence = 1500ms;

enum fault : std::uint8_t {
  worker_killed,
  worker_stopped,
  agent_killed,
  agent_stopped,
  agent_told_to_leave,
  connection_reset,
  connection_silent,
  number_of_faults
};

constexpr std::array<const char*, number_of_faults> fault_names{
    "worker killed", "worker stopped",   "agent killed",     "agent stopped",
    "told to leave", "connection reset", "connection silent"};

constexpr std::uint64_t poison_every = 100'000, poison_at = 61'803;

/// Some microseconds of arithmetic. Poison items note where they die.
struct work {
  std::uint64_t operator()(std::uint64_t x) const {
    if (x % poison_every == poison_at) {
      testing::logbook::write(x << 32 | static_cast<std::uint64_t>(::getpid()));
      std::raise(SIGKILL);
    }
    std::uint64_t y = x;
    for (int i = 0; i != 2000; ++i) y = y * 6364136223846793005u + 1442695040888963407u;
    return y == 1 ? 0 : x;
  }
};

/// Three nodes that dial in over a bridge, and what happens to them: spread over the run by its progress.
class storm {
public:
  storm(const std::string& join_file, testing::bridge& way, std::uint64_t faults,
        std::uint64_t items, const std::atomic<std::uint64_t>& taken)
      : join_file_{join_file}, way_{way} {
    for (auto& node : nodes_) node = begin();
    thread_ = std::jthread{[=, this, &taken](const std::stop_token& stop) {
      for (std::uint64_t n = 0; n != faults && !stop.stop_requested();) {
        wake_up(clock::now());
        if (taken.load() < items / (faults + 1) * n)
          std::this_thread::yield();
        else if (cause(static_cast<fault>(dice_.below(number_of_faults))))
          ++n;
      }
      wake_up(clock::time_point::max());
    }};
  }

  void join() { thread_.join(); }
  const std::array<int, number_of_faults>& done() const { return done_; }

  /// Ends it, and tells what the nodes of its last moment have said.
  std::string said() {
    thread_.request_stop();
    thread_.join();
    std::string result;
    for (const auto& n : nodes_) result += std::to_string(n->pid()) + ": " + n->said() + '\n';
    return result;
  }

private:
  using clock = std::chrono::steady_clock;
  using node = std::unique_ptr<dialled_node>;

  node begin() const {
    return std::make_unique<dialled_node>(std::vector<std::string>{
        "--fmap-node=@" + join_file_, "--fmap-workers=2", "--fmap-drain=2"});
  }

  bool cause(fault f) {
    node& n = nodes_[dice_.below(nodes_.size())];
    switch (f) {
      case worker_killed:
      case worker_stopped: {
        const auto workers = testing::children_of(n->pid());
        if (workers.empty()) return false;
        const pid_t worker = workers[dice_.below(workers.size())];
        if (f == worker_killed)
          ::kill(worker, SIGKILL);
        else
          stop(worker, dice_.between(1, 200));
        break;
      }
      case agent_killed:
        n->kill(SIGKILL);
        n->wait();
        n = begin();
        break;
      case agent_stopped: stop(n->pid(), dice_.between(1, 2 * silence.count())); break;
      case agent_told_to_leave:
        wake_up(clock::time_point::max());
        n->kill(SIGTERM);
        n->wait();
        n = begin();
        break;
      case connection_reset: way_.reset(dice_.below(1000)); break;
      case connection_silent:
        way_.silence(dice_.below(1000),
                     std::chrono::milliseconds{dice_.between(1, 2 * silence.count())});
        break;
      case number_of_faults: return false;
    }
    ++done_[f];
    return true;
  }

  void stop(pid_t pid, std::uint64_t ms) {
    ::kill(pid, SIGSTOP);
    stopped_.push_back({clock::now() + std::chrono::milliseconds{ms}, pid});
  }

  void wake_up(clock::time_point now) {
    std::erase_if(stopped_, [now](const auto& s) {
      return s.first <= now && (::kill(s.second, SIGCONT), true);
    });
  }

  const std::string join_file_;
  testing::bridge& way_;
  testing::dice dice_{testing::seed()};
  std::array<node, 3> nodes_;
  std::vector<std::pair<clock::time_point, pid_t>> stopped_;
  std::array<int, number_of_faults> done_{};
  std::jthread thread_;
};

std::string description(const std::vector<fmap::node_info>& nodes) {
  std::ostringstream out;
  for (const auto& n : nodes)
    out << n.name << ' ' << to_string(n.state) << ", " << n.workers << " workers, holds " << n.held
        << ", has done " << n.done << ", " << n.lives << " lives; " << n.last_end << '\n';
  return out.str();
}

/// One outcome each, nobody blamed but the poison items, and these with the process in which they died.
void survive(std::uint64_t faults, std::uint64_t count) {
  INFO(testing::seed_message(testing::seed()));
  const testing::folder here;
  const testing::logbook deaths;
  const testing::belongings before;
  std::vector<char> seen(count);
  std::atomic<std::uint64_t> taken{0};
  std::map<std::uint64_t, fmap::worker_death> lost;
  std::uint64_t wrong = 0;
  {
    fmap::node_pool pool{
        {.listen = "127.0.0.1:0",
         .tls = fmap::temporary_tls,
         .heartbeat = 300ms,
         .silence = silence,
         .processes = {.restarts = 1'000'000, .environment = {deaths.variable()}}}};
    pool.write_join_file(here / "join");
    auto join = fmap::remote::read_join_file(here / "join");
    testing::bridge way{join.addresses.at(0)};
    join.addresses = {way.where()};
    fmap::remote::write_join_file(join, here / "join");
    storm s{here / "join", way, faults, count, taken};
    fmap::future_map m{pool,
                       work{},
                       std::views::iota(std::uint64_t{0}, count),
                       {.buffersize = 1024, .timeout = 20min, .max_attempts = 6}};
    const auto see = [&](auto& o) {
      if (++seen[o.index()] != 1) ++wrong;
      if (o.has_value()) {
        if (o.value() != o.index()) ++wrong;
      } else {
        try {
          std::rethrow_exception(o.error());
        } catch (const fmap::worker_lost& e) {
          lost.emplace(o.index(), e.death());
        }
      }
      ++taken;
    };
    try {
      for (auto& o : m.outcomes()) see(o);
    } catch (const fmap::timeout_error& e) {
      FAIL(e.what() << " after " << taken << " of them\n" << description(pool.nodes()) << s.said());
    }
    s.join();
    const auto stats = m.stats();
    CHECK(stats.quarantined == lost.size());
    std::cout << count << " items, " << stats.retried << " retried;";
    for (std::size_t f = 0; f != number_of_faults; ++f)
      std::cout << ' ' << fault_names[f] << ": " << s.done()[f];
    std::cout << '\n';
  }
  CHECK(wrong == 0);
  CHECK(taken == count);
  std::map<std::uint64_t, std::set<std::uint64_t>> noted;
  for (const auto& [entry, times] : deaths.counts()) noted[entry >> 32].insert(entry & 0xffffffff);
  for (std::uint64_t x = poison_at; x < count; x += poison_every) {
    INFO("poison item " << x);
    REQUIRE(lost.count(x) == 1);
    // Its last attempt may have ended with its node.
    if (lost[x].exit_code >= 0) {
      CHECK(lost[x].signal == SIGKILL);
      CHECK(noted[x].count(static_cast<std::uint64_t>(lost[x].pid)) == 1);
    }
    lost.erase(x);
  }
  CHECK(lost.empty());
  CHECK(testing::eventually([&] { return testing::belongings{}.no_more_than(before); }));
}

}  // namespace

TEST_CASE("nodes: faults of seven kinds lose and repeat nothing", "[.long]") {
  survive(20, 200'000);
}

TEST_CASE("nodes: 1000 faults of seven kinds in a run of 1,000,000 items", "[.long]") {
  survive(1000, 1'000'000);
}
