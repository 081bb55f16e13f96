// SPDX-License-Identifier: BSD-3-Clause
// Exceptions that cross from one process to another.

#include <any>
#include <csignal>
#include <exception>
#include <filesystem>
#include <functional>
#include <future>
#include <ios>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <typeinfo>
#include <utility>
#include <variant>
#include <vector>

#include <fmap/detail/exception_codec.hpp>
#include <fmap/remote_error.hpp>

#include "support/catch.hpp"

namespace {

using fmap::detail::decode_exception;
using fmap::detail::encode_exception;
using namespace std::chrono_literals;

std::exception_ptr cross(const std::exception_ptr& e, const char* host = "there", int pid = 42) {
  const std::string bytes = encode_exception(e, host, pid);
  fmap::wire::reader in{bytes};
  auto arrived = decode_exception(in);
  CHECK(in.expect_end());
  return arrived;
}

/// Throws e as it arrives, catches it as a Seen and passes that to `look`.
template <class Seen, class E, class Look>
void arrives_as(const E& e, Look look) {
  try {
    std::rethrow_exception(cross(std::make_exception_ptr(e)));
  } catch (const Seen& seen) {
    const auto* origin = dynamic_cast<const fmap::remote_origin*>(&seen);
    REQUIRE(origin != nullptr);
    CHECK(origin->host() == "there");
    CHECK(origin->pid() == 42);
    CHECK_FALSE(origin->type_name().empty());
    look(seen);
  } catch (...) {
    FAIL("arrived as something else: " << typeid(E).name());
  }
}

template <class E>
void arrives(const E& e) {
  arrives_as<E>(e, [&](const E& seen) { CHECK(std::string{seen.what()} == e.what()); });
}

struct bad_user_input : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};
struct own_error : std::exception {
  const char* what() const noexcept override { return "my own"; }
};
struct own_fmap_error : fmap::error {
  using fmap::error::error;
};
struct own_category : std::error_category {
  const char* name() const noexcept override { return "own"; }
  std::string message(int) const override { return "own message"; }
};

}  // namespace

TEST_CASE("remote_error: standard types arrive as themselves, with their text") {
  arrives(std::logic_error{"a"});
  arrives(std::invalid_argument{"b"});
  arrives(std::domain_error{"c"});
  arrives(std::length_error{""});
  arrives(std::out_of_range{"d"});
  arrives(std::runtime_error{"e"});
  arrives(std::range_error{"f"});
  arrives(std::overflow_error{"g"});
  arrives(std::underflow_error{std::string(100'000, 'h')});
  arrives(std::bad_alloc{});
  arrives(std::bad_array_new_length{});
  arrives(std::bad_cast{});
  arrives(std::bad_any_cast{});
  arrives(std::bad_typeid{});
  arrives(std::bad_function_call{});
  arrives(std::bad_optional_access{});
  arrives(std::bad_variant_access{});
  arrives(std::bad_weak_ptr{});
  arrives(std::bad_exception{});
}

TEST_CASE("remote_error: errors with a code keep it") {
  const auto check = [](const auto& e) {
    using type = std::remove_cvref_t<decltype(e)>;
    arrives_as<type>(e, [&](const type& seen) {
      CHECK(seen.code() == e.code());
      CHECK(std::string{seen.what()} == e.what());
    });
  };
  check(std::system_error{ENOENT, std::generic_category(), "opening"});
  check(std::system_error{EAGAIN, std::system_category()});
  check(std::ios_base::failure{"reading", std::io_errc::stream});
  check(std::future_error{std::future_errc::no_state});
  const std::filesystem::filesystem_error copying{
      "copying", "/from", "/to", std::make_error_code(std::errc::no_space_on_device)};
  check(copying);
  arrives_as<std::filesystem::filesystem_error>(copying, [](const auto& seen) {
    CHECK(seen.path1() == "/from");
    CHECK(seen.path2() == "/to");
  });
  const own_category own;
  const std::system_error e{7, own, "x"};
  arrives_as<std::system_error>(e, [&](const std::system_error& seen) {
    CHECK(seen.code().value() == 7);
    CHECK(seen.code().category() != own);
    CHECK(std::string{seen.what()} == e.what());
  });
}

TEST_CASE("remote_error: fmap's own errors arrive as themselves") {
  arrives(fmap::timeout_error{"a"});
  arrives(fmap::cancelled_error{"b"});
  arrives(fmap::pool_shutdown{"c"});
  arrives(fmap::would_deadlock{"d"});
  arrives(fmap::invalid_state{"e"});
  arrives(fmap::broken_promise{"f"});
  arrives(fmap::wire::error{"g"});
  arrives(fmap::item_timeout{3, 250ms});
  arrives_as<fmap::item_timeout>(fmap::item_timeout{3, 1s},
                                 [](const auto& seen) { CHECK(seen.index() == 3); });
  const fmap::worker_lost lost{17, 3, {.signal = SIGSEGV, .host = "box", .pid = 4711}};
  arrives(lost);
  arrives_as<fmap::worker_lost>(lost, [](const fmap::worker_lost& seen) {
    CHECK(seen.index() == 17);
    CHECK(seen.attempts() == 3);
    CHECK(seen.signal() == SIGSEGV);
    CHECK(seen.exit_code() == 0);
    CHECK(seen.host() == "box");
    CHECK(seen.pid() == 4711);
  });
  const fmap::broken_pool broken{std::make_exception_ptr(std::range_error{"why"})};
  arrives(broken);
  arrives_as<fmap::broken_pool>(
      broken, [](const auto& seen) { CHECK(fmap::detail::describe(seen.cause()) == "why"); });
}

TEST_CASE("remote_error: a user's type arrives as the standard type it derives from") {
  arrives_as<std::invalid_argument>(bad_user_input{"text"}, [](const std::invalid_argument& seen) {
    CHECK(std::string{seen.what()} == "text");
    CHECK_THAT(dynamic_cast<const fmap::remote_origin&>(seen).type_name(),
               Catch::Contains("bad_user_input"));
  });
}

TEST_CASE("remote_error: anything else arrives as a remote_error") {
  arrives_as<fmap::remote_error>(own_error{}, [](const fmap::remote_error& seen) {
    CHECK(std::string{seen.what()} == "my own");
    CHECK_THAT(seen.type_name(), Catch::Contains("own_error"));
  });
  arrives_as<fmap::remote_error>(own_fmap_error{"x"},
                                 [](const auto& seen) { CHECK(std::string{seen.what()} == "x"); });
  arrives_as<fmap::remote_error>(fmap::error{"x"}, [](const fmap::remote_error& seen) {
    CHECK(seen.type_name() == "fmap::error");
  });
  arrives_as<fmap::error>(42, [](const fmap::error& seen) {
    CHECK_THAT(seen.what(), Catch::Contains("not a std::exception, but int"));
    CHECK(dynamic_cast<const fmap::remote_origin&>(seen).type_name() == "int");
  });
  CHECK_THROWS_AS(std::rethrow_exception(cross(nullptr)), fmap::remote_error);
}

TEST_CASE("remote_error: one that crosses twice keeps its origin") {
  const auto once = cross(std::make_exception_ptr(bad_user_input{"text"}), "first", 1);
  try {
    std::rethrow_exception(cross(once, "second", 2));
  } catch (const std::invalid_argument& e) {
    const auto& origin = dynamic_cast<const fmap::remote_origin&>(e);
    CHECK(origin.host() == "first");
    CHECK(origin.pid() == 1);
    CHECK_THAT(origin.type_name(), Catch::Contains("bad_user_input"));
  }
}

TEST_CASE("remote_error: malformed bytes are no exception, none at all are one") {
  const std::string bytes = encode_exception(std::make_exception_ptr(std::bad_alloc{}), "h", 1);
  fmap::wire::reader cut{std::string_view{bytes}.substr(0, bytes.size() - 1)};
  CHECK(decode_exception(cut) == nullptr);
  CHECK_FALSE(cut.ok());
  std::string strange = bytes;
  strange[1] = '\xff';  // what it is known as
  fmap::wire::reader unknown{strange};
  CHECK(decode_exception(unknown) == nullptr);
  CHECK_FALSE(unknown.ok());
  fmap::wire::reader nothing{""};
  CHECK_THROWS_WITH(std::rethrow_exception(decode_exception(nothing)),
                    Catch::Contains("no memory"));
}

TEST_CASE("worker_lost: its message names everything") {
  using fmap::worker_lost;
  CHECK(std::string{worker_lost{17, 3, {.signal = SIGSEGV, .host = "box", .pid = 4711}}.what()}
        == "fmap: item 17 was given up after 3 attempts: worker process 4711 on box was killed by "
           "SIGSEGV");
  CHECK(std::string{worker_lost{0, 1, {.exit_code = 3, .pid = 9, .reason = "while it ran"}}.what()}
        == "fmap: item 0 was given up after 1 attempt: worker process 9 exited with code 3 (while "
           "it ran)");
  CHECK_THAT((worker_lost{0, 1, {.exit_code = -1}}.what()), Catch::Contains("was lost"));
  CHECK_THAT((worker_lost{0, 1, {.signal = 60}}.what()), Catch::Contains("signal 60"));
  CHECK_THAT((fmap::item_timeout{5, 250ms}.what()),
             Catch::Contains("item 5 ran longer") && Catch::Contains("0.25 s"));
}

namespace {
struct says_nothing : std::runtime_error {
  using std::runtime_error::runtime_error;
  const char* what() const noexcept override { return nullptr; }
};

/// What it says, and what those say because of which it was thrown.
std::vector<std::string> story_of(const std::exception_ptr& e) {
  try {
    std::rethrow_exception(e);
  } catch (const std::exception& x) {
    std::vector<std::string> result{x.what()};
    const auto* nested = dynamic_cast<const std::nested_exception*>(&x);
    if (nested == nullptr || !nested->nested_ptr()) return result;
    for (auto& more : story_of(nested->nested_ptr())) result.push_back(std::move(more));
    return result;
  }
}

/// Wrapped that number of times.
std::exception_ptr wrapped(int times) {
  if (times == 0) return std::make_exception_ptr(std::out_of_range{"0"});
  try {
    try {
      std::rethrow_exception(wrapped(times - 1));
    } catch (...) {
      std::throw_with_nested(std::invalid_argument{std::to_string(times)});
    }
  } catch (...) {
    return std::current_exception();
  }
}
}  // namespace

TEST_CASE("remote errors: one whose what() is null still is what it is") {
  arrives_as<std::runtime_error>(says_nothing{"nothing"}, [](const std::runtime_error& e) {
    CHECK(std::string{e.what()}.find("says_nothing") != std::string::npos);
  });
}

TEST_CASE("remote errors: causes arrive, with their types and origins, over several processes") {
  const auto once = cross(wrapped(2));
  CHECK(story_of(once) == std::vector<std::string>{"2", "1", "0"});
  CHECK(story_of(cross(once, "elsewhere", 1)) == std::vector<std::string>{"2", "1", "0"});
  try {
    std::rethrow_exception(once);
  } catch (const std::invalid_argument& e) {
    const auto* nested = dynamic_cast<const std::nested_exception*>(&e);
    REQUIRE(nested != nullptr);
    CHECK_THROWS_AS(nested->rethrow_nested(), std::invalid_argument);
  }
  CHECK(story_of(cross(wrapped(100))).size() == 16);
}

TEST_CASE("remote errors: what no exception looks like is refused") {
  for (const char n : {'\0', '\x11', '\xff'}) {
    const std::string bytes = n + encode_exception(wrapped(1), "h", 1).substr(1);
    fmap::wire::reader r{bytes};
    CHECK(decode_exception(r) == nullptr);
  }
}

TEST_CASE("remote errors: a long text arrives") {
  arrives(std::runtime_error{std::string(std::size_t{4} << 20, 'x')});
}

TEST_CASE("remote errors: a text that is too long is cut off", "[.long]") {
  arrives_as<std::runtime_error>(std::runtime_error{std::string(std::size_t{129} << 20, 'x')},
                                 [](const std::runtime_error& e) {
                                   const std::size_t size = std::string_view{e.what()}.size();
                                   CHECK(size < (std::size_t{129} << 20));
                                 });
}
