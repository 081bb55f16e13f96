// SPDX-License-Identifier: BSD-3-Clause
// The file of a journal: records, one after the other, and who has it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "src/kernel/forks.hpp"

namespace fmap::journals {

/// Memory that is a part of a file. What is written there is in the file at once, also if the process is killed.
class mapping {
public:
  mapping() = default;
  /// Throws journal_error.
  mapping(int fd, const std::string& path, std::uint64_t offset, std::size_t size, bool writable);
  ~mapping();
  mapping(mapping&&) noexcept;
  mapping& operator=(mapping&&) noexcept;

  std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }

private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Each record is a frame (a length, a guard of the length and a checksum, of 4 bytes each) and the payload. Behind the last one are zeros or the end:
/// space is reserved ahead, so that a full disk is an error and not a signal. One thread at a time uses it, but
/// read_at() may be called by any.
///
/// In a child of fork() it is of no use: nothing of the file changes there.
class growing_file {
public:
  /// Is called with a record's place and payload.
  using teller = std::function<void(std::uint64_t place, std::string_view payload)>;

  /// Opens or makes it, locks it, tells all records, and removes what is left of a last one that was cut off. Throws
  /// journal_error.
  growing_file(std::string path, const teller&);
  ~growing_file();
  growing_file(const growing_file&) = delete;
  growing_file& operator=(const growing_file&) = delete;

  const std::string& path() const { return path_; }

  /// How many items were under way when the last process that had it was killed; 0 if it ended otherwise.
  std::uint64_t left_running() const { return left_running_; }

  /// The same for this process.
  void running(std::uint64_t items);

  /// Tells all records, in their order.
  void each(const teller&) const;

  /// The payload there.
  std::string read_at(std::uint64_t place) const;

  /// When this returns, the record outlives the process. If it throws, nothing has changed.
  void append(std::string_view payload);

  /// Waits until all of it is on the disk.
  void sync();

private:
  [[noreturn]] void fail(const std::string& what, int error) const;
  void lock();
  void open(std::uint64_t length, const teller&);
  std::uint64_t read(std::string_view all, std::uint64_t synced, const teller&) const;
  void set(std::size_t field, std::uint64_t value);
  void make_room(std::uint64_t bytes);

  const std::string path_;
  int fd_ = -1;
  kernel::home_process home_;
  std::uint64_t size_ = 0;    // up to the end of the last record
  std::uint64_t synced_ = 0;  // what it was when the disk was waited for
  std::uint64_t left_running_ = 0;
  mapping header_, window_;
  std::uint64_t window_at_ = 0;
};

}  // namespace fmap::journals
