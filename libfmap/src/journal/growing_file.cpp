// SPDX-License-Identifier: BSD-3-Clause
// The file of a journal: records, one after the other, and who has it.

#include "src/journal/growing_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmap/journal.hpp>

#include "src/core/standard_streams.hpp"
#include "src/journal/digest.hpp"

namespace fmap::journals {

namespace {

/// The first bytes of the file; in the machine's byte order, as all of it.
struct file_header {
  char magic[8] = {'f', 'm', 'a', 'p', '-', 'j', 'n', 'l'};
  std::uint32_t version = 1;
  std::uint32_t pid = 0;      // of whom it is in use by
  std::uint64_t running = 0;  // items under way
  std::uint64_t synced =
      0;  // so many bytes are on the disk for sure; 0: nobody has waited for that
  std::uint64_t reserved[4] = {};
};
static_assert(sizeof(file_header) == 64);

struct frame {
  std::uint32_t length = 0, guard = 0, checksum = 0;
};

/// A length is believed only with it.
std::uint32_t guard_of(std::uint32_t length) { return (length ^ 0x5bd1e995) * 0x9e3779b1; }

/// Of mappings: no page is larger.
constexpr std::uint64_t alignment = 1u << 16;

/// Space is reserved for at least so many bytes at a time.
constexpr std::uint64_t ahead = 1u << 20;

std::uint32_t checksum(std::string_view payload) {
  return static_cast<std::uint32_t>(digest_of(payload).first);
}

bool all_zero(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == 0; });
}

/// The record that begins at `at`, and whether it is whole. `length`: as far as it is known, with its frame.
struct found {
  bool whole = false;
  std::uint64_t length = 0;
  std::string_view payload;
};
found record_at(std::string_view all, std::uint64_t at) {
  frame f;
  if (all.size() - at < sizeof f) return {false, all.size() - at, {}};
  std::memcpy(&f, all.data() + at, sizeof f);
  if (f.length == 0 || f.guard != guard_of(f.length)) return {false, sizeof f, {}};
  const std::uint64_t length = sizeof f + std::uint64_t{f.length};
  if (all.size() - at < length) return {false, length, {}};
  const std::string_view payload = all.substr(at + sizeof f, f.length);
  return {checksum(payload) == f.checksum, length, payload};
}

}  // namespace

mapping::mapping(int fd, const std::string& path, std::uint64_t offset, std::size_t size,
                 bool writable)
    : size_{size} {
  void* const there = ::mmap(nullptr, size, writable ? PROT_READ | PROT_WRITE : PROT_READ,
                             MAP_SHARED, fd, static_cast<off_t>(offset));
  if (there == MAP_FAILED)
    throw journal_error{"fmap: journal " + path
                        + ": cannot map it: " + std::generic_category().message(errno)};
  data_ = static_cast<std::byte*>(there);
}

mapping::~mapping() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

mapping::mapping(mapping&& other) noexcept
    : data_{std::exchange(other.data_, nullptr)}, size_{std::exchange(other.size_, 0)} {}

mapping& mapping::operator=(mapping&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

void growing_file::fail(const std::string& what, int error) const {
  throw journal_error{
      "fmap: journal " + path_ + ": " + what
      + (error != 0 ? ": " + std::generic_category().message(error) : std::string{})};
}

growing_file::growing_file(std::string path, const teller& tell) : path_{std::move(path)} {
  {
    detail::standard_streams streams;
    fd_ =
        streams.make([this] { return ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666); });
  }
  if (fd_ < 0) fail("cannot open it", errno);
  try {
    struct stat about {};
    if (::fstat(fd_, &about) != 0) fail("cannot look at it", errno);
    if (!S_ISREG(about.st_mode)) fail("it is no regular file", 0);
    lock();
    if (::fstat(fd_, &about) != 0) fail("cannot look at it", errno);
    open(static_cast<std::uint64_t>(about.st_size), tell);
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

growing_file::~growing_file() {
  running(0);
  window_ = {};
  header_ = {};
  // Where this fails, zeros stay behind the last record, which is as good.
  if (!home_.left()) [[maybe_unused]]
    const int cut = ::ftruncate(fd_, static_cast<off_t>(size_));
  ::close(fd_);
}

void growing_file::lock() {
  if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) return;
  if (errno != EWOULDBLOCK) fail("cannot lock it", errno);
  file_header h;
  const bool told = ::pread(fd_, &h, sizeof h, 0) == static_cast<ssize_t>(sizeof h);
  fail("it is in use by " + (told ? "process " + std::to_string(h.pid) : "another process"), 0);
}

void growing_file::open(std::uint64_t length, const teller& tell) {
  file_header h;
  if (length == 0) {
    if (::pwrite(fd_, &h, sizeof h, 0) != static_cast<ssize_t>(sizeof h) || ::fsync(fd_) != 0)
      fail("cannot write it", errno);
    length = sizeof h;
  }
  if (length < sizeof h) fail("its head is cut off, or it is no journal", 0);
  const mapping all{fd_, path_, 0, static_cast<std::size_t>(length), false};
  std::memcpy(&h, all.data(), sizeof h);
  const file_header ours;
  if (std::memcmp(h.magic, ours.magic, sizeof h.magic) != 0) fail("it is no journal", 0);
  if (h.version != ours.version)
    fail("it is of version " + std::to_string(h.version) + ", and this program knows version "
             + std::to_string(ours.version),
         0);
  left_running_ = h.running;
  size_ = read({reinterpret_cast<const char*>(all.data()), all.size()}, h.synced, tell);
  header_ = {fd_, path_, 0, sizeof h, true};
  h.pid = static_cast<std::uint32_t>(::getpid());
  h.running = 0;
  std::memcpy(header_.data(), &h, sizeof h);
  if (length != size_ && ::ftruncate(fd_, static_cast<off_t>(size_)) != 0)
    fail("cannot cut it", errno);
}

/// Where the first record begins that is not whole. Nothing that was written can follow it, but the rest of it; and
/// what the machine's crash has left of what was not yet on the disk.
std::uint64_t growing_file::read(std::string_view all, std::uint64_t synced,
                                 const teller& tell) const {
  std::uint64_t at = sizeof(file_header);
  for (;;) {
    const found r = record_at(all, at);
    if (r.whole) {
      tell(at, r.payload);
      at += r.length;
      continue;
    }
    const std::uint64_t behind = std::min<std::uint64_t>(at + r.length, all.size());
    const bool crashed = synced != 0 && at >= synced;
    if (!crashed && !all_zero(all.substr(behind)))
      fail("it is damaged at byte " + std::to_string(at)
               + "; to go on with what is before, cut it there (truncate -s " + std::to_string(at)
               + ")",
           0);
    return at;
  }
}

void growing_file::set(std::size_t field, std::uint64_t value) {
  std::atomic_ref<std::uint64_t>{*reinterpret_cast<std::uint64_t*>(header_.data() + field)}.store(
      value, std::memory_order_relaxed);
}

void growing_file::running(std::uint64_t items) {
  if (!home_.left()) set(offsetof(file_header, running), items);
}

void growing_file::each(const teller& tell) const {
  const mapping all{fd_, path_, 0, static_cast<std::size_t>(size_), false};
  read({reinterpret_cast<const char*>(all.data()), all.size()}, 0, tell);
}

std::string growing_file::read_at(std::uint64_t place) const {
  const auto read = [&](void* to, std::size_t n, std::uint64_t from) {
    for (auto* p = static_cast<char*>(to); n != 0;) {
      const ssize_t got = ::pread(fd_, p, n, static_cast<off_t>(from));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) fail("cannot read it", got < 0 ? errno : EIO);
      p += got;
      from += static_cast<std::uint64_t>(got);
      n -= static_cast<std::size_t>(got);
    }
  };
  frame f;
  read(&f, sizeof f, place);
  std::string payload(f.length, '\0');
  read(payload.data(), payload.size(), place + sizeof f);
  return payload;
}

void growing_file::append(std::string_view payload) {
  if (home_.left()) fail("it belongs to the process that this one was forked from", 0);
  if (payload.size() >= std::numeric_limits<std::uint32_t>::max())
    fail("a record of 4 GiB or more", 0);
  const auto length = static_cast<std::uint32_t>(payload.size());
  const frame f{length, guard_of(length), checksum(payload)};
  make_room(sizeof f + payload.size());
  std::byte* const to = window_.data() + (size_ - window_at_);
  // Should the process be killed in between, the length tells where the zeros begin again.
  std::memcpy(to, &f, sizeof f);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  std::memcpy(to + sizeof f, payload.data(), payload.size());
  std::atomic_signal_fence(std::memory_order_seq_cst);
  size_ += sizeof f + payload.size();
}

void growing_file::make_room(std::uint64_t bytes) {
  if (window_.data() != nullptr && size_ + bytes <= window_at_ + window_.size()) return;
  const std::uint64_t from = size_ / alignment * alignment;
  const std::uint64_t to = (size_ + std::max(bytes, ahead) + alignment - 1) / alignment * alignment;
  for (;;) {
    const int error =
        ::posix_fallocate(fd_, static_cast<off_t>(from), static_cast<off_t>(to - from));
    if (error == 0) break;
    if (error != EINTR) fail("cannot make it larger", error);
  }
  window_ = {fd_, path_, from, static_cast<std::size_t>(to - from), true};
  window_at_ = from;
}

void growing_file::sync() {
  if (synced_ == size_) return;
  if (::fdatasync(fd_) != 0) fail("cannot write it to the disk", errno);
  set(offsetof(file_header, synced), synced_ = size_);
}

}  // namespace fmap::journals
