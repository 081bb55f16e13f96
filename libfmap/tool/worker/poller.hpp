// SPDX-License-Identifier: BSD-3-Clause
// Waits for descriptors, and for other threads.
#pragma once

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <optional>
#include <system_error>
#include <vector>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace fmap::tool {

class poller {
public:
  static constexpr std::uint64_t woken = 0;  // the tag of wake()

  poller()
      : epoll_{checked(::epoll_create1(EPOLL_CLOEXEC))}, wake_{checked(::eventfd(
                                                             0, EFD_CLOEXEC | EFD_NONBLOCK))},
        events_(64) {
    watch(wake_, woken);
  }
  poller(const poller&) = delete;
  poller& operator=(const poller&) = delete;
  ~poller() {
    ::close(wake_);
    ::close(epoll_);
  }

  void watch(int descriptor, std::uint64_t tag, bool to_write = false) {
    epoll_event event{};
    event.events = to_write ? EPOLLOUT : EPOLLIN;
    event.data.u64 = tag;
    checked(::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event));
  }
  /// To be called before the descriptor is closed: a child that is being started may still hold a copy.
  void unwatch(int descriptor) { ::epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr); }

  /// From any thread: the next wait() is over.
  void wake() const {
    const std::uint64_t one = 1;
    while (::write(wake_, &one, sizeof one) < 0 && errno == EINTR) {}
  }

  /// Calls `handle` with the tag of each descriptor that something can be done with, after a wait until then.
  template <class Handle>
  void wait(std::optional<std::chrono::steady_clock::time_point> until, Handle handle) {
    using namespace std::chrono;
    int most = -1;
    if (until) {
      const auto left = ceil<milliseconds>(*until - steady_clock::now()).count();
      most = left <= 0 ? 0 : left > 3'600'000 ? 3'600'000 : static_cast<int>(left);
    }
    const int many = ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), most);
    for (int e = 0; e < many; ++e) {
      const std::uint64_t tag = events_[static_cast<std::size_t>(e)].data.u64;
      std::uint64_t count = 0;
      if (tag == woken) (void)!::read(wake_, &count, sizeof count);
      handle(tag);
    }
  }

private:
  static int checked(int result) {
    if (result < 0) throw std::system_error{errno, std::generic_category(), "epoll"};
    return result;
  }

  int epoll_;
  int wake_;
  std::vector<epoll_event> events_;
};

}  // namespace fmap::tool
