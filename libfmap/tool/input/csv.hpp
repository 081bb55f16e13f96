// SPDX-License-Identifier: BSD-3-Clause
// Bytes in, records out: RFC 4180, with commas or tabs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fmap::tool {

struct csv_record {
  std::vector<std::string> fields;
  std::string problem;  // what is wrong with it, with its line; empty if nothing is
};

/// A record that is broken ends with its line; the next one is read as if nothing had been.
class csv_reader {
public:
  explicit csv_reader(char separator) : separator_{separator} {}

  void feed(std::string_view bytes) {
    buffer_.erase(0, std::exchange(at_, 0));
    buffer_ += bytes;
  }
  void finish() { over_ = true; }

  std::optional<csv_record> next();

private:
  enum class state { field_start, plain, quoted, quote_in_quoted, broken };

  void end_field() { record_.fields.push_back(std::exchange(field_, {})); }
  void breaks(const char* why);
  std::optional<csv_record> end_record();

  char separator_;
  std::string buffer_;
  std::size_t at_ = 0;
  bool over_ = false;

  state state_ = state::field_start;
  bool begun_ = false;  // there is something of the record
  csv_record record_;
  std::string field_;
  std::uint64_t line_ = 1;
  std::uint64_t first_line_ = 1;  // of the record
};

}  // namespace fmap::tool
