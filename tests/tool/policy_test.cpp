// SPDX-License-Identifier: BSD-3-Clause
// The parts that decide, against naive models: tries, ends, time limits, sizes of commands, and the progress line.
#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/seed.hpp"
#include "tool/command/batch_size.hpp"
#include "tool/launch/held.hpp"
#include "tool/output/tag.hpp"
#include "tool/policy/halt.hpp"
#include "tool/policy/pace.hpp"
#include "tool/policy/retry.hpp"
#include "tool/policy/time_limit.hpp"
#include "tool/ui/progress.hpp"
#include "tool/ui/width.hpp"

using namespace fmap::tool;
using namespace std::chrono_literals;

namespace {

ending exited(int status) { return {ending::kind::exited, status, false, false, {}}; }
ending killed(int signal) { return {ending::kind::signalled, signal, false, false, {}}; }

}  // namespace

TEST_CASE("A failing item is tried again so often, and for what was asked for") {
  retry_rule r;
  CHECK_FALSE(r.tries_again(exited(1), 1));
  r.tries = 3;
  CHECK(r.tries_again(exited(1), 1));
  CHECK(r.tries_again(killed(9), 2));
  CHECK_FALSE(r.tries_again(exited(1), 3));
  CHECK_FALSE(r.tries_again(exited(0), 1));
  CHECK_FALSE(r.tries_again({ending::kind::not_run, 0, false, false, "NUL"}, 1));

  r.on = failures_from("2,10-12,signal");
  for (int status = 1; status < 256; ++status)
    CHECK(r.tries_again(exited(status), 1) == (status == 2 || (status >= 10 && status <= 12)));
  CHECK(r.tries_again(killed(6), 1));
  ending late = killed(15);
  late.timed_out = true;
  CHECK_FALSE(r.tries_again(late, 1));
  r.on = failures_from("timeout");
  CHECK(r.tries_again(late, 1));
  CHECK_FALSE(r.tries_again(killed(15), 1));
  for (const char* text : {"", "0", "256", "5-3", "x", "1,", "1-"})
    CHECK_THROWS_AS(failures_from(text), std::invalid_argument);
}

TEST_CASE("The pause doubles up to the longest, from half to the whole of it") {
  retry_rule r;
  r.delay = 1s;
  r.longest = 10s;
  for (unsigned attempt = 1; attempt < 80; ++attempt) {
    const std::chrono::nanoseconds whole = attempt <= 4 ? 1s * (1 << (attempt - 1)) : 10s;
    CHECK(r.pause(attempt, 0) == whole / 2);
    CHECK(r.pause(attempt, 1) == whole);
    const auto some = r.pause(attempt, 0.3);
    CHECK((some > whole / 2 && some < whole));
  }
}

TEST_CASE("A run is halted when the figure that was asked for is reached") {
  const auto seed = testing::seed();
  INFO(testing::seed_message(seed));
  std::mt19937_64 random{seed};
  const char* const whys[] = {"fail", "success", "done"};
  for (int n = 0; n < 500; ++n) {
    const auto why = random() % 3;
    const bool percent = random() % 2 == 0, now = random() % 2 == 0;
    const std::uint64_t limit = 1 + random() % (percent ? 100 : 20), total = 40;
    halt_rule rule{std::string{now ? "now," : "soon,"} + whys[why] + "=" + std::to_string(limit)
                   + (percent ? "%" : "")};
    CHECK(rule.good() == (why == 1));
    std::uint64_t failures = 0;
    for (std::uint64_t ended = 1; ended <= total; ++ended) {
      const bool failed = random() % 3 == 0;
      failures += failed ? 1 : 0;
      const std::uint64_t count = why == 0 ? failures : why == 1 ? ended - failures : ended;
      bool met = count >= limit;
      if (percent && why == 2) met = count * 100 >= limit * total;
      if (percent && why != 2) met = ended >= 10 && count * 100 >= limit * ended;
      const auto expected = !met  ? halt_rule::what::never
                            : now ? halt_rule::what::now
                                  : halt_rule::what::soon;
      REQUIRE(rule.note(1, failed ? 1 : 0, total) == expected);
    }
  }
  CHECK(halt_rule{"never"}.note(1, 1, {}) == halt_rule::what::never);
  for (const char* text : {"", "soon", "later,fail=1", "now,fail", "now,fail=0", "now,fail=101%",
                           "now,fail=x", "now,lost=1"})
    CHECK_THROWS_AS(halt_rule{text}, std::invalid_argument);
}

TEST_CASE("A percentage of the median is the limit, once five have succeeded") {
  const auto seed = testing::seed();
  INFO(testing::seed_message(seed));
  std::mt19937_64 random{seed};
  CHECK_FALSE(time_limit{}.value());
  CHECK(time_limit{3s}.value() == 3s);
  auto limit = time_limit::of_median(300);
  std::vector<time_limit::duration> all;
  for (int n = 0; n < 2500; ++n) {
    if (n < 5) CHECK_FALSE(limit.value());
    all.emplace_back(random() % 1000);
    limit.note(all.back());
    if (n < 4) continue;
    std::vector<time_limit::duration> recent{all.end() - std::min<std::ptrdiff_t>(n + 1, 1000),
                                             all.end()};
    std::sort(recent.begin(), recent.end());
    REQUIRE(limit.value() == recent[(recent.size() - 1) / 2] * 3);
  }
}

TEST_CASE("Commands of many cheap items grow until their start is cheap, dear ones stay small") {
  const auto settled = [](std::chrono::nanoseconds start, std::chrono::nanoseconds each,
                          std::size_t most) {
    batch_size s{most};
    for (int n = 0; n < 100; ++n) s.note(s.now(), start + each * static_cast<long>(s.now()));
    return s.now();
  };
  CHECK(settled(2ms, 10us, 65536) >= 8192);
  CHECK(settled(2ms, 10us, 100) == 100);
  CHECK(settled(2ms, 200ms, 65536) == 1);
  const auto for_10ms = settled(2ms, 10ms, 65536);
  CHECK((for_10ms >= 4 && for_10ms <= 16));
}

TEST_CASE("What a failed try has printed is dropped, and what was kept before stays") {
  const auto seed = testing::seed();
  INFO(testing::seed_message(seed));
  std::mt19937_64 random{seed};
  for (int n = 0; n < 300; ++n) {
    room r{50, 50, 0, 0};
    held h;
    held::mark kept;
    std::vector<std::size_t> sizes;
    std::size_t kept_pieces = 0;
    const auto put = [&](std::size_t size) {
      const auto where = r.waits(h);
      if (where == place::file) {
        h.written_to += static_cast<std::int64_t>(size);
        r.in_files += size;
      } else {
        (h.in_file() || !h.after.empty() ? h.after : h.before).emplace_back(size, 'x');
        h.in_memory += size;
        r.in_memory += size;
      }
      sizes.push_back(size);
    };
    for (int step = 0; step < 12; ++step) {
      const auto what = random() % 5;
      if (what == 0) {
        kept = h.here();
        kept_pieces = sizes.size();
      } else if (what == 1) {
        r.cut(h, kept);
        sizes.resize(kept_pieces);
      } else {
        put(1 + random() % 30);
      }
      std::size_t all = 0;
      for (const auto size : sizes) all += size;
      REQUIRE(r.in_memory + r.in_files == all);
      REQUIRE(r.in_memory == h.in_memory);
      REQUIRE(r.in_files == static_cast<std::uint64_t>(h.written_to));
    }
  }
}

TEST_CASE("Each line gets its tag once, however its bytes come") {
  const auto seed = testing::seed();
  INFO(testing::seed_message(seed));
  std::mt19937_64 random{seed};
  for (int n = 0; n < 500; ++n) {
    std::string text, expected, made;
    for (auto left = random() % 30; left > 0; --left) text += "ab\n"[random() % 3];
    bool begins = true;
    for (const char c : text) {
      if (begins) expected += "T\t";
      expected += c;
      begins = c == '\n';
    }
    begins = true;
    for (std::string_view rest = text; !rest.empty();) {
      const auto size = std::min<std::size_t>(1 + random() % 4, rest.size());
      made += tagged(rest.substr(0, size), "T\t", begins);
      rest.remove_prefix(size);
    }
    REQUIRE(made == expected);
  }
}

TEST_CASE("Starts are apart, and no more in any second than were asked for") {
  const auto seed = testing::seed();
  INFO(testing::seed_message(seed));
  std::mt19937_64 random{seed};
  for (int round = 0; round < 50; ++round) {
    start_pace pace;
    pace.apart = std::chrono::milliseconds{random() % 3};
    pace.a_second = static_cast<double>(1 + random() % 200);
    const auto zero = start_pace::clock::time_point{} + 1h;
    std::vector<std::chrono::nanoseconds> begun;
    for (auto now = zero; now < zero + 3s; now += std::chrono::microseconds{random() % 20'000}) {
      for (int tries = 0; tries < 5 && pace.next() <= now; ++tries) {
        pace.begun(now);
        begun.push_back(now - zero);
      }
    }
    for (std::size_t last = 0; last < begun.size(); ++last) {
      if (last > 0) REQUIRE(begun[last] - begun[last - 1] >= pace.apart);
      const auto first = std::lower_bound(begun.begin(), begun.end(), begun[last] - 1s);
      const auto many = begun.begin() + static_cast<std::ptrdiff_t>(last) - first;
      REQUIRE(static_cast<double>(many) <= pace.a_second * 1.02 + 1);
    }
    REQUIRE(!begun.empty());
  }
}

TEST_CASE("The progress line says how far a run is") {
  progress p;
  p.done = 1850;
  p.failed = 3;
  p.running = 2;
  p.total = 5000;
  p.rate = 1204;
  p.elapsed = 92s;
  p.oldest = "img_0172";
  p.age = 14s;
  const std::string line = bar_line(p, {200, true, false});
  CHECK(line.find("1 850/5 000  3 failed  2 running  1 204/s  ETA 0:03 (") != std::string::npos);
  CHECK(line.ends_with("oldest: img_0172 14 s"));
  CHECK(plain_line(p) == "1850/5000 done, 3 failed, 1 204/s, 0:03 left");
  CHECK(bar_line(p, {40, false, false}).size() == 39);
  CHECK(columns_of("漢字🙂e\u0301", true) == 7);
  CHECK(columns_of("\xff", true) == 1);
  CHECK(columns_of("é", false) == 2);
  CHECK(fit("漢字", 3, true) == "漢");
  p.oldest = "漢字🙂e\u0301";
  for (std::size_t width = 2; width < 120; ++width) {
    const std::string fitted = bar_line(p, {width, true, false});
    CHECK(columns_of(fitted, true) < width);
    CHECK(columns_of(fitted, true) + 2
          >= std::min(width, columns_of(bar_line(p, {300, true, false}), true)));
  }
  CHECK(bar_line(p, {200, false, true}).find("\033[31m  3 failed\033[0m") != std::string::npos);

  p.total.reset();
  p.running = 0;
  p.oldest.clear();
  CHECK(bar_line(p, {200, true, false})
        == "1 850 done  3 failed  0 running  1 204/s  1:32  waiting for input");
  p.total = 1850;
  CHECK(bar_line(p, {200, false, false}).starts_with("100% ####################  1 850/1 850"));
}
