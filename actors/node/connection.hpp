// SPDX-License-Identifier: BSD-3-Clause
// Frames over a stream socket, between a pool and one worker process.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <fmap/wire.hpp>

#include "actors/kernel_names.hpp"
#include "src/kernel/spinner.hpp"

namespace fmap::actors {

/// What a frame says. docs/protocol.md tells who sends which, and when.
enum class frame : std::uint8_t {
  // to the worker process
  setup,   ///< once, first: threads, initializer, limits
  open,    ///< a run: id, name and state of its function
  batch,   ///< items of a run
  recall,  ///< send back what has not begun of a run
  close,   ///< a run is over
  quit,    ///< finish and exit
  // from it
  hello,     ///< once, first: protocol version and program fingerprint
  outcomes,  ///< of items
  returned,  ///< items that had not begun
  started,   ///< once: its initializer has returned
  broken     ///< the initializer threw
};

inline constexpr std::uint32_t frame_protocol = 1;

/// No frame is longer: one holds less than a megabyte and one item of less than 4 GiB.
inline constexpr std::uint64_t longest_frame = (std::uint64_t{1} << 32) + (1u << 24);

/// Who is at the other end.
enum class peer : std::uint8_t { pool, worker_process };

/// Gathers frames and writes them out, reads and cuts up what comes in. A frame is its length (8 bytes,
/// little endian, of what follows), its kind (1 byte) and its content. Not thread-safe.
class connection {
public:
  /// Takes over the descriptor.
  connection(int fd, peer other);
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  int fd() const noexcept { return fd_; }

  /// Appends a frame whose content `fill` writes.
  template <class Fill>
  void send(frame kind, Fill fill) {
    const std::size_t start = begin(kind);
    wire::writer w{out_};
    fill(w);
    finish(start);
  }
  void send(frame kind) {
    send(kind, [](wire::writer&) {});
  }

  /// Appends a frame, or, if `body` is long, writes all there is at once, without a copy of that. False: the
  /// other end is gone.
  bool send(frame kind, std::string_view head, std::string_view body);

  /// Bytes that have not been written yet.
  std::size_t waiting() const noexcept { return out_.size() - written_; }

  /// Writes what the socket takes now, or, if `all`, everything. False: the other end is gone.
  bool flush(bool all = false);

  /// Bytes that have arrived and are not part of a frame that was handed over.
  std::size_t arrived() const noexcept { return in_end_ - in_begin_; }

  /// Reads what is there now, or, if `wait`, at least something. False: the other end is gone, and all
  /// it had sent has been read. Memory grows with what arrives, whatever a length claims.
  bool fill(bool wait = false);

  /// Hands over each frame that has arrived in full. False: what arrives makes no sense. What no peer sends is not
  /// waited for: a line of text, say, that somebody wrote to the wrong descriptor.
  bool each(const std::function<bool(frame, wire::reader&)>& handle);

  /// What there is of the content of a frame of this kind that has not arrived in full.
  std::string_view unfinished(frame kind) const;

private:
  std::size_t begin(frame);
  void finish(std::size_t start);
  bool write(const char* data, std::size_t size, std::size_t& done, bool all);
  void make_room();

  bool possible(std::uint64_t length, frame) const;
  bool still_there() const;

  const int fd_;
  const std::uint64_t inode_;
  const peer peer_;
  spinner spin_;
  std::string out_;
  std::size_t written_ = 0;
  std::unique_ptr<char[]> in_;
  std::size_t in_size_ = 0, in_begin_ = 0, in_end_ = 0;
};

}  // namespace fmap::actors
