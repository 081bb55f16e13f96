// SPDX-License-Identifier: BSD-3-Clause
// The bytes of one output that wait to be written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

namespace fmap::tool {

/// In order: what is in memory, what is in the file, and what came when the file could take no more.
struct held {
  std::deque<std::string> before, after;
  std::size_t in_memory = 0;
  int file = -1;
  bool borrowed = false;                     // the file is somebody's: it is not cut
  std::int64_t read_to = 0, written_to = 0;  // of the file

  /// A place in it, while nothing has been taken out.
  struct mark {
    std::size_t before = 0, after = 0;
    std::int64_t written_to = 0;
  };

  bool in_file() const { return read_to != written_to; }
  bool empty() const { return before.empty() && after.empty() && !in_file(); }
  mark here() const { return {before.size(), after.size(), written_to}; }
};

/// Where the next bytes of an output go.
enum class place { memory, file, nowhere };

/// What is held of all outputs together, and how much that may be.
struct room {
  std::uint64_t memory_limit = 64u << 20;
  std::uint64_t file_limit = 1u << 30;
  std::uint64_t in_memory = 0;
  std::uint64_t in_files = 0;

  /// For an output that waits: memory as long as there is some, then the file, then its command waits. What has
  /// bytes in a file goes on there, so that their order stays.
  place waits(const held& h) const {
    if (!h.in_file() && in_memory < memory_limit) return place::memory;
    if (in_files < file_limit && h.after.empty() && !h.borrowed) return place::file;
    return place::nowhere;
  }

  /// For the output that is being written: it needs none of the room, and takes little.
  static place flows(const held& h, std::size_t most) {
    return h.in_file() || h.in_memory >= most ? place::nowhere : place::memory;
  }

  /// Drops what came behind `to`.
  void cut(held& h, const held::mark& to) {
    const auto pop = [&](std::deque<std::string>& pieces, std::size_t size) {
      while (pieces.size() > size) {
        h.in_memory -= pieces.back().size();
        in_memory -= pieces.back().size();
        pieces.pop_back();
      }
    };
    pop(h.after, to.after);
    in_files -= static_cast<std::uint64_t>(h.written_to - to.written_to);
    h.written_to = to.written_to;
    pop(h.before, to.before);
  }
};

}  // namespace fmap::tool
