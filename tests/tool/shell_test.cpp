// SPDX-License-Identifier: BSD-3-Clause
// Scripts: hostile items in every kind of quotes, read back by real shells.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <unistd.h>

#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/seed.hpp"
#include "tool/command/shell_context.hpp"

using namespace fmap::tool;

namespace {

item one(std::string text) { return {1, {std::move(text)}, nullptr, {}}; }

std::string expanded(const std::string& text, const std::string& of) {
  return script{text, false}.expand(one(of), {});
}

/// What would run something, break out of quotes, or look like an option; and any other bytes.
std::string hostile(std::mt19937_64& random) {
  static const std::vector<std::string> pieces = {"'",
                                                  "\"",
                                                  "`",
                                                  "$",
                                                  "\\",
                                                  "$(echo ran >&2; touch RAN)",
                                                  "`touch RAN`",
                                                  "; touch RAN;",
                                                  "\n",
                                                  "\ntouch RAN\n",
                                                  "' ; touch RAN ; '",
                                                  "\"; touch RAN; \"",
                                                  "${HOME}",
                                                  "$1",
                                                  "#",
                                                  " ",
                                                  "\t",
                                                  "-n",
                                                  "--",
                                                  "*",
                                                  "?",
                                                  "~",
                                                  "!",
                                                  "!!",
                                                  "&",
                                                  "|",
                                                  "<",
                                                  ">",
                                                  "(",
                                                  ")",
                                                  "{",
                                                  "}",
                                                  "{}",
                                                  "\\'",
                                                  "\\\"",
                                                  "a",
                                                  "0",
                                                  "\xff",
                                                  "\xc3",
                                                  "\x81\\",
                                                  "\x01",
                                                  "\r",
                                                  "=",
                                                  "%s",
                                                  "EOF\n"};
  std::string text;
  for (auto left = random() % 7; left > 0; --left) {
    if (random() % 4 == 0)
      text += static_cast<char>(1 + random() % 255);
    else
      text += pieces[random() % pieces.size()];
  }
  return text;
}

/// Runs the file in an empty directory; its output.
std::string output_of(const std::string& shell, const std::string& directory) {
  const std::string command = "cd " + directory + " && LC_ALL=C " + shell + " ./script 2>&1";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  char bytes[4096];
  while (const auto n = std::fread(bytes, 1, sizeof bytes, pipe)) text.append(bytes, n);
  ::pclose(pipe);
  return text;
}

}  // namespace

TEST_CASE("Shells read 10 000 hostile items back as they are, in every kind of quotes") {
  const auto seed = testing::seed();
  INFO(testing::seed_message(seed));
  std::mt19937_64 random{seed};

  // Each prints what is told here, where @ stands for the item. Those behind the first one start processes, so
  // they get fewer items.
  struct place {
    script text;
    std::string prints;
  };
  const std::vector<place> places{
      {script{R"-(printf '%s\0' {} "{}" '{}' x{}- "a'{}'b" )-"
              "\\\n{} # not this",
              false},
       "@ @ @ x@- a'@'b @ "},
      {script{R"-(printf '%s\0' "$(printf %sx {})")-", false}, "@x "},
      {script{R"-(printf '%s\0' "$(printf %sx "{}")")-", false}, "@x "},
      {script{R"-(printf '%s\0' "$(printf %s "$(printf %sx '{}')")")-", false}, "@x "},
      {script{"cat <<'EOF' >/dev/null; printf '%s\\0' {}\nno { }\nEOF", false}, "@ "},
  };
  constexpr std::size_t cheap = 1;

  const testing::folder here;
  const std::string& room = here.path();
  std::string expected;
  {
    std::ofstream file{room + "/script", std::ios::binary};
    for (int n = 0; n < 10'000; ++n) {
      const std::string text = hostile(random);
      for (std::size_t p = 0; p < (n % 50 == 0 ? places.size() : cheap); ++p) {
        file << places[p].text.expand(one(text), {}) << "\n";
        for (const char c : places[p].prints)
          expected += c == '@' ? text : std::string(1, c == ' ' ? '\0' : c);
      }
    }
  }
  for (const char* shell : {"dash", "bash"}) {
    if (std::system((std::string{"command -v "} + shell + " >/dev/null").c_str()) != 0) continue;
    CAPTURE(shell);
    const bool same = output_of(shell, room) == expected;
    CHECK(same);
    CHECK(::access((room + "/RAN").c_str(), F_OK) != 0);
  }
}

TEST_CASE("An item of harmless characters goes into a script as it is") {
  CHECK(expanded("echo {}", "a/b-c_1.txt") == "echo a/b-c_1.txt");
  CHECK(expanded("echo $(({} + 1))", "41") == "echo $((41 + 1))");
  CHECK(expanded("echo {}>out", "2") == "echo '2'>out");
}

TEST_CASE("Items are quoted by where their placeholder stands") {
  CHECK(expanded("echo {}", "a'b") == R"(echo 'a'\''b')");
  CHECK(expanded("echo \"{}\"", "$x") == R"(echo "\$x")");
  CHECK(expanded("echo '{}'", "a'b") == R"(echo 'a'\''b')");
  CHECK(expanded("echo {}", "") == "echo ''");
  CHECK(expanded("echo \"$(cat {})\"", "a b") == "echo \"$(cat 'a b')\"");
  CHECK(expanded("echo \"$$({})\"", "$x") == "echo \"$$(\\$x)\"");
}

TEST_CASE("What looks like a placeholder and is the shell's stays") {
  for (const char* text : {"echo ${1}", "echo \"${1}\"", "awk '{print $1}'", "echo {a,b}",
                           "echo \\{}", "echo \"\\{}\"", "f() { echo; }; f"})
    CHECK(expanded(text, "x") == text);
}

TEST_CASE("In arithmetic only harmless items can stand") {
  CHECK_THROWS_AS(expanded("echo $(({} + 1))", "a[$(touch RAN)]"), not_runnable);
  CHECK_THROWS_AS(expanded("((x = {})); echo $x", "$(touch RAN)"), not_runnable);
}

TEST_CASE("Where an item cannot be quoted safely a script is refused, with advice") {
  for (const char* text : {
           "cat <<EOF\n{}\nEOF",
           "cat <<-EOF\n\t{}\n\tEOF",
           "cat <<'EOF'\n{}\nEOF",
           "cat <<{}\n",
           "echo hi # {}",
           "echo `echo {}`",
           "echo ${x:-{}}",
           "echo $'{}'",
           "echo \"$(case x in a) echo {};; esac)\"",
           "echo \"$(case x in a) echo;; esac) {}\"",
           "echo $(cat <<A\nA\n) \"$(cat <<B\nnot the end B\nB\n)\" {}",
           "echo $((1 + \"2\")) {}",
           "echo $[1] {}",
           "cat <<$x\n\n{}",
       }) {
    CAPTURE(text);
    CHECK_THROWS_WITH(expanded(text, "x"), Catch::Contains("\"$1\""));
  }
}

TEST_CASE("A script goes on behind comments and here-documents") {
  CHECK(expanded("# it's\necho {}", "a b") == "# it's\necho 'a b'");
  CHECK(expanded("cat <<E\nit's\nE\necho {}", "a b") == "cat <<E\nit's\nE\necho 'a b'");
  CHECK(expanded("cat <<-'E'\n\tit's\n\tE\necho {}", "a b")
        == "cat <<-'E'\n\tit's\n\tE\necho 'a b'");
  CHECK(expanded("echo a#'b' \"{}\"", "$") == "echo a#'b' \"\\$\"");
}
