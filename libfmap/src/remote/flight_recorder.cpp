// SPDX-License-Identifier: BSD-3-Clause
// The flight recorder: how far a worker process got with each item it holds.

#include "src/remote/flight_recorder.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "src/core/standard_streams.hpp"

namespace fmap::remote {

namespace {

constexpr std::size_t bytes = flight_recorder::size + sizeof(std::atomic<bool>);

[[noreturn]] void fail(const char* what) {
  throw std::system_error{errno, std::generic_category(), what};
}

/// The one that a forked process gets a copy of.
constinit std::atomic<flight_recorder*> kept{nullptr};

/// Past the limit of file sizes the kernel sends this thread a signal that would end the program.
bool enlarge(int fd) {
  sigset_t too_large, before;
  sigemptyset(&too_large);
  sigaddset(&too_large, SIGXFSZ);
  ::pthread_sigmask(SIG_BLOCK, &too_large, &before);
  const bool done = ::ftruncate(fd, bytes) == 0;
  const int error = errno;
  if (!done && error == EFBIG && !sigismember(&before, SIGXFSZ)) {
    constexpr timespec at_once{};
    ::sigtimedwait(&too_large, nullptr, &at_once);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return done;
}

}  // namespace

flight_recorder::flight_recorder(int fd) : fd_{fd} {
  if (fd_ < 0) {
    detail::standard_streams streams;
    fd_ = streams.make([] { return ::memfd_create("fmap-recorder", MFD_CLOEXEC); });
    if (fd_ < 0) fail("fmap: no memory for a flight recorder");
  }
  void* memory = MAP_FAILED;
  if (fd >= 0 || enlarge(fd_))
    memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
  if (memory == MAP_FAILED) {
    const int error = errno;
    close_fd();
    errno = error;
    fail(error == EFBIG ? "fmap: a file-size limit (ulimit -f) below 65 KiB leaves no room for a "
                          "flight recorder"
                        : "fmap: no memory for a flight recorder");
  }
  states_ = static_cast<state*>(memory);
  out_of_memory_ = reinterpret_cast<std::atomic<bool>*>(states_ + size);
}

flight_recorder::~flight_recorder() {
  flight_recorder* self = this;
  kept.compare_exchange_strong(self, nullptr);
  ::munmap(states_, bytes);
  close_fd();
}

void flight_recorder::close_fd() noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

witness::places flight_recorder::reserve(std::uint32_t count) {
  places best;
  for (int round = 0; round != 2 && best.count != count; ++round, next_ = 0) {
    for (std::uint32_t first = next_; first < size && best.count != count;) {
      bool* const begin = std::find(used_.get() + first, used_.get() + size, false);
      first = static_cast<std::uint32_t>(begin - used_.get());
      const std::uint32_t most = std::min(count, size - first);
      const auto n = static_cast<std::uint32_t>(std::find(begin, begin + most, true) - begin);
      if (n > best.count) best = {first, n};
      first += n + 1;
    }
  }
  next_ = best.first + best.count;
  std::fill_n(used_.get() + best.first, best.count, true);
  for (std::uint32_t i = 0; i != best.count; ++i)
    at(best.first + i)->store(detail::slot_state::item, std::memory_order_relaxed);
  return best;
}

void flight_recorder::free(std::uint32_t first, std::uint32_t count) {
  std::fill_n(used_.get() + first, count, false);
}

mark flight_recorder::state_of(std::uint32_t place) const {
  using detail::slot_state;
  switch (at(place)->load()) {
    case slot_state::item:
    case slot_state::returned: return mark::waiting;
    case slot_state::arriving:
    case slot_state::running: return mark::running;
    default: return mark::finished;
  }
}

bool flight_recorder::claim(std::uint32_t place, std::size_t count) {
  if (!claimed_) claimed_ = std::make_unique<std::atomic<bool>[]>(size);
  if (place >= size || count > size - place) return false;
  const auto begin = claimed_.get() + place, end = begin + count;
  for (auto c = begin; c != end; ++c)
    if (c->load(std::memory_order_acquire)) return false;
  for (auto c = begin; c != end; ++c) c->store(true, std::memory_order_relaxed);
  return true;
}

void flight_recorder::unclaim(const state& first, std::uint32_t count) {
  const auto begin = claimed_.get() + (&first - states_);
  for (auto c = begin; c != begin + count; ++c) c->store(false, std::memory_order_release);
}

void flight_recorder::keep_from_forks() {
  kept = this;
  ::pthread_atfork(nullptr, nullptr, [] {
    if (flight_recorder* const here = kept) here->become_a_copy();
  });
}

/// The descriptor may be another file's by now: the copy is empty. A process without memory for it may be about to
/// execute another program, so it goes on.
void flight_recorder::become_a_copy() noexcept {
  static_cast<void>(::mmap(states_, bytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
}

}  // namespace fmap::remote
