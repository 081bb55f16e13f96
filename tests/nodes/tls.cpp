// SPDX-License-Identifier: BSD-3-Clause
// Certificates: those that are refused before anybody is called, those that the other end refuses, and what passes
// between two ends that trust each other.
#include "src/remote/link/tls.hpp"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>

#include "support/catch.hpp"
#include "support/collect.hpp"
#include "support/dialling.hpp"

using namespace std::chrono_literals;
using fmap::remote::descriptor;
using fmap::remote::make_private_tls;
using fmap::remote::make_tls;
using fmap::remote::private_tls;
using fmap::remote::tls_context;
using fmap::remote::tls_end;
using fmap::remote::tls_material;
using fmap::remote::tls_stream;
using handshake = tls_stream::handshake;

namespace {

std::string refused(const tls_material& m, tls_end end = tls_end::pool) {
  try {
    make_tls(end, m);
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "accepted";
}

struct two_ends {
  std::unique_ptr<tls_stream> pool, node;
  handshake pool_state = handshake::reads, node_state = handshake::reads;

  two_ends(tls_context& p, tls_context& n, const std::string& name) {
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    pool = p.over(descriptor{fds[0]}, {});
    node = n.over(descriptor{fds[1]}, name);
    for (int i = 0; i != 10; ++i) {
      if (node_state != handshake::done && node_state != handshake::failed)
        node_state = node->shake_hands();
      if (pool_state != handshake::done && pool_state != handshake::failed)
        pool_state = pool->shake_hands();
    }
  }
  bool agree() const { return pool_state == handshake::done && node_state == handshake::done; }
};

}  // namespace

TEST_CASE("tls: certificates that cannot be used are refused, each with its own sentence") {
  const private_tls good = make_private_tls(1h), other = make_private_tls(1h),
                    old = make_private_tls(-1000s);
  CHECK(refused(good.pool) == "accepted");
  CHECK(refused(good.node, tls_end::node) == "accepted");
  CHECK_THAT(refused(old.pool), Catch::Contains("the certificate has expired on 2"));
  CHECK_THAT(refused(good.node),
             Catch::Contains("is for clients only: a pool needs one for serverAuth"));
  CHECK_THAT(refused(good.pool, tls_end::node),
             Catch::Contains("is for servers only: a node needs one for clientAuth"));
  CHECK_THAT(refused({good.pool.certificate, other.pool.key, good.pool.ca, {}}),
             Catch::Contains("the key does not belong to the certificate"));
  CHECK_THAT(refused({good.pool.certificate, good.pool.key, other.pool.ca, {}}),
             Catch::Contains("is not signed by the CA"));
  CHECK_THAT(refused({good.pool.certificate, {}, good.pool.ca, {}}),
             Catch::Contains("tls has no key"));
  CHECK_THAT(refused({"/nowhere/pool.pem", good.pool.key, good.pool.ca, {}}),
             Catch::Contains("/nowhere/pool.pem cannot be read: No such file"));

  const testing::folder here;
  const std::string key = here / "pool.key", text = here / "text";
  std::ofstream{key} << good.pool.key;
  std::ofstream{text} << "no certificate\n";
  std::filesystem::permissions(key, std::filesystem::perms{0644});
  CHECK_THAT(refused({good.pool.certificate, key, good.pool.ca, {}}),
             Catch::Contains("pool.key may be read by everybody (mode 644): chmod 600 it"));
  std::filesystem::permissions(key, std::filesystem::perms{0600});
  CHECK(refused({good.pool.certificate, key, good.pool.ca, {}}) == "accepted");
  CHECK_THAT(refused({text, key, good.pool.ca, {}}),
             Catch::Contains("holds no certificate in PEM format"));
  CHECK_THAT(refused({good.pool.certificate, text, good.pool.ca, {}}),
             Catch::Contains("text may be read by everybody"));
}

TEST_CASE("tls: two ends of one authority talk, whatever the sizes") {
  const private_tls material = make_private_tls(1h);
  const auto p = make_tls(tls_end::pool, material.pool), n = make_tls(tls_end::node, material.node);
  two_ends e{*p, *n, material.name};
  REQUIRE(e.agree());
  CHECK(e.pool->names().front() == material.name + "-node");
  CHECK(e.node->names().front() == material.name);
  const auto writer = e.node->for_other_thread();
  std::string sent(1'000'000, '\0'), got;
  for (std::size_t i = 0; i != sent.size(); ++i) sent[i] = static_cast<char>(i * 7 + i / 256);
  std::string buffer(65536, '\0');
  for (std::size_t done = 0; got.size() != sent.size();) {
    if (done != sent.size()) {
      const auto k = writer->write_some(sent.data() + done, sent.size() - done);
      REQUIRE(k >= 0);
      done += static_cast<std::size_t>(k);
    }
    const auto k = e.pool->read_some(buffer.data(), buffer.size());
    REQUIRE(k >= 0);
    got.append(buffer, 0, static_cast<std::size_t>(k));
  }
  CHECK(got == sent);
  e.node.reset();
  CHECK(e.pool->read_some(buffer.data(), buffer.size()) == 0);  // the writer is still there
}

TEST_CASE("tls: an end that is gone is noticed, and so is one that is cut off") {
  const private_tls material = make_private_tls(1h);
  const auto p = make_tls(tls_end::pool, material.pool), n = make_tls(tls_end::node, material.node);
  char byte = 0;
  two_ends a{*p, *n, material.name}, b{*p, *n, material.name};
  REQUIRE((a.agree() && b.agree()));
  CHECK(a.pool->read_some(&byte, 1) == 0);
  a.node.reset();
  CHECK(a.pool->read_some(&byte, 1) == fmap::remote::stream::gone);
  b.pool->cut();
  CHECK(b.pool->read_some(&byte, 1) == fmap::remote::stream::gone);
  CHECK(b.node->read_some(&byte, 1) == fmap::remote::stream::gone);
}

TEST_CASE("tls: an end that the other does not trust is refused, and both know why") {
  const private_tls good = make_private_tls(1h), other = make_private_tls(1h);
  const auto pool = make_tls(tls_end::pool, good.pool), node = make_tls(tls_end::node, good.node);
  SECTION("a node of another authority, which takes the pool for its own") {
    const auto stranger = make_tls(
        tls_end::node, {other.node.certificate, other.node.key, other.node.ca + good.node.ca, {}});
    two_ends e{*pool, *stranger, good.name};
    CHECK(e.pool_state == handshake::failed);
    CHECK(e.pool->failure() == "certificate of another CA");
    char byte = 0;
    CHECK(e.node->read_some(&byte, 1) == fmap::remote::stream::gone);
    CHECK(e.node->refused());
  }
  SECTION("a pool of another authority") {
    const auto stranger = make_tls(tls_end::pool, other.pool);
    two_ends e{*stranger, *node, other.name};
    CHECK(e.node_state == handshake::failed);
    CHECK(e.node->refused());
    CHECK(e.node->failure() == "certificate of another CA");
  }
  SECTION("a pool of another name") {
    two_ends e{*pool, *node, "pool.example.org"};
    CHECK(e.node_state == handshake::failed);
    CHECK(e.node->refused());
    CHECK_THAT(e.node->failure(), Catch::StartsWith("certificate for another name"));
  }
  SECTION("somebody who speaks no TLS") {
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    const descriptor plain{fds[0]};
    const auto e = pool->over(descriptor{fds[1]}, {});
    REQUIRE(::send(plain.get(), "GET / HTTP/1.1\r\n\r\n", 18, 0) == 18);
    CHECK(e->shake_hands() == handshake::failed);
    CHECK(e->failure() == "no TLS");
    CHECK_FALSE(e->refused());
  }
}

TEST_CASE(
    "tls: files that change are read again, and those before stay if the new ones cannot be used") {
  const testing::folder here;
  const private_tls first = make_private_tls(1h), second = make_private_tls(1h);
  const std::string certificate = here / "c", key = here / "k", ca = here / "a";
  const auto write = [](const std::string& path, const std::string& text, int time) {
    std::ofstream{path} << text;
    std::filesystem::permissions(path, std::filesystem::perms{0600});
    std::filesystem::last_write_time(path, std::filesystem::file_time_type{}
                                               + std::chrono::seconds{time});
  };
  write(certificate, first.pool.certificate, 1);
  write(key, first.pool.key, 1);
  write(ca, first.pool.ca, 1);
  const auto pool = make_tls(tls_end::pool, {certificate, key, ca, {}});
  const auto old_node = make_tls(tls_end::node, first.node),
             new_node = make_tls(tls_end::node, second.node);
  CHECK(pool->refresh().empty());
  CHECK(two_ends(*pool, *old_node, first.name).agree());
  write(certificate, second.pool.certificate, 2);
  CHECK_THAT(pool->refresh(), Catch::Contains("does not belong to"));
  CHECK(two_ends(*pool, *old_node, first.name).agree());
  write(key, second.pool.key, 3);
  write(ca, second.pool.ca, 3);
  CHECK(pool->refresh().empty());
  CHECK_FALSE(two_ends(*pool, *old_node, first.name).agree());
  CHECK(two_ends(*pool, *new_node, second.name).agree());
}

TEST_CASE("tls: what fmap-ca makes is what pools and nodes take") {
  const testing::folder here;
  const std::string ca = FMAP_CA, in = "cd " + (here / ".") + " && ";
  REQUIRE(std::system((in + "'" + ca + "' init && '" + ca + "' pool localhost 127.0.0.1 && '" + ca
                       + "' node node1")
                          .c_str())
          == 0);
  const auto of = [&](const std::string& name) {
    return tls_material{here / (name + ".pem"), here / (name + ".key"), here / "ca.pem", {}};
  };
  const auto pool = make_tls(tls_end::pool, of("localhost")),
             node = make_tls(tls_end::node, of("node1"));
  CHECK(two_ends(*pool, *node, "localhost").agree());
  CHECK(two_ends(*pool, *node, "127.0.0.1").agree());
  CHECK_FALSE(two_ends(*pool, *node, "127.0.0.2").agree());
  CHECK_THAT(refused(of("node1")), Catch::Contains("node1.pem is for clients only"));
}
