// SPDX-License-Identifier: BSD-3-Clause
// Progress: the time that is left, lines of text, blocks on terminals, and bars with figures of the test's.
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <queue>
#include <random>
#include <string>
#include <vector>

#include <fmap/progress.hpp>

#include "src/progress/block.hpp"
#include "src/progress/line.hpp"
#include "src/progress/pace.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/memory_file.hpp"
#include "support/seed.hpp"
#include "support/terminal.hpp"

using namespace std::chrono_literals;
using fmap::detail::bar_figures;
using fmap::detail::bar_line;
using fmap::detail::block;
using fmap::detail::closing_line;
using fmap::detail::columns_of;
using fmap::detail::harmless;
using fmap::detail::json_line;
using fmap::detail::log_line;
using fmap::detail::look;
using fmap::detail::pace;
using seconds = std::chrono::duration<double>;
using testing::eventually;
using testing::memory_file;

namespace {

/// When the items end that so many workers execute, one after the other.
std::vector<double> ends(std::size_t workers, const std::vector<double>& items) {
  std::priority_queue<double, std::vector<double>, std::greater<>> free_at;
  for (std::size_t w = 0; w != workers; ++w) free_at.push(0);
  std::vector<double> result;
  for (const double item : items) {
    result.push_back(free_at.top() + item);
    free_at.pop();
    free_at.push(result.back());
  }
  std::sort(result.begin(), result.end());
  return result;
}

/// By how much of the truth the time left is wrong, at each look from that many outcomes until there are so many; sorted.
std::vector<double> errors(const std::vector<double>& ended, std::size_t workers, std::size_t from,
                           std::size_t until) {
  pace p;
  std::vector<double> result;
  for (double now = 0.1; now < ended[until]; now += 0.1) {
    const auto done =
        static_cast<std::size_t>(std::upper_bound(ended.begin(), ended.end(), now) - ended.begin());
    p.note(done, workers, seconds{now});
    if (done < from) continue;
    const auto left = p.left(ended.size());
    REQUIRE(left);
    const double truth = ended.back() - now;
    result.push_back(std::abs(left->count() - truth) / truth);
  }
  std::sort(result.begin(), result.end());
  return result;
}

bar_figures some() {
  bar_figures f;
  f.label = "hashing";
  f.unit = "files";
  f.done = 7320;
  f.taken = 7300;
  f.failed = 3;
  f.total = 12'000;
  f.in_flight = f.buffersize = 64;
  f.rate = 2140;
  f.left = seconds{2.2};
  f.elapsed = seconds{3.4};
  return f;
}

/// What a bar reads. The test changes it, the bar's thread looks.
struct figures {
  std::atomic<std::uint64_t> ready{0}, taken{0}, looks{0};
  std::optional<std::uint64_t> total;

  auto reader() {
    return [this] {
      ++looks;
      fmap::map_stats s;
      s.ready = ready;
      s.taken = taken;
      s.buffersize = 4;
      s.workers = 2;
      s.total = total;
      s.elapsed = 3s;
      return s;
    };
  }
};

struct environment_variable {
  explicit environment_variable(const char* value) { ::setenv("FMAP_PROGRESS", value, 1); }
  ~environment_variable() { ::unsetenv("FMAP_PROGRESS"); }
};

}  // namespace

// In the middle of a wave it is one wave too much. So the fewer there are to come, the more that is of the whole.
TEST_CASE("progress: the time left is right after the second wave of workers") {
  const auto seed = testing::seed();
  INFO(testing::seed_message(seed));
  std::mt19937_64 random{seed};
  for (int n = 0; n != 20; ++n) {
    std::uniform_real_distribution<> about{0.99, 1.01};
    std::vector<double> items(100);
    for (double& i : items) i = about(random);
    CHECK(errors(ends(10, items), 10, 20, 50).back() < 0.15);
  }
}

TEST_CASE("progress: the time left is about right if items take very different times") {
  const auto seed = testing::seed();
  INFO(testing::seed_message(seed));
  std::mt19937_64 random{seed};
  std::vector<double> halves;
  for (int n = 0; n != 20; ++n) {
    std::lognormal_distribution<> about{-1, 1};
    std::vector<double> items(2000);
    for (double& i : items) i = about(random);
    const std::vector<double> all = errors(ends(8, items), 8, 400, 1600);
    halves.push_back(all[all.size() / 2]);
  }
  // One long item at the end is worth many, in one run or the other.
  std::sort(halves.begin(), halves.end());
  CHECK(halves[14] < 0.3);
}

TEST_CASE("progress: no time left before two outcomes for each worker and a second, and never 0") {
  pace p;
  p.note(3, 2, 2s);
  CHECK_FALSE(p.left(100));
  p.note(4, 2, 2500ms);
  CHECK(p.left(100));
  CHECK_FALSE(p.left(4));
  p.note(99, 2, 3s);
  for (int n = 0; n != 100; ++n) {
    p.note(99, 2, 3s + n * 10ms);
    CHECK(p.left(100)->count() >= 0.1);
  }
  pace quick;
  quick.note(50, 2, 500ms);
  CHECK_FALSE(quick.left(100));
}

TEST_CASE("progress: a first look that finds many outcomes") {
  pace p;
  p.note(5001, 2, 100ms);
  CHECK(p.rate() == Approx(50'000).epsilon(0.01));
  p.note(6000, 7, 120ms);
  CHECK(p.rate() == Approx(50'000).epsilon(0.05));
  pace rare;  // as for a log
  rare.note(3000, 7, 30s);
  rare.note(6000, 7, 60s);
  CHECK(rare.rate() == Approx(100).epsilon(0.01));
  CHECK(rare.left(9000)->count() == Approx(30).epsilon(0.01));
}

TEST_CASE("progress: who has come to a stop has more and more time left") {
  pace p;
  for (int n = 1; n <= 100; ++n) p.note(static_cast<std::uint64_t>(n), 1, n * 100ms);
  const double before = p.left(200)->count();
  p.note(100, 1, 10s + 20s);
  CHECK(p.left(200)->count() > 2 * before);
  CHECK(p.rate() < 5);
}

TEST_CASE("progress: a bar, from wide to narrow") {
  const bar_figures f = some();
  CHECK(bar_line(f, {120, false})
        == "hashing  61% ############         7.3k/12k files  2.1k/s  in flight 64/64  3 failed  "
           "0:02.2 left, 0:03.4");
  CHECK(bar_line(f, {120, true}).find("████████████▏") != std::string::npos);
  CHECK(bar_line(f, {80, false})
        == "hashing  61% ######     7.3k/12k files  2.1k/s  3 failed  0:02.2 left, 0:03.4");
  CHECK(bar_line(f, {39, false}) == "61% 2.1k/s 0:02.2");
  bar_figures unknown = f;
  unknown.total.reset();
  unknown.left.reset();
  CHECK(bar_line(unknown, {120, false})
        == "hashing  7.3k files  2.1k/s  in flight 64/64  3 failed  0:03.4");
  bar_figures early = f;
  early.left.reset();
  CHECK_THAT(bar_line(early, {120, false}), Catch::Contains("--:-- left, 0:03.4"));
  bar_figures behind = f;
  behind.taken = f.done - 64;
  CHECK_THAT(bar_line(behind, {120, false}), Catch::Contains("7.3k/12k files, taken 7.2k"));
  bar_figures more = f;
  more.done = 12'001;
  CHECK_THAT(bar_line(more, {120, false}), !Catch::Contains("%") && Catch::Contains("12k files"));
  bar_figures none = f;
  none.done = none.taken = 0;
  none.total = 0;
  CHECK_THAT(bar_line(none, {120, false}), Catch::Contains("0 files"));
  for (std::size_t width = 0; width != 200; ++width) {
    for (const char* label : {"", "hashing", "日本語のラベル",
                              "a label that is much longer than all else on a line of a terminal, "
                              "and then some more"}) {
      bar_figures g = f;
      g.label = label;
      REQUIRE(columns_of(bar_line(g, {width, true})) < std::max<std::size_t>(width, 1));
    }
  }
}

TEST_CASE("progress: lines for logs, for the end, and for programs") {
  bar_figures f = some();
  CHECK(log_line(f) == "hashing  61% 7.3k/12k files  2.1k/s  3 failed  0:02.2 left, 0:03.4");
  CHECK(closing_line(f, true) == "hashing  stopped at 7320/12000 files  2.1k/s  3 failed  0:03.4");
  f.label.clear();
  f.failed = 0;
  f.done = 12'000;
  f.elapsed = 3725s;
  CHECK(closing_line(f, false) == "12000/12000 files  3.2/s  1:02:05");
  f = some();
  f.label = R"(a "quoted\ name)";
  CHECK(json_line(f)
        == R"({"label":"a \"quoted\\ name","done":7320,"taken":7300,"failed":3,"total":12000,)"
           R"("rate":2140.000,"in_flight":64,"buffersize":64,"elapsed":3.400,"left":2.200})");
  f.total.reset();
  f.left.reset();
  CHECK_THAT(json_line(f),
             Catch::Contains(R"("total":null)") && Catch::Contains(R"("left":null})"));
}

TEST_CASE("progress: text of the user's moves no cursor") {
  CHECK(harmless("a\tb\033[2Jc\x7f") == "a?b?[2Jc?");
  CHECK(harmless("gr\xc3\xbc\xc3\x9f") == "gr\xc3\xbc\xc3\x9f");
  CHECK(harmless("\xff\xc3") == "??");
  CHECK(harmless("\xc2\x9b"
                 "31m")
        == "?31m");  // a control sequence in one character
  CHECK(harmless("\xe2\x80\xae"
                 "evil")
        == "?evil");                         // it would write backwards
  CHECK(harmless("\xed\xa0\x80") == "???");  // half of a pair
  CHECK(columns_of("日本") == 4);
  CHECK(columns_of("e\xcc\x81") == 1);
}

TEST_CASE("progress: a block leaves nothing behind, however it and the terminal change") {
  const auto seed = testing::seed();
  INFO(testing::seed_message(seed));
  std::mt19937_64 random{seed};
  for (int n = 0; n != 300; ++n) {
    std::size_t width = 20 + random() % 100;
    testing::shown_terminal terminal{width};
    block b;
    std::vector<std::string> expected;  // what has scrolled
    std::vector<std::string> lines;
    for (int step = 0; step != 20; ++step) {
      std::vector<std::string> above;
      if (random() % 4 == 0) above.push_back("above " + std::to_string(step));
      lines.assign(random() % 4, "");
      for (std::string& l : lines)
        l.assign(1 + random() % (width - 1), static_cast<char>('a' + random() % 26));
      terminal.feed(b.redraw(above, lines, width));
      expected.insert(expected.end(), above.begin(), above.end());
      std::vector<std::string> all = expected;
      all.insert(all.end(), lines.begin(), lines.end());
      REQUIRE(terminal.lines() == all);
      if (random() % 3 == 0 && expected.empty()) {
        width = 20 + random() % 100;
        terminal.resize(width);
      }
    }
    terminal.feed(b.redraw({"over"}, {}, width));
    expected.emplace_back("over");
    REQUIRE(terminal.lines() == expected);
    REQUIRE(b.empty());
  }
}

TEST_CASE("progress: a bar on a terminal is drawn and ends with a line") {
  testing::real_terminal terminal{100};
  figures f;
  f.total = 200;
  {
    fmap::progress_bar bar{f.reader(), {.label = "first", .to = terminal.file(), .every = 10ms}};
    REQUIRE(eventually([&] { return terminal.read().find("first   0%") != std::string::npos; }));
    f.taken = 100;
    REQUIRE(eventually([&] { return terminal.read().find("first  50%") != std::string::npos; }));
    terminal.resize(30);
    REQUIRE(eventually([&] { return terminal.read().find("50% ") != std::string::npos; }));
    terminal.resize(100);
    fmap::progress_bar::print("a note");
    f.taken = 200;
    bar.finish();
    const auto looks = f.looks.load();
    bar.finish();
    CHECK(f.looks == looks);
  }
  testing::shown_terminal shown{200};
  shown.feed(terminal.read());
  CHECK(shown.lines() == std::vector<std::string>{"a note", "first  200/200 items  66/s  0:03.0"});
}

TEST_CASE("progress: several bars are one block; each has its closing line, or none") {
  testing::real_terminal terminal{100};
  figures a, b;
  a.total = b.total = 10;
  {
    fmap::progress_bar one{a.reader(), {.label = "one", .to = terminal.file(), .every = 10ms}};
    fmap::progress_bar two{b.reader(),
                           {.label = "two", .to = terminal.file(), .every = 10ms, .keep = false}};
    REQUIRE(eventually([&] {
      const std::string& text = terminal.read();
      const auto at = text.find("one   0%");
      return at != std::string::npos && text.find("two   0%", at) != std::string::npos;
    }));
    a.taken = 10;
    one.finish();
    REQUIRE(terminal.read().find("one  10/10 items") != std::string::npos);
  }
  testing::shown_terminal shown{100};
  shown.feed(terminal.read());
  CHECK(shown.lines() == std::vector<std::string>{"one  10/10 items  3.3/s  0:03.0"});
}

TEST_CASE("progress: where there is no terminal, a short run is one line") {
  memory_file file;
  figures f;
  f.total = 10;
  {
    fmap::progress_bar bar{f.reader(), {.to = file.file(), .every = 10ms}};
    f.taken = 10;
  }
  CHECK(file.text() == "10/10 items  3.3/s  0:03.0\n");
}

TEST_CASE("progress: a log has a line for each tenth, and no more") {
  memory_file file;
  figures f;
  f.total = 100;
  {
    fmap::progress_bar bar{f.reader(), {.label = "log", .to = file.file(), .lines_every = 1ms}};
    REQUIRE(eventually([&] { return f.looks > 0; }));
    f.taken = 10;
    REQUIRE(eventually([&] { return f.looks > 1; }));
    f.taken = 55;
  }
  const std::string text = file.text();
  CHECK(std::count(text.begin(), text.end(), '\n') <= 4);
  CHECK_THAT(text, Catch::Contains("log  stopped at 55/100 items"));
  CHECK(text.find('\r') == std::string::npos);
  CHECK(text.find('\033') == std::string::npos);
}

TEST_CASE("progress: the variable has the last word, but for never") {
  figures f;
  f.total = 10;
  f.taken = 10;
  const auto printed = [&f](const char* variable, fmap::progress_when when) {
    const environment_variable set{variable};
    memory_file file;
    { fmap::progress_bar bar{f.reader(), {.when = when, .to = file.file()}}; }
    return file.text();
  };
  CHECK(printed("never", fmap::always).empty());
  CHECK_THAT(printed("json", fmap::always), Catch::StartsWith("{\"label\":\"\",\"done\":10,"));
  CHECK(printed("lines", fmap::always) == "10/10 items  3.3/s  0:03.0\n");
  CHECK_THAT(printed("always", fmap::automatic), Catch::Contains("\033[J"));
  CHECK(printed("always", fmap::never).empty());
}

TEST_CASE("progress: never is no thread, no byte, and no look") {
  memory_file file;
  figures f;
  { fmap::progress_bar bar{f.reader(), {.when = fmap::never, .to = file.file()}}; }
  CHECK(file.text().empty());
  CHECK(f.looks == 0);
}

TEST_CASE("progress: a terminal that is gone ends nothing") {
  figures f;
  f.total = 10;
  {
    testing::real_terminal terminal{80};
    fmap::progress_bar bar{f.reader(), {.to = terminal.file(), .every = 10ms}};
    REQUIRE(eventually([&] { return !terminal.read().empty(); }));
    terminal.hang_up();
    const auto looks = f.looks.load();
    CHECK(eventually([&] { return f.looks > looks + 1 || f.looks == looks; }));
  }
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  ::close(ends[0]);
  std::FILE* const broken = ::fdopen(ends[1], "w");
  { fmap::progress_bar bar{f.reader(), {.when = fmap::always, .to = broken}}; }
  std::fclose(broken);
}

TEST_CASE("progress: options that make no sense") {
  figures f;
  const auto with = [&f](fmap::progress_options o) {
    return [&f, o] { fmap::progress_bar bar{f.reader(), o}; };
  };
  CHECK_THROWS_WITH(with({.every = 9ms})(), Catch::Contains("every must be at least 10 ms"));
  CHECK_THROWS_WITH(with({.lines_every = 0s})(), Catch::Contains("lines_every must be positive"));
  CHECK_THROWS_WITH(with({.to = nullptr})(), Catch::Contains("to is null"));
}

TEST_CASE("progress: many bars come and go on many threads") {
  memory_file file;
  figures f;
  std::vector<std::thread> threads;
  for (int t = 0; t != 4; ++t)
    threads.emplace_back([&] {
      for (int n = 0; n != 100; ++n) {
        fmap::progress_bar bar{
            f.reader(), {.when = fmap::always, .to = file.file(), .every = 10ms, .keep = false}};
        if (n % 10 == 0) fmap::progress_bar::print("note");
      }
    });
  for (std::thread& t : threads) t.join();
  SUCCEED();
}
