// SPDX-License-Identifier: BSD-3-Clause
// Who is called at once and who later: every combination, against the same conditions written down another way.

#include <array>
#include <chrono>
#include <cstdint>
#include <set>

#include "src/kernel/wake_policy.hpp"
#include "support/catch.hpp"

using namespace fmap::kernel;
using namespace std::chrono_literals;

namespace {

constexpr std::array urgencies{urgency::usual, urgency::at_once};
constexpr std::array grains{grain::unknown, grain::fine, grain::medium, grain::coarse};

/// Calls `f(bits)` for each number below 2^n.
template <class F>
void each(unsigned n, F f) {
  for (unsigned bits = 0; bits != 1u << n; ++bits) f(bits);
}

struct workers {
  explicit workers(unsigned bits)
      : something{(bits & 1) != 0}, idle{(bits & 2) != 0}, startable{(bits & 4) != 0},
        waits{(bits & 8) != 0}, little{(bits & 16) != 0}, soon{(bits & 32) != 0},
        wanting{(bits & 64) != 0}, failed{(bits & 128) != 0}, holds_out{(bits & 256) != 0} {}

  bool work() const { return something; }
  bool asleep() const { return idle; }
  bool may_start() const { return startable; }
  bool blocked() const { return waits; }
  std::chrono::nanoseconds backlog() const {
    return little ? tuning::wake_up - 1ns : tuning::wake_up;
  }
  bool someone_soon() const { return soon; }
  bool taker(urgency u) const { return idle && (wanting || (u == urgency::at_once && !holds_out)); }
  bool backing_off() const { return failed; }

  bool something, idle, startable, waits, little, soon, wanting, failed;
  bool holds_out;  // whoever is idle waits for a full batch
};

/// Step by step, as one would do it by hand.
act expected(const workers& s, urgency u) {
  if (!s.something) return act::none;
  if (!s.idle && !s.startable) return s.waits ? act::reserve : act::none;
  const bool at_once = u == urgency::at_once;
  if (!at_once && s.little && s.soon) return act::later;
  if (s.idle && (s.wanting || (at_once && !s.holds_out))) return act::now;
  if (s.idle && !(at_once && s.startable)) return act::later;
  return s.failed ? act::later : act::start;
}

struct consumer {
  bool anything() const { return there || ended; }
  bool over() const { return ended; }
  grain size() const { return items; }
  bool looking() const { return looks; }
  std::uint64_t ready() const { return count; }
  std::uint64_t worth() const { return enough; }
  bool stalled() const { return nothing_moves; }
  bool starving() const { return workers_sleep; }

  bool there = false, ended = false, looks = false, nothing_moves = false, workers_sleep = false;
  grain items{};
  std::uint64_t count = 0, enough = 1;
};

template <class F>
void each_consumer(F f) {
  for (const grain items : grains)
    for (const std::uint64_t enough : {1u, 2u, 5u})
      for (const std::uint64_t count :
           {std::uint64_t{0}, std::uint64_t{1}, enough - 1, enough, enough + 1})
        each(5, [&](unsigned b) {
          const consumer s{(b & 1) != 0,  (b & 2) != 0, (b & 4) != 0, (b & 8) != 0,
                           (b & 16) != 0, items,        count,        enough};
          // What is ready is not over, and nothing is ready where there is none.
          if (s.there && (s.ended || count == 0)) return;
          f(s);
        });
}

/// Whether a consumer is to come.
bool is_worth_it(const consumer& s) {
  const bool light = s.items == grain::fine;
  if (light && s.looks) return true;
  return s.count >= s.enough || s.nothing_moves || (!light && s.workers_sleep);
}

struct producer {
  bool could_pull() const { return can; }
  std::uint64_t free() const { return tokens; }
  std::uint64_t worth() const { return enough; }
  grain size() const { return items; }
  bool sink_asleep() const { return sink_sleeps; }
  bool stalled() const { return nothing_moves; }
  bool starving() const { return workers_sleep; }

  bool can = false, sink_sleeps = false, nothing_moves = false, workers_sleep = false;
  grain items{};
  std::uint64_t tokens = 0, enough = 1;
};

template <class F>
void each_producer(F f) {
  for (const grain items : grains)
    for (const std::uint64_t enough : {1u, 2u, 5u})
      for (const std::uint64_t tokens :
           {std::uint64_t{0}, std::uint64_t{1}, enough - 1, enough, enough + 1})
        each(4, [&](unsigned b) {
          f(producer{(b & 1) != 0, (b & 2) != 0, (b & 4) != 0, (b & 8) != 0, items, tokens,
                     enough});
        });
}

act expected(const producer& s, urgency u) {
  if (!s.can) return act::none;
  const bool dry = s.items == grain::fine ? s.sink_sleeps && s.nothing_moves : s.workers_sleep;
  return u == urgency::at_once || s.tokens >= s.enough || dry ? act::now : act::later;
}

}  // namespace

TEST_CASE("wake policy: a worker is called, started, put off or let sleep, in every situation") {
  int wrong = 0, cases = 0;
  std::set<act> seen;
  for (const urgency u : urgencies)
    each(9, [&](unsigned bits) {
      const workers s{bits};
      const act got = call_worker(s, u).what;
      wrong += got != expected(s, u);
      ++cases;
      seen.insert(got);
    });
  CHECK(cases == 1024);
  CHECK(seen.size() == 5);
  CHECK(wrong == 0);
}

TEST_CASE("wake policy: a consumer is called, put off or let sleep, in every situation") {
  int wrong = 0;
  std::set<act> seen;
  each_consumer([&](const consumer& s) {
    const decision coming = worth_coming(s);
    const bool told = s.ended || (s.there && is_worth_it(s));
    wrong += (coming.what == act::now) != told;
    wrong += (coming.what == act::none) != !(s.there || s.ended);
    for (const urgency u : urgencies)
      for (const bool asleep : {false, true}) {
        const act want = !asleep || !(s.there || s.ended) ? act::none
                         : u == urgency::at_once || told  ? act::now
                                                          : act::later;
        const act got = call_sink(asleep, coming, u).what;
        wrong += got != want;
        seen.insert(got);
      }
  });
  CHECK(seen.size() == 3);
  CHECK(wrong == 0);
}

TEST_CASE("wake policy: a source is called, put off or let sleep, in every situation") {
  int wrong = 0;
  std::set<act> seen;
  each_producer([&](const producer& s) {
    for (const urgency u : urgencies) {
      const act got = call_source(s, u).what;
      wrong += got != expected(s, u);
      seen.insert(got);
    }
  });
  CHECK(seen.size() == 3);
  CHECK(wrong == 0);
}

TEST_CASE("wake policy: that a run is over is told at once, whoever is in a call") {
  each_consumer([&](const consumer& s) {
    if (!s.ended) return;
    CHECK(worth_coming(s) == decision{act::now, because::over});
    CHECK(call_sink(true, worth_coming(s), urgency::usual).what == act::now);
  });
}

TEST_CASE("wake policy: nobody who sleeps is forgotten while there is something to do for it") {
  int forgotten = 0;
  for (const urgency u : urgencies) {
    each(9, [&](unsigned bits) {
      const workers s{bits};
      if (s.something && (s.idle || s.startable)) forgotten += call_worker(s, u).what == act::none;
    });
    each_consumer([&](const consumer& s) {
      if (s.there || s.ended) forgotten += call_sink(true, worth_coming(s), u).what == act::none;
    });
    each_producer([&](const producer& s) {
      if (s.can) forgotten += call_source(s, u).what == act::none;
    });
  }
  CHECK(forgotten == 0);
}

TEST_CASE("wake policy: what is wanted at once is not put off, unless a start or a full batch has "
          "to be waited for") {
  each(9, [&](unsigned bits) {
    const workers s{bits};
    if (call_worker(s, urgency::at_once).what != act::later) return;
    if (s.idle)
      CHECK((s.holds_out && !s.wanting && (s.failed || !s.startable)));
    else
      CHECK(s.failed);
  });
  each_consumer([&](const consumer& s) {
    CHECK(call_sink(true, worth_coming(s), urgency::at_once).what != act::later);
  });
  each_producer(
      [&](const producer& s) { CHECK(call_source(s, urgency::at_once).what != act::later); });
}

TEST_CASE("wake policy: how long somebody looks before it sleeps") {
  for (const bool another : {false, true})
    for (const role who : {role::source, role::sink, role::worker}) {
      CHECK(lingers(who, grain::unknown, another) == patience::none);
      CHECK(lingers(who, grain::coarse, another) == patience::none);
      CHECK(lingers(who, grain::medium, another)
            == (who == role::worker ? patience::turn : patience::brief));
      CHECK(lingers(who, grain::fine, another) == (another ? patience::none : patience::forgets));
    }
}
