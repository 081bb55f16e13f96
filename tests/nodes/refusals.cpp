// SPDX-License-Identifier: BSD-3-Clause
// Nodes that cannot join, and other ends that send nonsense: it costs them their connection, and nobody else anything.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <ranges>
#include <string>

#include <fmap/fmap.hpp>
#include <fmap/node_pool.hpp>

#include "src/remote/frames.hpp"
#include "src/remote/link/link_stream.hpp"
#include "support/catch.hpp"
#include "support/collect.hpp"
#include "support/eventually.hpp"
#include "support/nodes.hpp"

using namespace std::chrono_literals;
using testing::eventually;
using testing::message_of;
using testing::node_command;
namespace frames = fmap::remote::frames;

namespace {

constexpr auto squared = [](int x) { return x * x; };

/// What somebody sends who is no node of ours; a command that sends it, and then reads what comes.
class impostor {
public:
  impostor() {
    static int number = 0;
    path_ = std::filesystem::temp_directory_path()
            / ("fmap-impostor-" + std::to_string(::getpid()) + "-" + std::to_string(number++));
    raw(fmap::remote::preamble);
  }
  ~impostor() { std::filesystem::remove(path_); }
  impostor(const impostor&) = delete;
  impostor& operator=(const impostor&) = delete;

  impostor& raw(std::string_view bytes) {
    std::ofstream{path_, std::ios::binary | std::ios::app} << bytes;
    return *this;
  }
  template <class Frame>
  impostor& send(const Frame& frame, std::string_view body = {}) {
    std::string content(1, static_cast<char>(Frame::is));
    fmap::wire::writer{content}.apply(frame);
    content += body;
    return raw(length(content.size()) + content);
  }
  impostor& hello(std::uint32_t workers = 1) {
    frames::hello h{fmap::detail::protocol_version, fmap::detail::program_fingerprint()};
    h.name = "impostor";
    h.host = "nowhere";
    h.pid = 7;
    h.workers = workers;
    return send(h);
  }
  static std::string length(std::uint64_t n) {
    std::string result;
    for (int i = 0; i != 8; ++i) result.push_back(static_cast<char>(n >> (8 * i)));
    return result;
  }

  std::string command() const { return "cat '" + path_.string() + "'; exec cat >/dev/null"; }

private:
  std::filesystem::path path_;
};

/// Beside it there is a good node, which does all the work.
void check_beside(const impostor& bad, fmap::node_event_kind how, const std::string& reason) {
  testing::event_log log;
  const fmap::node_command command{
      fmap::node_command_options{.command = bad.command(), .restarts = 0}};
  fmap::node_pool pool{{.launch = {command, node_command()}, .on_event = log.listener()}};
  fmap::future_map m{pool, squared, std::views::iota(0, 1000), 32};
  CHECK(testing::sorted(m).size() == 1000);
  CHECK(eventually([&] { return log.count(fmap::node_event_kind::broken) == 1; }));
  CHECK(log.count(how) == 1);
  CHECK_THAT(log.reasons(), Catch::Contains(reason));
  CHECK(pool.nodes().back().lives == 1);
  CHECK(pool.nodes().front().state == fmap::node_state::given_up);
}

}  // namespace

TEST_CASE("nodes: a node that runs another program is refused, and told why") {
  frames::hello other{fmap::detail::protocol_version, "fmap-2:0123"};
  other.name = "n1";
  other.host = "h";
  other.workers = 1;
  impostor bad;
  bad.send(other);
  check_beside(bad, fmap::node_event_kind::refused, "there fmap-2:0123): copy the same executable");
  fmap::node_pool pool{{.launch = {bad.command().c_str()}}};
  CHECK_THAT(message_of<fmap::timeout_error>([&] { pool.wait_for_nodes(1, 60s); }),
             Catch::Contains("0 of 1 nodes are ready")
                 && Catch::Contains("it runs another program"));
  try {
    pool.submit(squared, 1).get();
    FAIL("nothing was thrown");
  } catch (const fmap::broken_pool& e) {
    CHECK_THAT(message_of(e.cause()), Catch::Contains("no node is left"));
  }
}

TEST_CASE("nodes: a second node of the same name is refused") {
  testing::event_log log;
  fmap::node_pool pool{
      {.launch = {node_command(1, "--fmap-name=n1"), node_command(1, "--fmap-name=n1")},
       .on_event = log.listener()}};
  CHECK(eventually([&] { return log.count(fmap::node_event_kind::refused) == 1; }));
  CHECK(pool.wait_for_nodes(1, 60s) == 1);
  CHECK_THAT(log.reasons(), Catch::Contains("a node with the name n1 is here already"));
  CHECK(pool.submit(squared, 3).get() == 9);
}

TEST_CASE("nodes: a command that fails, says nothing sensible, or nothing at all, is given up") {
  using kind = fmap::node_event_kind;
  fmap::node_command_options fails{.command = "exit 7", .restarts = 2};
  testing::event_log log;
  fmap::node_pool pool{{.launch = {fails}, .on_event = log.listener()}};
  CHECK_THROWS_AS(pool.wait_for_nodes(1, 60s), fmap::timeout_error);
  CHECK(eventually([&] { return log.count(kind::broken) == 1; }));
  CHECK(log.count(kind::launch_failed) == 3);
  CHECK_THAT(log.reasons(), Catch::Contains("its command exited with code 7"));

  fmap::node_command_options mute{
      .command = "exec sleep 1000", .restarts = 0, .boot_timeout = 300ms};
  fmap::node_pool other{{.launch = {mute}}};
  CHECK_THAT(message_of<fmap::timeout_error>([&] { other.wait_for_nodes(1, 60s); }),
             Catch::Contains("it has not joined within 0.3"));
  fmap::node_command_options noisy{.command = "exec head -c 100000 /dev/zero", .restarts = 0};
  fmap::node_pool third{{.launch = {noisy}}};
  CHECK_THROWS_AS(third.wait_for_nodes(1, 60s), fmap::timeout_error);
}

TEST_CASE("nodes: garbage costs a connection, and nobody else anything") {
  using kind = fmap::node_event_kind;
  const std::string nonsense = "it sent what is no message";
  const auto bad = [](const std::function<void(impostor&)>& fill) {
    auto result = std::make_unique<impostor>();
    fill(*result);
    return result;
  };
  SECTION("bytes that are no frame") {
    check_beside(*bad([](impostor& i) { i.raw("garbage, and more garbage\n"); }),
                 kind::launch_failed, nonsense);
  }
  SECTION("a hello that is too large") {
    check_beside(*bad([](impostor& i) { i.raw(impostor::length(1u << 20) + "\x9"); }),
                 kind::launch_failed, nonsense);
  }
  SECTION("outcomes before it has joined") {
    check_beside(*bad([](impostor& i) {
      i.hello().send(frames::outcomes{1, 0, 0, {1}}, "x");
    }),
                 kind::launch_failed, nonsense);
  }
  SECTION("a frame that promises more than there may be") {
    check_beside(*bad([](impostor& i) {
      i.hello().send(frames::started{}).raw(impostor::length(std::uint64_t{3} << 30) + "\xa");
    }),
                 kind::lost, nonsense);
  }
  SECTION("outcomes of what it was not given") {
    check_beside(*bad([](impostor& i) {
      i.hello()
          .send(frames::started{})
          .send(frames::outcomes{900, 0, 0, {1}}, std::string(1, '\0'));
    }),
                 kind::lost, nonsense);
  }
  SECTION("too many workers") {
    check_beside(*bad([](impostor& i) { i.hello(1'000'000); }), kind::refused,
                 "it has 1000000 workers");
  }
}
