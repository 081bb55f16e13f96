// SPDX-License-Identifier: BSD-3-Clause
// A node over ssh, with an sshd of the test's own on the loopback interface.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <ranges>
#include <string>

#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

#include <fmap/fmap.hpp>
#include <fmap/node_pool.hpp>

#include "support/catch.hpp"
#include "support/collect.hpp"
#include "support/eventually.hpp"
#include "support/folder.hpp"
#include "support/nodes.hpp"

using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

bool runs(const std::string& command) {
  return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}

/// Listens on a free port until it is destroyed, and lets in who has its key.
class ssh_server {
public:
  ssh_server() {
    for (const char* key : {"host", "user"})
      REQUIRE(runs("ssh-keygen -q -N '' -t ed25519 -f " + path(key)));
    fs::copy_file(path("user.pub"), path("authorized"));
    for (int tries = 0; pid_ == 0 && tries != 20; ++tries)
      start(20'000 + ::getpid() % 20'000 + tries);
    REQUIRE(pid_ != 0);
  }
  ~ssh_server() {
    if (pid_ != 0) ::kill(pid_, SIGTERM);
  }
  ssh_server(const ssh_server&) = delete;
  ssh_server& operator=(const ssh_server&) = delete;

  static bool there() { return ::access("/usr/sbin/sshd", X_OK) == 0 && runs("command -v ssh"); }

  /// Runs this on the host.
  std::string command(const std::string& there) const {
    return "exec ssh -oBatchMode=yes -oStrictHostKeyChecking=no -oUserKnownHostsFile=/dev/null -q "
           "-i "
           + path("user") + " -p " + std::to_string(port_) + " 127.0.0.1 \"" + there + "\"";
  }

private:
  std::string path(const std::string& file) const { return room_ / file; }

  void start(int port) {
    std::ofstream{path("config")} << "Port " << port << "\nListenAddress 127.0.0.1\nHostKey "
                                  << path("host") << "\nAuthorizedKeysFile " << path("authorized")
                                  << "\nPidFile " << path("pid")
                                  << "\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n";
    if (::geteuid() == 0) fs::create_directories("/run/sshd");
    port_ = port;
    fs::remove(path("pid"));
    if (!runs("/usr/sbin/sshd -f " + path("config"))) return;
    testing::eventually(
        [&] { return fs::exists(path("pid")) && (std::ifstream{path("pid")} >> pid_); });
  }

  const testing::folder room_;
  int port_ = 0;
  pid_t pid_ = 0;
};

}  // namespace

TEST_CASE("nodes: over ssh") {
  if (!ssh_server::there()) {
    WARN("skipped: no sshd here (openssh-server)");
    return;
  }
  const ssh_server host;
  const std::string self = fs::read_symlink("/proc/self/exe").string();
  const std::string start = "'" + self + "' --fmap-node=- --fmap-workers=2";
  fmap::node_pool pool{{.launch = {host.command(start), host.command(start)}}};
  CHECK(pool.wait_for_nodes(2, 60s) == 2);
  const auto before = pool.nodes();
  fmap::future_map m{pool, [](int x) { return 3 * x; }, std::views::iota(0, 5000), 256};
  auto it = m.begin();
  int taken = 0;
  long sum = 0;
  for (; it != m.end(); ++it) {
    sum += *it;
    // In the middle an agent is killed; what ends on our side is ssh.
    if (++taken == 1000) ::kill(before.front().pid, SIGKILL);
  }
  CHECK(taken == 5000);
  CHECK(sum == 3L * 4999 * 5000 / 2);
  CHECK(testing::eventually([&] { return pool.nodes().front().lives == 2; }));
  CHECK_FALSE(pool.nodes().front().last_end.empty());
}
