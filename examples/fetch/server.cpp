// SPDX-License-Identifier: BSD-3-Clause
// A small HTTP server for testing: counts how many requests are open at once.
//
// Listens on a free port of 127.0.0.1 and prints it. Answers until standard input ends, then prints
// "<requests> requests, at most <n> open at once". Knows these pages:
//
//   /items/NAME   the text "Response from /items/NAME", after 10 milliseconds
//   /slow/NAME    the same after a second
//   /dropped      no answer, the connection is closed
//   any other     404
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;

/// Counts a request from its arrival until just before its answer leaves.
class counter {
public:
  void begin() {
    std::lock_guard guard{mutex_};
    ++requests_;
    most_ = std::max(most_, ++open_);
  }
  void end() {
    std::lock_guard guard{mutex_};
    --open_;
  }
  void print() {
    std::lock_guard guard{mutex_};
    std::printf("%d requests, at most %d open at once\n", requests_, most_);
    std::fflush(stdout);
  }

private:
  std::mutex mutex_;
  int requests_ = 0, open_ = 0, most_ = 0;
};

std::string answer(std::string_view status, std::string_view body) {
  std::string text = "HTTP/1.1 ";
  text.append(status).append("\r\nContent-Type: text/plain\r\nContent-Length: ");
  text.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
  return text;
}

bool send_all(int connection, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(connection, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

/// Answers the requests that come over one connection.
void serve(int connection, counter& requests) {
  std::string input;
  char buffer[4096];
  bool good = true;
  while (good) {
    const std::size_t end = input.find("\r\n\r\n");
    if (end == std::string::npos) {
      const ssize_t received = ::recv(connection, buffer, sizeof buffer, 0);
      if (received <= 0) break;
      input.append(buffer, static_cast<std::size_t>(received));
      continue;
    }
    requests.begin();
    const std::size_t from = std::min(input.find(' '), end) + 1;  // "GET /path HTTP/1.1"
    const std::string path = input.substr(from, input.find(' ', from) - from);
    input.erase(0, end + 4);
    std::string reply = answer("404 Not Found", "no such page");
    if (path.starts_with("/items/") || path.starts_with("/slow/")) {
      std::this_thread::sleep_for(path.starts_with("/slow/") ? 1s : 10ms);
      reply = answer("200 OK", "Response from " + path);
    }
    requests.end();
    good = path != "/dropped" && send_all(connection, reply);
  }
  ::close(connection);
}

int listen_on_loopback() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (listener < 0 || ::bind(listener, generic, size) != 0 || ::listen(listener, 128) != 0
      || ::getsockname(listener, generic, &size) != 0) {
    std::perror("server");
    std::exit(EXIT_FAILURE);
  }
  std::printf("%d\n", static_cast<int>(ntohs(address.sin_port)));
  std::fflush(stdout);
  return listener;
}

}  // namespace

int main() {
  static counter requests;
  const int listener = listen_on_loopback();
  std::thread{[listener] {
    for (int connection = 0; (connection = ::accept(listener, nullptr, nullptr)) >= 0;)
      std::thread{serve, connection, std::ref(requests)}.detach();
  }}.detach();

  while (std::getchar() != EOF) {}
  requests.print();
  std::_Exit(EXIT_SUCCESS);  // connections may still be open
}
