// SPDX-License-Identifier: BSD-3-Clause
// Frames over a stream, between a pool and one peer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <fmap/wire.hpp>

#include "src/kernel/spinner.hpp"
#include "src/remote/frames.hpp"
#include "src/remote/stream.hpp"

namespace fmap::remote {

/// Who is at the other end.
enum class other_end : std::uint8_t { pool, peer };

/// Gathers frames and writes them out, reads and cuts up what comes in. A frame is its length (8 bytes,
/// little endian, of what follows), its kind (1 byte) and its content. Not thread-safe.
class connection {
public:
  connection(std::unique_ptr<stream> bytes, other_end other)
      : bytes_{std::move(bytes)}, other_{other} {}
  ~connection() = default;
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  stream& bytes() noexcept { return *bytes_; }

  /// Longer frames than this make no sense; to begin with what can be sent at all.
  void limit(std::uint64_t longest) noexcept { longest_ = longest; }

  /// Appends a frame, and what follows its fields.
  template <class Frame>
  void send(const Frame& frame, std::string_view body = {}) {
    const std::size_t start = begin(frame);
    out_.append(body);
    finish(start, 0);
  }

  /// The same; but much is written at once, all there is, and a long body without a copy of it. False: the
  /// other end is gone.
  template <class Frame>
  bool write(const Frame& frame, std::string_view body) {
    return finish_and_write(begin(frame), body);
  }

  /// Bytes that have not been written yet.
  std::size_t waiting() const noexcept { return out_.size() - written_; }

  /// Writes what the stream takes now. False: the other end is gone.
  bool flush();

  /// Writes everything, however long that takes.
  bool flush_all();

  /// Bytes that have arrived and are not part of a frame that was handed over.
  std::size_t arrived() const noexcept { return in_end_ - in_begin_; }

  /// Reads what is there now. False: the other end is gone, and all it had sent has been read. Memory grows with
  /// what arrives, whatever a length claims.
  bool fill();

  /// Waits for something, and reads it.
  bool wait_and_fill();

  using handler = std::function<bool(frames::kind, wire::reader&)>;

  /// Hands over each frame that has arrived in full. False: what arrives makes no sense. What nobody sends is not
  /// waited for: a line of text, say, that somebody wrote to the wrong descriptor.
  bool each(const handler& handle);

  /// What there is of the content of a frame of this kind that has not arrived in full.
  std::string_view unfinished(frames::kind) const;

private:
  std::size_t begin(frames::kind);
  template <class Frame>
  std::size_t begin(const Frame& frame) {
    const std::size_t start = begin(Frame::is);
    wire::writer w{out_};
    w.apply(frame);
    return start;
  }
  void finish(std::size_t start, std::size_t more);
  bool finish_and_write(std::size_t start, std::string_view body);
  bool write_all(std::string_view, std::size_t& done);
  void forget_written();
  void make_room();
  bool possible(std::uint64_t length, frames::kind) const;

  const std::unique_ptr<stream> bytes_;
  const other_end other_;
  std::uint64_t longest_ = frames::longest;
  kernel::spinner spin_;
  std::string out_;
  std::size_t written_ = 0;
  std::unique_ptr<char[]> in_;
  std::size_t in_size_ = 0, in_begin_ = 0, in_end_ = 0;
};

}  // namespace fmap::remote
