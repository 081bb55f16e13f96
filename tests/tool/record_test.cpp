// SPDX-License-Identifier: BSD-3-Clause
// What is read in blocks and batches, and what is written down and read back.
#include <random>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/seed.hpp"
#include "tool/input/items.hpp"
#include "tool/input/records.hpp"
#include "tool/output/results.hpp"
#include "tool/record/job_log.hpp"
#include "tool/record/json_text.hpp"
#include "tool/record/jsonl.hpp"
#include "tool/record/resume.hpp"

using namespace fmap::tool;
using texts = std::vector<std::string>;

namespace {

combinations words_of(texts words) {
  std::vector<linked_sources> groups;
  groups.emplace_back();
  groups.back().push_back(words_source(std::move(words), {}));
  return combinations{std::move(groups), {}};
}

item item_of(std::uint64_t number, std::string text) {
  return {number, {std::move(text)}, nullptr, {}};
}

/// All records of a text, each with what ends it.
texts naive_records(std::string text, const record_format& f) {
  texts all;
  while (!text.empty()) {
    std::size_t size = text.size();
    for (std::size_t at = 1; at < text.size() && size == text.size(); ++at) {
      const bool ends = f.bytes != 0 ? at == f.bytes
                                     : text.substr(0, at).ends_with(f.end)
                                           && text.substr(at).starts_with(f.start);
      if (ends) size = at;
    }
    all.push_back(text.substr(0, size));
    text.erase(0, size);
  }
  return all;
}

}  // namespace

TEST_CASE("Blocks are as many whole records as they hold, however their bytes come") {
  const auto seed = testing::seed();
  INFO(testing::seed_message(seed));
  std::mt19937_64 random{seed};
  for (int n = 0; n < 3000; ++n) {
    record_format f;
    f.block = 1 + random() % 12;
    const auto kind = random() % 4;
    if (kind == 1) f.end = "xy";
    if (kind == 2) f.end.clear(), f.start = ">";
    if (kind == 3) f.bytes = 1 + random() % 4;
    if (random() % 3 == 0) f.records = 1 + random() % 3;
    std::string text;
    for (auto left = random() % 40; left > 0; --left) text += "xy>\n"[random() % 4];

    texts expected;
    std::uint64_t in_block = 0;
    for (const std::string& r : naive_records(text, f)) {
      const bool fits = f.records != 0
                            ? in_block < f.records
                            : !expected.empty() && expected.back().size() + r.size() <= f.block;
      if (!expected.empty() && fits && in_block != 0) {
        expected.back() += r;
        ++in_block;
      } else {
        expected.push_back(r);
        in_block = 1;
      }
    }
    record_blocks reader{f};
    texts made;
    for (std::string_view rest = text; !rest.empty();) {
      const auto size = std::min<std::size_t>(1 + random() % 7, rest.size());
      reader.feed(rest.substr(0, size));
      rest.remove_prefix(size);
      while (auto block = reader.next()) made.push_back(*block);
    }
    reader.finish();
    while (auto block = reader.next()) made.push_back(*block);
    CAPTURE(text, f.block, f.records, f.bytes, kind);
    REQUIRE(made == expected);
  }
}

TEST_CASE("Batches hold all items in order, within their size and room") {
  const auto seed = testing::seed();
  INFO(testing::seed_message(seed));
  std::mt19937_64 random{seed};
  for (int n = 0; n < 500; ++n) {
    texts words;
    for (auto left = random() % 30; left > 0; --left) words.emplace_back(1 + random() % 5, 'a');
    const std::size_t size = 1 + random() % 6, most = size + random() % 10;
    flag stop;
    bound tokens{most};
    batching how{[size] { return size; }, true,
                 [](const item& i) { return i.columns.front().size(); }, 8};
    item_reader reader{words_of(words), stop, tokens, how};
    texts read;
    std::uint64_t number = 0;
    while (const auto batch = reader.next()) {
      CHECK(batch->number == ++number);
      CHECK(many(*batch) <= size);
      CHECK((many(*batch) == 1 || whole(*batch).size() <= 8 + many(*batch) - 1));
      read.insert(read.end(), batch->columns.begin(), batch->columns.end());
      tokens.give_back(many(*batch));
    }
    REQUIRE(read == words);
    CHECK(reader.has_ended());
  }
}

TEST_CASE("A batch that need not be full ends where no token is left") {
  flag stop;
  bound tokens{3};
  item_reader reader{
      words_of({"a", "b", "c", "d"}), stop, tokens, {[] { return std::size_t{10}; }, false, {}, 0}};
  const auto first = reader.next();
  REQUIRE(first);
  CHECK(first->columns == texts{"a", "b", "c"});
  CHECK(part_of(*first, 1, 3).columns == texts{"b", "c"});
  CHECK(part_of(*first, 2, 3).columns == texts{"c"});
  CHECK_FALSE(reader.has_ended());
}

TEST_CASE("A job log is read back, whatever is in the command") {
  job j{item_of(7, "x")};
  j.end = {ending::kind::exited, 3, false, false, {}};
  j.used.arguments = {"echo", "a\tb\nc\\d", "it's"};
  j.used.wall = std::chrono::milliseconds{1234};
  j.received = 5;
  const std::string line = job_log_line(j);
  CHECK(std::count(line.begin(), line.end(), '\n') == 1);
  CHECK(std::count(line.begin(), line.end(), '\t') == 8);
  CHECK(line.find("\t1.234\t0\t5\t3\t0\t") != std::string::npos);
  const auto read = read_job_log(std::string{job_log_title} + line + "8\t:\ttorn");
  REQUIRE(read.size() == 1);
  CHECK(read.at(7).failed());
  CHECK(read.at(7).command == "echo 'a\tb\nc\\d' 'it'\\''s'");
  j.end = {ending::kind::signalled, 15, true, false, {}};
  CHECK(read_job_log(job_log_line(j)).at(7).status == -1);
}

TEST_CASE("A line of JSON holds any bytes") {
  job j{item_of(1, "a\"b")};
  j.end = {ending::kind::exited, 0, false, false, {}};
  const json good = json::parse(json_line(j, job_output{"out\n", "\xff"}));
  CHECK(good["item"] == "a\"b");
  CHECK(good["stdout"] == "out\n");
  CHECK(good["stderr_b64"] == "/w==");
  CHECK(good["exit"] == 0);
  CHECK(good["signal"].is_null());
  CHECK_FALSE(json::parse(json_line(j, {})).contains("stdout"));
  CHECK(base64("") == "");
  for (const std::string bytes : {"", "a", "ab", "abc", "\xff\xfe\x00z"})
    CHECK(from_base64(base64(bytes)) == bytes);
  CHECK(base64("ab") == "YWI=");
  CHECK(base64("abc") == "YWJj");
}

TEST_CASE("Names of result files are told apart and stay in their folder") {
  CHECK(as_file_name("a/b") == "a%2Fb");
  CHECK(as_file_name("a%2Fb") == "a%252Fb");
  CHECK(as_file_name("..") == "%2E.");
  CHECK(as_file_name("") == "%");
  CHECK(as_file_name(std::string(5000, 'x')).size() <= 255);
}

TEST_CASE("A journal says what is done, what is saved and what is run again") {
  const std::string head = "{\"fmap_journal\":1,\"run\":{\"the command\":\"echo\",\"-I\":\"\"}}\n";
  const auto record = [](const char* what, std::uint64_t number, const char* text,
                         const char* more) {
    return "{\"" + std::string{what} + "\":" + std::to_string(number) + ",\"item\":\""
           + hex(hash_of(item_of(number, text))) + "\"" + more + "}\n";
  };
  const std::string text = head + record("begin", 1, "a", ",\"pid\":10,\"start\":20")
                           + record("ended", 1, "a", ",\"status\":0,\"out\":\"A\"")
                           + record("begin", 2, "b", ",\"pid\":11,\"start\":21")
                           + record("done", 1, "a", ",\"status\":0,\"output\":1")
                           + record("begin", 3, "c", ",\"pid\":12,\"start\":22")
                           + record("ended", 3, "c", ",\"status\":1,\"out\":\"C\"")
                           + record("begin", 4, "d", ",\"pid\":13,\"start\":23")
                           + record("done", 4, "d", ",\"status\":5,\"failed\":true,\"output\":3")
                           + "{\"done\":2,\"it";  // torn
  using fate = resume_book::fate;
  resume_book book{false, false};
  book.read(text);
  CHECK(book.difference({{"the command", "echo"}, {"-I", ""}}).empty());
  CHECK(book.difference({{"the command", "cat"}, {"-I", "x"}})
        == "the command was echo and is cat");
  CHECK(book.last() == 4);
  CHECK(book.output() == 3);
  CHECK(book.of(item_of(1, "a")).what == fate::done);
  CHECK(book.of(item_of(2, "b")).what == fate::run);
  const auto saved = book.of(item_of(3, "c"));
  REQUIRE(saved.what == fate::saved);
  CHECK(saved.saved->out == "C");
  CHECK(saved.saved->end.code == 1);
  CHECK(book.of(item_of(4, "d")).what == fate::done);
  CHECK(book.of(item_of(5, "e")).what == fate::run);
  CHECK(book.same(item_of(2, "b")));
  CHECK_FALSE(book.same(item_of(2, "x")));
  CHECK(book.same(item_of(9, "x")));
  CHECK(book.open() == std::vector<resume_book::process>{{11, 21}});

  resume_book again{false, true};
  again.read(text);
  CHECK(again.of(item_of(4, "d")).what == fate::run);

  resume_book by_item{true, false};
  by_item.read(text);
  CHECK(by_item.of(item_of(9, "a")).what == fate::done);
  CHECK(by_item.of(item_of(10, "a")).what == fate::run);  // it was there once
  CHECK(by_item.of(item_of(1, "c")).what == fate::saved);
  CHECK(by_item.of(item_of(2, "c")).what == fate::run);

  resume_book wrong{false, false};
  CHECK_THROWS_AS(wrong.read("hello\n"), std::runtime_error);
}
