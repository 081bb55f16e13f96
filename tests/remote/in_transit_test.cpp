// SPDX-License-Identifier: BSD-3-Clause
// What a peer holds, and who is to blame where nobody saw.
#include <chrono>
#include <memory>
#include <set>
#include <vector>

#include <fmap/detail/function_job.hpp>

#include "src/remote/hearsay.hpp"
#include "src/remote/in_transit.hpp"
#include "support/catch.hpp"

using namespace fmap::remote;
using namespace std::chrono_literals;

namespace {

/// A witness who says what the test has told it.
class told final : public witness {
public:
  places reserve(std::uint32_t count) override {
    const places result{next_, count};
    next_ += count;
    return result;
  }
  void free(std::uint32_t first, std::uint32_t count) override {
    for (std::uint32_t i = 0; i != count; ++i) freed.push_back(first + i);
  }
  mark state_of(std::uint32_t place) const override { return marks.at(place); }

  std::vector<mark> marks;
  std::vector<std::uint32_t> freed;

private:
  std::uint32_t next_ = 0;
};

run_ptr a_run(run_id id, std::chrono::nanoseconds item_timeout = {}) {
  fmap::kernel::run_limits limits;
  limits.item_timeout = item_timeout;
  return std::make_shared<run>(id, limits, nullptr, nullptr);
}

/// None of it is used here.
fmap::detail::remote_job& no_job() {
  static struct : fmap::detail::remote_job {
    std::string_view key() const override { return {}; }
    void save_function(fmap::wire::writer&) const override {}
    bool save_item(fmap::wire::writer&, chunk&, std::uint32_t) override { return false; }
    void load_value(fmap::wire::reader&, chunk&, std::uint32_t) override {}
    void load_item(fmap::wire::reader&, chunk&, std::uint32_t) override {}
    void save_value(fmap::wire::writer&, chunk&, std::uint32_t) override {}
  } job;
  return job;
}

void send(in_transit& held, const run_ptr& r, std::uint64_t first, std::uint32_t count) {
  held.add(parcel{r, nullptr, {}}, no_job(), first, held.reserve(count));
}

void answer(in_transit& held, run_id run, std::uint64_t index) {
  sent_batch* const b = held.find(run, index);
  REQUIRE(b != nullptr);
  held.close(*b, index, 1);
  held.forget_empty();
}

/// The items of run 1 that may be at work now.
std::set<std::uint64_t> running(const in_transit& held) {
  std::set<std::uint64_t> result;
  held.each_running([&](const item_id& item, std::chrono::nanoseconds) {
    result.insert(item.index);
    return false;
  });
  return result;
}

}  // namespace

TEST_CASE("in transit: items are held until they are answered") {
  told seen;
  seen.marks.assign(10, mark::waiting);
  in_transit held{seen, suspects{}};
  const run_ptr r = a_run(1);
  CHECK(held.empty());
  send(held, r, 10, 4);
  send(held, r, 14, 2);
  CHECK(held.size() == 6);
  CHECK(held.find(1, 9) == nullptr);
  CHECK(held.find(2, 10) == nullptr);
  CHECK(held.find(1, 13)->first == 10);
  CHECK(held.find(1, 14)->first == 14);
  held.close(*held.find(1, 11), 11, 2);
  CHECK(seen.freed == std::vector<std::uint32_t>{1, 2});
  CHECK(held.find(1, 11) == nullptr);
  CHECK(held.find(1, 13) != nullptr);
  CHECK(held.size() == 4);
  answer(held, 1, 10);
  answer(held, 1, 13);
  CHECK(held.batches().size() == 1);
  answer(held, 1, 15);
  answer(held, 1, 14);
  CHECK(held.empty());
  CHECK(seen.freed == std::vector<std::uint32_t>{1, 2, 0, 3, 5, 4});
}

TEST_CASE("in transit: a witness is believed, and nobody else suspected") {
  told seen;
  seen.marks = {mark::finished, mark::waiting, mark::running};
  in_transit held{seen, suspects{1}};
  send(held, a_run(1, 1s), 0, 3);
  for (std::uint32_t i = 0; i != 3; ++i) CHECK(held.state_of({1, i}) == seen.marks[i]);
  CHECK(held.state_of({1, 3}) == mark::waiting);
  CHECK(running(held) == std::set<std::uint64_t>{2});
  CHECK(held.at_work());
  seen.marks[2] = mark::waiting;
  CHECK_FALSE(held.at_work());
  CHECK(held.begun());
  seen.marks[0] = mark::waiting;
  CHECK_FALSE(held.begun());
}

TEST_CASE("in transit: of items in one call nobody knows which is at work, unless there is one") {
  struct whole_job final : fmap::detail::typed_job<int, int> {
    whole_job() { whole = true; }
    std::uint32_t apply(chunk&, std::uint32_t i, fmap::detail::progress&, std::uint32_t) override {
      return i;
    }
  };
  told seen;
  seen.marks = {mark::finished, mark::running, mark::running, mark::waiting, mark::running};
  in_transit held{seen, suspects{1}};
  const auto r =
      std::make_shared<run>(1, fmap::kernel::run_limits{}, std::make_shared<whole_job>(), nullptr);
  send(held, r, 0, 4);
  send(held, r, 4, 1);
  CHECK(held.size() == 5);
  CHECK(held.calls(1) == 2);
  CHECK(held.calls(3) == 4);
  const mark expected[] = {mark::finished, mark::unknown, mark::unknown, mark::waiting,
                           mark::running};
  for (std::uint64_t i = 0; i != 5; ++i) CHECK(held.state_of({1, i}) == expected[i]);
  REQUIRE(held.call_of({1, 2}));
  CHECK(held.call_of({1, 2})->holds({1, 3}));
  CHECK_FALSE(held.call_of({1, 2})->holds({1, 4}));
  CHECK_FALSE(held.call_of({1, 4}));
  CHECK_FALSE(held.call_of({2, 2}));
  for (const std::uint64_t i : {0, 1, 3}) answer(held, 1, i);
  CHECK_FALSE(held.call_of({1, 2}));  // the others are over: it is that one
}

TEST_CASE("in transit: without a recorder the first unanswered item is the suspect") {
  hearsay nobody;
  in_transit held{nobody, suspects{1}};
  const run_ptr r = a_run(1, 1s);
  send(held, r, 0, 3);
  send(held, r, 3, 2);
  const auto suspect = [&] {
    std::set<std::uint64_t> result;
    for (std::uint64_t i = 0; i != 5; ++i) {
      const mark m = held.state_of({1, i});
      if (m == mark::unknown)
        result.insert(i);
      else if (held.find(1, i) != nullptr)
        CHECK(m == mark::interrupted);  // may have begun, and is not blamed
    }
    CHECK(running(held) == result);
    return result;
  };
  CHECK(suspect() == std::set<std::uint64_t>{0});
  answer(held, 1, 1);
  CHECK(suspect() == std::set<std::uint64_t>{0});
  answer(held, 1, 0);
  CHECK(suspect() == std::set<std::uint64_t>{2});
  answer(held, 1, 2);
  CHECK(suspect() == std::set<std::uint64_t>{3});
  CHECK(held.at_work());
  CHECK(held.begun());
}

TEST_CASE("in transit: of a peer with threads the first ones are suspects, of any other peer all") {
  hearsay nobody;
  in_transit two{nobody, suspects{2}}, any{nobody, suspects{}};
  const run_ptr r = a_run(1, 1s);
  for (in_transit* held : {&two, &any}) {
    send(*held, r, 0, 1);
    send(*held, r, 5, 3);
  }
  CHECK(running(two) == std::set<std::uint64_t>{0, 5});
  CHECK(running(any) == std::set<std::uint64_t>{0, 5, 6, 7});
}

TEST_CASE("suspects: a table") {
  struct row {
    std::uint32_t at_a_time;
    mark seen;
    std::uint64_t before;
    mark expected;
  };
  const row rows[] = {
      {1, mark::unknown, 0, mark::unknown},
      {1, mark::unknown, 1, mark::interrupted},
      {3, mark::unknown, 2, mark::unknown},
      {3, mark::unknown, 3, mark::interrupted},
      {suspects::everybody, mark::unknown, 1'000'000, mark::unknown},
      {1, mark::running, 5, mark::running},
      {1, mark::waiting, 0, mark::waiting},
      {1, mark::finished, 0, mark::finished},
  };
  for (const row& r : rows) {
    INFO(r.at_a_time << " at a time, " << r.before << " before, mark " << static_cast<int>(r.seen));
    CHECK(suspects{r.at_a_time}.judge(r.seen, r.before) == r.expected);
  }
}

TEST_CASE("in transit: each death of which nobody knows convicts or clears an item") {
  // The ledger decides, the suspects are who they are: item 6 of 10 kills whoever executes it.
  constexpr std::uint64_t killer = 6;
  fmap::kernel::ledger ledger;
  const auto run = ledger.open({.buffersize = 10, .chunksize = 10, .max_attempts = 2});
  ledger.grant(run, 10);
  ledger.pulled(run, 0, 10);
  std::set<std::uint64_t> done, lost;
  const run_ptr r = a_run(run);
  int deaths = 0;
  while (done.size() + lost.size() != 10) {
    REQUIRE(deaths < 12);
    hearsay nobody;
    in_transit held{nobody, suspects{1}};
    const auto worker = ledger.add_worker(100, 1);
    std::vector<std::uint64_t> items;
    while (const auto s = ledger.take(worker)) {
      send(held, r, s.first, s.count);
      for (auto i = s.first; i != s.end(); ++i) items.push_back(i);
    }
    REQUIRE_FALSE(items.empty());
    bool dies = false;
    // Two answers are still on their way when it dies.
    std::vector<std::uint64_t> answers;
    for (const auto i : items) {
      if (i == killer) {
        dies = true;
        break;
      }
      answers.push_back(i);
    }
    if (dies) answers.resize(answers.size() > 2 ? answers.size() - 2 : 0);
    for (const auto i : answers) {
      answer(held, run, i);
      ledger.finished(worker, run, i, 1, {}, false);
      done.insert(i);
    }
    deaths += dies ? 1 : 0;
    for (const casualty& c : ledger.remove_worker(worker, [&](run_id id, std::uint64_t i) {
           return held.state_of({id, i});
         }))
      lost.insert(c.item.first);
  }
  CHECK(lost == std::set<std::uint64_t>{killer});
  CHECK(done.size() == 9);
}
