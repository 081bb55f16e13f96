// SPDX-License-Identifier: BSD-3-Clause
// Bytes in, blocks of whole records out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace fmap::tool {

struct record_format {
  std::string end = "\n";        // of a record; empty: it has no mark
  std::string start;             // of the next one
  std::size_t bytes = 0;         // of each record; 0: marks tell
  std::size_t block = 1u << 20;  // bytes of a block
  std::uint64_t records = 0;     // of a block; 0: its bytes tell
};

/// A block is as many whole records as `block` bytes hold, and at least one.
class record_blocks {
public:
  explicit record_blocks(record_format f) : format_{std::move(f)} {}

  void feed(std::string_view bytes) { buffer_ += bytes; }
  void finish() { over_ = true; }

  /// The next block that is complete, if there is one.
  std::optional<std::string> next();

  /// The first record alone, if it is complete.
  std::optional<std::string> first_record();

private:
  std::size_t boundary_from(std::size_t at) const;
  std::size_t last_boundary(std::size_t most) const;
  std::optional<std::string> cut(std::size_t at);

  record_format format_;
  std::string buffer_;
  std::size_t searched_ = 0;   // no boundary is before
  std::uint64_t counted_ = 0;  // records before that
  bool over_ = false;
};

}  // namespace fmap::tool
