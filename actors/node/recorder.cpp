// SPDX-License-Identifier: BSD-3-Clause
// The flight recorder: how far a worker process got with each item it holds.

#include "actors/node/recorder.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <sys/mman.h>
#include <unistd.h>

namespace fmap::actors {

namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error{errno, std::generic_category(), what};
}

}  // namespace

recorder::recorder(int fd) : fd_{fd} {
  if (fd_ < 0) {
    fd_ = ::memfd_create("fmap-recorder", MFD_CLOEXEC);
    if (fd_ < 0 || ::ftruncate(fd_, size) != 0) fail("fmap: no memory for a flight recorder");
  }
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
  if (memory == MAP_FAILED) fail("fmap: no memory for a flight recorder");
  states_ = static_cast<state*>(memory);
}

recorder::~recorder() {
  ::munmap(states_, size);
  ::close(fd_);
}

std::optional<std::uint32_t> recorder::reserve(std::uint32_t count) {
  for (int round = 0; round != 2; ++round, next_ = 0) {
    for (std::uint32_t first = next_; first + count <= size;) {
      bool* const begin = used_.get() + first;
      bool* const taken = std::find(begin, begin + count, true);
      if (taken == begin + count) {
        std::fill(begin, taken, true);
        for (std::uint32_t i = 0; i != count; ++i)
          at(first + i)->store(detail::slot_state::item, std::memory_order_relaxed);
        next_ = first + count;
        return first;
      }
      first = static_cast<std::uint32_t>(taken - used_.get()) + 1;
    }
  }
  return {};
}

}  // namespace fmap::actors
