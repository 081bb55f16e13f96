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
  std::int64_t read_to = 0, written_to = 0;  // of the file

  bool in_file() const { return read_to != written_to; }
  bool empty() const { return before.empty() && after.empty() && !in_file(); }
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
    if (in_files < file_limit && h.after.empty()) return place::file;
    return place::nowhere;
  }

  /// For the output that is being written: it needs none of the room, and takes little.
  static place flows(const held& h, std::size_t most) {
    return h.in_file() || h.in_memory >= most ? place::nowhere : place::memory;
  }
};

}  // namespace fmap::tool
