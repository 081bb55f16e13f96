// SPDX-License-Identifier: BSD-3-Clause
// The input's parts against naive models: items between delimiters, CSV, combinations; and placeholders.
#include <random>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/seed.hpp"
#include "tool/command/template.hpp"
#include "tool/input/columns.hpp"
#include "tool/input/csv.hpp"
#include "tool/input/json_value.hpp"
#include "tool/input/regex.hpp"
#include "tool/input/sources.hpp"
#include "tool/input/splitter.hpp"
#include "tool/launch/held.hpp"
#include "tool/launch/ladder.hpp"
#include "tool/options/options.hpp"
#include "tool/policy/exit_status.hpp"

using namespace fmap::tool;
using texts = std::vector<std::string>;

namespace {

std::string random_text(std::mt19937_64& random, std::string_view of, std::size_t most) {
  std::string text;
  for (auto left = random() % (most + 1); left > 0; --left) text += of[random() % of.size()];
  return text;
}

/// Feeds `bytes` in blocks of random sizes and reads what there is after each.
template <class Reader, class Take>
void in_blocks(std::mt19937_64& random, Reader& reader, std::string_view bytes, Take take) {
  while (!bytes.empty()) {
    const auto n = std::min<std::size_t>(1 + random() % 5, bytes.size());
    reader.feed(bytes.substr(0, n));
    bytes.remove_prefix(n);
    while (auto read = reader.next()) take(std::move(*read));
  }
  reader.finish();
  while (auto read = reader.next()) take(std::move(*read));
}

texts naive_split(std::string text, const std::string& delimiter) {
  texts items;
  while (!text.empty()) {
    const auto at = text.find(delimiter);
    items.push_back(text.substr(0, at));
    text = at == std::string::npos ? "" : text.substr(at + delimiter.size());
  }
  return items;
}

options parsed(texts words, std::size_t processors = 8) {
  words.insert(words.begin(), "fmap");
  std::vector<char*> argv;
  for (std::string& w : words) argv.push_back(w.data());
  argv.push_back(nullptr);
  return parse(static_cast<int>(words.size()), argv.data(), processors);
}

std::vector<texts> all_of(combinations from) {
  std::vector<texts> all;
  while (auto i = from.next()) {
    CHECK(i->number == all.size() + 1);
    all.push_back(i->columns);
  }
  return all;
}

}  // namespace

TEST_CASE("Items between delimiters are the same however their bytes come") {
  const auto seed = testing::seed();
  INFO(testing::seed_message(seed));
  std::mt19937_64 random{seed};
  for (int n = 0; n < 3000; ++n) {
    const std::string delimiter = "x" + random_text(random, "xy", 2);
    const std::string bytes = random_text(random, std::string_view{"xya\n\0", 5}, 30);
    splitter s{delimiter};
    texts items;
    in_blocks(random, s, bytes, [&](std::string item) { items.push_back(std::move(item)); });
    REQUIRE(items == naive_split(bytes, delimiter));
  }
}

TEST_CASE("CSV records that were written are read back") {
  const auto seed = testing::seed();
  INFO(testing::seed_message(seed));
  std::mt19937_64 random{seed};
  for (int n = 0; n < 2000; ++n) {
    std::vector<texts> written;
    std::string bytes;
    for (auto records = random() % 5; records > 0; --records) {
      texts fields(1 + random() % 4);
      for (std::size_t f = 0; f < fields.size(); ++f) {
        std::string text = random_text(random, "ab,\"\n \r'", 6);
        const bool quoted = text.find_first_of(",\"\n\r") != std::string::npos || random() % 3 == 0;
        if (f != 0) bytes += ',';
        bytes += quoted ? "\"" + std::regex_replace(text, std::regex{"\""}, "\"\"") + "\"" : text;
        fields[f] = std::move(text);
      }
      bytes += random() % 2 == 0 ? "\n" : "\r\n";
      written.push_back(std::move(fields));
    }
    csv_reader reader{','};
    std::vector<texts> read;
    in_blocks(random, reader, bytes, [&](csv_record r) {
      CHECK(r.problem.empty());
      read.push_back(std::move(r.fields));
    });
    REQUIRE(read == written);
  }
}

TEST_CASE("A broken CSV record is named with its line, and the next one is read") {
  csv_reader reader{','};
  reader.feed("a,b\n\"x\"y,z\nc\"d\ne,f\n\"open\n");
  reader.finish();
  std::vector<std::string> problems;
  while (auto r = reader.next()) problems.push_back(r->problem.substr(0, 7));
  CHECK(problems == texts{"", "line 2:", "line 3:", "", "line 5:"});
}

TEST_CASE("Combinations of sources are those of nested loops") {
  const auto seed = testing::seed();
  INFO(testing::seed_message(seed));
  std::mt19937_64 random{seed};
  for (int n = 0; n < 500; ++n) {
    std::vector<linked_sources> groups;
    std::vector<std::vector<texts>> rows;  // by group
    for (auto g = 1 + random() % 3; g > 0; --g) {
      linked_sources group;
      std::vector<texts> columns;
      for (auto s = 1 + random() % 2; s > 0; --s) {
        texts words;
        for (auto w = random() % 4; w > 0; --w) words.push_back(random_text(random, "abc", 2));
        columns.push_back(words);
        group.push_back(words_source(words, {}));
      }
      std::vector<texts> mine;
      for (std::size_t r = 0;; ++r) {
        texts row;
        for (const texts& column : columns)
          if (r < column.size()) row.push_back(column[r]);
        if (row.size() < columns.size()) break;
        mine.push_back(row);
      }
      rows.push_back(mine);
      groups.push_back(std::move(group));
    }
    std::vector<texts> expected{{}};
    for (const auto& group : rows) {
      std::vector<texts> longer;
      for (const texts& before : expected)
        for (const texts& row : group) {
          longer.push_back(before);
          longer.back().insert(longer.back().end(), row.begin(), row.end());
        }
      expected = longer;
    }
    combinations from{std::move(groups), {}};
    CHECK(from.total() == expected.size());
    REQUIRE(all_of(std::move(from)) == expected);
  }
}

TEST_CASE("Edits of paths are those of GNU parallel's expressions, but leading dots stay") {
  const auto seed = testing::seed();
  INFO(testing::seed_message(seed));
  std::mt19937_64 random{seed};
  const auto naive = [](const std::string& text, edit how) -> std::string {
    static const std::regex last{R"(([^/.][^/]*)\.[^/.]+$)"}, base{R"(^.*/)"};
    const auto cut = [](const std::string& t) { return std::regex_replace(t, last, "$1"); };
    const auto name = [](const std::string& t) { return std::regex_replace(t, base, ""); };
    std::string all = text;
    while (cut(all) != all) all = cut(all);
    switch (how) {
      case edit::no_extension: return cut(text);
      case edit::base: return name(text);
      case edit::base_no_ext: return name(cut(text));
      case edit::no_extensions: return all;
      case edit::base_no_exts: return name(all);
      case edit::only_extension: return cut(text) == text ? "" : text.substr(cut(text).size() + 1);
      default: return text;
    }
  };
  for (int n = 0; n < 3000; ++n) {
    const std::string text = random_text(random, "ab./", 8);
    CAPTURE(text);
    for (const edit how : {edit::none, edit::no_extension, edit::base, edit::base_no_ext,
                           edit::no_extensions, edit::base_no_exts, edit::only_extension})
      REQUIRE(edited(how, text) == naive(text, how));
  }
  for (const auto& [path, directory] :
       std::vector<std::pair<std::string, std::string>>{{"a", "."},
                                                        {"a/b", "a"},
                                                        {"/a", "/"},
                                                        {"a/b/", "a"},
                                                        {"a//b", "a"},
                                                        {"/", "/"},
                                                        {"", "."}})
    CHECK(edited(edit::directory, path) == directory);
}

TEST_CASE("Placeholders show what they say, and other braces are text") {
  const item i{7, {"d/a.tar.gz", "x y"}, std::make_shared<const names>(names{"file", "name"}), {}};
  const figures f{3, 9};
  const auto show = [&](const char* text, bool named = false) {
    return word{text, named}.expand(i, f);
  };
  CHECK(show("{}") == "d/a.tar.gz x y");
  CHECK(show("{1}{2}{3}") == "d/a.tar.gzx y");
  CHECK(show("{-1}|{-2/.}|{1//}|{1+.}|{-3}") == "x y|a.tar|d|gz|");
  CHECK(show("{#}/{##} {%}") == "7/9 3");
  CHECK(show("{print $1} {a,b} {0} { {} }") == "{print $1} {a,b} {0} { d/a.tar.gz x y }");
  CHECK(show("{name} {file/.} {other}", true) == "x y a.tar {other}");
  CHECK(show("{name}") == "{name}");
  CHECK(word{"a{}X", false, "X"}.expand(i, f) == "a{}d/a.tar.gz x y");
  CHECK(command_words{{"c", "-v"}, false}.expand(i, f) == texts{"c", "-v", "d/a.tar.gz", "x y"});
  CHECK(command_words{{"c", "{print}"}, true}.expand(i, f)
        == texts{"c", "{print}", "d/a.tar.gz", "x y"});
  CHECK(command_words{{"c", "x{2}"}, false}.expand(i, f) == texts{"c", "xx y"});
}

TEST_CASE("Columns are split at a text, or at runs of blanks") {
  CHECK(split_columns("a,,b", ",") == texts{"a", "", "b"});
  CHECK(split_columns("a   b c", " +") == texts{"a", "b", "c"});
  CHECK(split_columns("", ",") == texts{""});
  CHECK(unescaped(R"(\n\t\x41\\)") == "\n\tA\\");
  CHECK_THROWS(unescaped(R"(\q)"));
}

TEST_CASE("The command line is checked at the door") {
  CHECK(parsed({"-j3", "echo", "-k"}).jobs == 3u);
  CHECK(parsed({"-j3", "echo", "-k"}).command == texts{"echo", "-k"});
  CHECK(parsed({"-j", "50%", "e"}).jobs == 4u);
  CHECK(parsed({"-j", "-1", "e"}).jobs == 7u);
  CHECK(parsed({"-j+2", "e"}).jobs == 10u);
  CHECK(parsed({"--order", "e"}).ordered);
  CHECK(parsed({"--buffer=4", "-j2", "e"}).buffer == 4u);
  CHECK(parsed({"--buffersize=4", "-j2", "e"}).buffer == 4u);
  CHECK(parsed({"--spill", "10m", "e"}).spill == 10u << 20);
  CHECK(parsed({"--linger=500ms", "e"}).linger == std::chrono::milliseconds{500});
  CHECK(parsed({"-d", "\\0", "e"}).input.delimiter == std::string(1, '\0'));
  const options o = parsed({"e", ":::", "a", "b", ":::+", "c", "::::", "f", "g"});
  REQUIRE(o.sources.size() == 4);
  CHECK(o.sources[1].linked);
  CHECK(o.sources[3].is_file);

  const std::vector<texts> refused = {{},
                                      {"-j0", "e"},
                                      {"-jx", "e"},
                                      {"-b1", "e"},
                                      {"-j4", "-b3", "e"},
                                      {"--nonsense", "e"},
                                      {"-y", "e"},
                                      {"--report", "e"},
                                      {"--joblog"},
                                      {"--resume", "e"},
                                      {"--tries=0", "e"},
                                      {"--retry-on=0", "e"},
                                      {"--halt=soon", "e"},
                                      {"--timeout=0%", "e"},
                                      {"-n0", "e"},
                                      {"-u", "--tag", "e"},
                                      {"--split-failed", "e"},
                                      {"--pipe", "-n2", "e"},
                                      {"--pipe", "e", ":::", "a"},
                                      {"-nauto", "--journal=x", "e"},
                                      {"--retry-failed"},
                                      {"--exit=sum", "e"},
                                      {"--s", "e"},
                                      {"-I", "", "e"},
                                      {"-d", "", "e"},
                                      {"--csv", "-0", "e"},
                                      {"-c", "echo", "e"},
                                      {"e", ":::+", "a"},
                                      {"e", "::::"},
                                      {"--timeout=0", "e"},
                                      {"--spill=1x", "e"},
                                      {"e", "::::", "-", "-"},
                                      {"-j"},
                                      {"--ordered=1", "e"}};
  for (const texts& words : refused) {
    CAPTURE(words);
    CHECK_THROWS_AS(parsed(words), usage_error);
  }
  CHECK_THROWS_WITH(parsed({"--report", "e"}), Catch::Contains("does not have that option yet"));
  CHECK_THROWS_WITH(parsed({"-j0", "e"}), Catch::Contains("-j 100%"));
}

TEST_CASE("The help is one screen, and there is one with all options") {
  const std::string text = help_text();
  CHECK(std::count(text.begin(), text.end(), '\n') <= 48);
  CHECK(text.find("--ordered") != std::string::npos);
  CHECK(text.find("--tag[=TEMPLATE]") != std::string::npos);
  CHECK(text.find("--spill") == std::string::npos);
  const std::string all = help_text(true);
  CHECK(all.find("--spill") != std::string::npos);
  CHECK(all.find("--retries") == std::string::npos);
  for (const std::string& t : {text, all}) {
    std::istringstream lines{t};
    for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 100);
  }
}

TEST_CASE("An end is asked for step by step") {
  using step = ladder::step;
  using namespace std::chrono_literals;
  const clock::time_point start{};
  ladder l;
  CHECK_FALSE(l.begun());
  CHECK(l.pass(start) == step::none);
  CHECK(l.begin(start, 5s) == step::terminate);
  CHECK(l.begin(start, 5s) == step::none);
  CHECK(l.pass(start + 4s) == step::none);
  CHECK(l.pass(start + 5s) == step::kill);
  CHECK(l.begin(start + 5s, 5s, true) == step::none);
  CHECK(l.pass(start + 6s) == step::none);
  CHECK(l.pass(start + 7s) == step::give_up);
  CHECK_FALSE(l.due());

  ladder at_once;
  CHECK(at_once.begin(start, 5s, true) == step::kill);
  CHECK(at_once.begun());
}

TEST_CASE("Outputs go to memory, then to the file, then wait") {
  room r{100, 50, 0, 0};
  held h;
  CHECK(r.waits(h) == place::memory);
  r.in_memory = 100;
  CHECK(r.waits(h) == place::file);
  h.written_to = 10;
  r.in_memory = 0;
  CHECK(r.waits(h) == place::file);  // in order behind what is there
  r.in_files = 50;
  CHECK(r.waits(h) == place::nowhere);
  CHECK(room::flows(h, 10) == place::nowhere);
  h.read_to = 10;
  CHECK(room::flows(h, 10) == place::memory);
  h.in_memory = 10;
  CHECK(room::flows(h, 10) == place::nowhere);
}

TEST_CASE("The exit status names the worst") {
  tally t;
  t.ended = 500;
  CHECK(exit_status(t) == 0);
  t.failed = 200;
  t.first = 3;
  t.largest = 137;
  CHECK(exit_status(t) == 123);
  CHECK(exit_status(t, exit_rule::count) == 101);
  CHECK(exit_status(t, exit_rule::first) == 3);
  CHECK(exit_status(t, exit_rule::max) == 137);
  t.stopped = true;
  CHECK(exit_status(t) == 124);
  t.stopped_well = true;
  CHECK(exit_status(t) == 0);
  t.start_error = ENOENT;
  CHECK(exit_status(t) == 127);
  t.start_error = EACCES;
  CHECK(exit_status(t) == 126);
  t.broken = true;
  CHECK(exit_status(t) == 125);
}

namespace {

json_value random_json(std::mt19937_64& random, int depth) {
  using kind = json_value::kind;
  static const texts others{"null", "true", "0", "-7", "1.50", "1e300", "123456789012345678901"};
  json_value v;
  v.what = static_cast<kind>(random() % (depth > 0 ? 4 : 2));
  if (v.what == kind::text) v.text = random_text(random, "a.\"\\ /{}\n", 4);
  if (v.what == kind::other) v.text = others[random() % others.size()];
  if (v.what != kind::list && v.what != kind::members) return v;
  for (std::size_t at = 0, many = random() % 4; at < many; ++at) {
    std::string name =
        v.what == kind::list ? "" : std::to_string(at) + random_text(random, "b.", 2);
    v.inside.emplace_back(std::move(name), random_json(random, depth - 1));
  }
  return v;
}

std::string in_json(const json_value& v) {
  json_value list;
  list.what = json_value::kind::list;
  list.inside.emplace_back("", v);
  return list.shown();
}

}  // namespace

TEST_CASE("JSON values are read as they were written, and their members found") {
  const auto seed = testing::seed();
  INFO(testing::seed_message(seed));
  std::mt19937_64 random{seed};
  for (int round = 0; round < 2000; ++round) {
    const json_value made = random_json(random, 3);
    const std::string text = in_json(made);
    INFO(text);
    const json_value read = json_from(text);
    REQUIRE(in_json(read) == "[" + text + "]");
    REQUIRE(read.find("0")->shown() == made.shown());
    for (std::size_t at = 0; at < made.inside.size(); ++at) {
      const auto& [name, value] = made.inside[at];
      const std::string path = made.what == json_value::kind::list ? std::to_string(at) : name;
      REQUIRE(read.find("0." + path)->shown() == value.shown());
    }
  }
  for (const std::string wrong : {"", "{", "[1,]", "{\"a\":}", "nul", "1 2", "\"\xff\""})
    CHECK_THROWS_AS(json_from(wrong), std::invalid_argument);
  CHECK(json_from("{\"a\":{\"b\":1}}").find("a.c") == nullptr);
  CHECK(json_from("[1]").find("1") == nullptr);
}

TEST_CASE("Texts are split at the matches of a regular expression as a naive search does it") {
  const auto seed = testing::seed();
  INFO(testing::seed_message(seed));
  std::mt19937_64 random{seed};
  const fmap::tool::regex blanks{"[ ,]+"};
  for (int round = 0; round < 2000; ++round) {
    const std::string text = random_text(random, "ab ,", 10);
    texts expected{""};
    for (std::size_t at = 0; at < text.size(); ++at) {
      const bool between = text[at] == ' ' || text[at] == ',';
      if (!between)
        expected.back() += text[at];
      else if (at == 0 || (text[at - 1] != ' ' && text[at - 1] != ','))
        expected.emplace_back();
    }
    INFO(text);
    REQUIRE(blanks.split(text) == expected);
  }
  CHECK(fmap::tool::regex{"^a|\\s*\\t"}.split("aba \tc") == texts{"", "ba", "c"});
  CHECK_THROWS_AS(fmap::tool::regex{"["}, std::invalid_argument);
}
