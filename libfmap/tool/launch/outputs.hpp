// SPDX-License-Identifier: BSD-3-Clause
// The outputs of all jobs between their pipes and our own standard output.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "tool/launch/job.hpp"

namespace fmap::tool {

enum class stream_of { out, err };

/// The launcher puts bytes in, one thread (the consumer) takes them out, job by job. What is held is bounded:
/// see `room`. There is no deadlock because the job that the consumer is at needs no room.
class outputs {
public:
  outputs(std::uint64_t memory_limit, std::uint64_t file_limit);

  /// Called, from the consumer's thread, when a job that was refused may have room now.
  void on_room(std::function<void()> wake) { wake_ = std::move(wake); }

  /// Bytes that are held in memory.
  std::uint64_t in_memory() {
    std::lock_guard guard{mutex_};
    return room_.in_memory;
  }

  // -- the launcher --

  /// How many bytes may be read from that output now. 0: wait for `on_room`.
  std::size_t may_read(job& j, stream_of which);
  void put(job& j, stream_of which, std::string_view bytes);
  void ended(job& j, ending how);

  /// What has come so far stays, whatever becomes of the next try.
  void keep(job& j);
  /// Drops what came since then. False: some of it may have been written already.
  bool drop(job& j);
  /// The bytes that are held of an output, piece by piece, in order. Not while the consumer takes them.
  void look_at(job& j, stream_of which, const std::function<void(std::string_view)>& see);
  /// An output that an earlier run left in a file of that many bytes.
  void lend(job& j, stream_of which, int file, std::int64_t size);

  // -- the consumer --

  struct piece {
    stream_of from;
    std::string bytes;
  };

  /// The next bytes of `j` to be written, after a wait if it still runs; none when it has ended and all is out:
  /// its standard output first, then its standard error.
  std::optional<piece> next(job& j);

private:
  std::optional<piece> take(std::unique_lock<std::mutex>& lock, held& from, stream_of which);
  bool put_in_file(held& h, std::string_view bytes);
  void released();

  static constexpr std::size_t block = 65536;

  std::mutex mutex_;
  std::condition_variable more_;
  room room_;
  bool refused_ = false;  // somebody waits for room
  std::function<void()> wake_;
};

}  // namespace fmap::tool
