// SPDX-License-Identifier: BSD-3-Clause
// Workers: what they are told and say, and who is to blame when one dies, against simulated programs.
#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/seed.hpp"
#include "tool/worker/custody.hpp"
#include "tool/worker/protocol.hpp"

using namespace fmap::tool;

namespace {

using id = custody::id;

/// A program that dies over some items, and may keep its answers until its input ends.
struct program {
  std::set<id> poison;
  std::size_t keeps = 0;  // answers, at most
};

struct outcome {
  std::set<id> answered, convicted;
  std::map<id, unsigned> begun_alone;
  unsigned deaths = 0;
};

/// Runs `many` items through `workers` places, in any order of events.
outcome simulate(std::mt19937_64& random, const program& p, id many, std::size_t workers,
                 std::size_t depth, unsigned convicting) {
  custody c{convicting};
  outcome o;
  for (id item = 1; item <= many; ++item) c.add(item);
  std::vector<id> running;
  id serial = 0;
  const auto answer = [&](id worker) {
    const auto item = c.answered(worker);
    REQUIRE(item);
    REQUIRE(o.answered.insert(*item).second);
  };
  while (!c.empty() || !running.empty()) {
    REQUIRE(serial < 100'000);
    if (running.size() < workers && !c.empty() && (running.empty() || random() % 2 == 0)) {
      running.push_back(++serial);
      if (c.has_trial()) {
        const auto& items = c.give_trial(serial);
        if (items.size() == 1) ++o.begun_alone[items.front()];
      }
      continue;
    }
    const std::size_t at = random() % running.size();
    const id worker = running[at];
    const bool ends = c.on_trial(worker) || !c.next();
    while (!c.on_trial(worker) && c.next() && c.open(worker).size() < depth) c.give(worker);
    // It works through what it has been given.
    const std::deque<id> open = c.open(worker);
    const auto fatal =
        std::find_if(open.begin(), open.end(), [&](id i) { return p.poison.contains(i); });
    const auto worked = static_cast<std::size_t>(fatal - open.begin());
    const bool dies = fatal != open.end();
    const std::size_t kept = dies   ? std::min(worked, p.keeps)
                             : ends ? 0
                                    : std::min(worked, p.keeps);
    for (std::size_t a = 0; a < worked - kept; ++a) answer(worker);
    if (!dies && !ends && kept == 0) continue;
    // One that keeps answers gets the end of its input, so that it gives them.
    if (!dies)
      while (!c.open(worker).empty()) answer(worker);
    if (dies) ++o.deaths;
    const auto loss = c.lost(worker);
    if (loss.convicted) REQUIRE(o.convicted.insert(*loss.convicted).second);
    running.erase(running.begin() + static_cast<std::ptrdiff_t>(at));
  }
  return o;
}

std::string random_bytes(std::mt19937_64& random, std::string_view of, std::size_t most) {
  std::string text;
  for (auto left = random() % (most + 1); left > 0; --left) text += of[random() % of.size()];
  return text;
}

/// What the protocol makes of the bytes when they come in pieces.
std::vector<answer> read_in_pieces(std::mt19937_64& random, protocol& p, std::string_view bytes) {
  std::vector<answer> all;
  while (!bytes.empty()) {
    const auto size = std::min<std::size_t>(1 + random() % 7, bytes.size());
    p.feed(bytes.substr(0, size));
    bytes.remove_prefix(size);
    while (auto a = p.next()) all.push_back(std::move(*a));
  }
  return all;
}

}  // namespace

TEST_CASE("Each item is answered or convicted once; poison is convicted, nothing else is") {
  const auto seed = testing::seed();
  INFO(testing::seed_message(seed));
  std::mt19937_64 random{seed};
  for (int round = 0; round < 300; ++round) {
    const id many = 1 + random() % 200;
    program p;
    for (auto left = random() % 4; left > 0; --left) p.poison.insert(1 + random() % many);
    if (random() % 2 == 0) p.keeps = 1 + random() % 100;
    const unsigned convicting = 1 + static_cast<unsigned>(random() % 3);
    const outcome o = simulate(random, p, many, 1 + random() % 4, 1 + random() % 50, convicting);
    REQUIRE(o.convicted == p.poison);
    REQUIRE(o.answered.size() == many - p.poison.size());
    for (const id item : p.poison) REQUIRE(o.begun_alone.at(item) == convicting);
    if (p.keeps == 0) REQUIRE(o.deaths == p.poison.size() * (1 + convicting));
  }
}

TEST_CASE("Poison among answers that are kept is found by halves") {
  std::mt19937_64 random{1};
  const outcome o = simulate(random, {{3000}, 4096}, 4096, 1, 4096, 1);
  CHECK(o.convicted == std::set<id>{3000});
  CHECK(o.deaths < 40);
}

TEST_CASE("A worker that is lost by itself convicts nobody who is answered alone") {
  custody c{3};
  c.add(1);
  c.add(2);
  CHECK(c.give(7) == 1);
  CHECK(c.give(7) == 2);
  CHECK_FALSE(c.answered(7, 3));
  CHECK_FALSE(c.answered(8));
  const auto loss = c.lost(7);
  CHECK(loss.suspect == 1);
  CHECK_FALSE(loss.convicted);
  CHECK(c.next() == 2);
  CHECK(c.give_trial(8) == std::deque<id>{1});
  CHECK(c.on_trial(8));
  CHECK(c.answered(8, 1) == 1);
  c.lost(8);
  CHECK_FALSE(c.has_trial());

  c.give(9);
  CHECK(c.lost(9, true).convicted == 2);
  CHECK(c.empty());

  c.add(4);
  c.give(10);
  c.returned(10);
  CHECK(c.take_back() == std::vector<id>{4});
}

TEST_CASE("Answers in lines are what stands between their ends, however they come") {
  const auto seed = testing::seed();
  INFO(testing::seed_message(seed));
  std::mt19937_64 random{seed};
  for (int round = 0; round < 500; ++round) {
    const bool nul = random() % 2 == 0;
    const bool several = random() % 2 == 0;
    protocol p{nul ? protocol_kind::lines0 : protocol_kind::lines, several ? "." : ""};
    std::string bytes;
    std::vector<std::string> expected;
    for (auto left = random() % 10; left > 0; --left) {
      std::string text;
      for (auto lines = several ? random() % 3 : 1; lines > 0; --lines)
        text += random_bytes(random, "ab ", 5) + (nul ? '\0' : '\n');
      bytes += text;
      if (several) bytes += nul ? std::string{".\0", 2} : ".\n";
      expected.push_back(text);
    }
    const auto read = read_in_pieces(random, p, bytes);
    REQUIRE(read.size() == expected.size());
    for (std::size_t at = 0; at < read.size(); ++at) {
      REQUIRE(read[at].output == expected[at]);
      REQUIRE_FALSE(read[at].failed);
    }
    REQUIRE(p.begun().empty());
  }
}

TEST_CASE("Frames are read as they were written, however they come") {
  const auto seed = testing::seed();
  INFO(testing::seed_message(seed));
  std::mt19937_64 random{seed};
  for (int round = 0; round < 500; ++round) {
    protocol p{protocol_kind::frames, ""};
    std::string bytes;
    std::vector<std::pair<bool, std::string>> expected;
    for (auto left = random() % 10; left > 0; --left) {
      expected.emplace_back(random() % 3 == 0,
                            random_bytes(random, std::string_view{"a\0\1\n", 4}, 400));
      const auto& [failed, text] = expected.back();
      bytes += failed ? '\1' : '\0';
      bytes += p.words({{1, text, false, 1}});
    }
    const auto read = read_in_pieces(random, p, bytes);
    REQUIRE(read.size() == expected.size());
    for (std::size_t at = 0; at < read.size(); ++at) {
      REQUIRE(read[at].failed == expected[at].first);
      REQUIRE((read[at].failed ? read[at].error : read[at].output) == expected[at].second);
    }
  }
  protocol wrong{protocol_kind::frames, ""};
  wrong.feed("hello");
  CHECK_THROWS_AS(wrong.next(), protocol_error);
}

TEST_CASE("Questions and answers in JSON; what is none is shown") {
  protocol p{protocol_kind::jsonl, ""};
  CHECK(p.words({{7, "a\"b", false, 2}, {8, "{\"x\":1}", true, 1}})
        == "{\"seq\":7,\"item\":\"a\\\"b\",\"attempt\":2}\n{\"seq\":8,\"item\":{\"x\":1},"
           "\"attempt\":1}\n");
  p.feed("{\"seq\":8,\"result\":\"text\"}\n{\"result\":[1,2],\"seq\":7}\n{\"seq\":9,\"error\":"
         "\"no\"}\n");
  auto a = p.next();
  CHECK((a && a->seq == 8 && a->output == "text\n" && !a->failed));
  a = p.next();
  CHECK((a && a->seq == 7 && a->output == "[1,2]\n"));
  a = p.next();
  CHECK((a && a->seq == 9 && a->error == "no\n" && a->failed));
  CHECK_FALSE(p.next());
  for (const std::string said : {"debug", "[1]", "{\"seq\":-1,\"result\":1}", "{\"seq\":1}",
                                 "{\"seq\":1,\"result\":1,\"error\":2}", "{\"result\":1}"}) {
    protocol other{protocol_kind::jsonl, ""};
    other.feed(said + "\n");
    try {
      other.next();
      FAIL("no error for " + said);
    } catch (const protocol_error& e) {
      CHECK(e.bytes == said);
    }
  }
  CHECK_FALSE(p.problem("\xff").empty());
  CHECK_FALSE(protocol{protocol_kind::lines, ""}.problem("a\nb").empty());
  CHECK(protocol{protocol_kind::lines0, ""}.problem("a\nb").empty());
  CHECK(protocol{protocol_kind::batches, ""}.words({{1, "a", false, 1}, {2, "b", false, 1}})
        == "2\na\nb\n");
}
