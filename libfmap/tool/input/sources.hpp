// SPDX-License-Identifier: BSD-3-Clause
// Where items come from: descriptors and the command line, combined and linked.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tool/input/blocks.hpp"
#include "tool/input/csv.hpp"
#include "tool/input/item.hpp"
#include "tool/input/records.hpp"
#include "tool/input/regex.hpp"
#include "tool/input/splitter.hpp"

namespace fmap::tool {

/// How bytes become records, and texts columns.
struct format {
  std::string delimiter = "\n";
  std::optional<char> csv;             // the separator
  std::optional<std::string> columns;  // split at this
  std::optional<regex> columns_at;     // or at its matches
  bool json = false;                   // each is a JSON value
  bool skip_empty = false;
  bool header = false;

  /// Whether names in braces may be meant as placeholders.
  bool has_names() const { return header || json; }
};

/// What a source gives: one record after the other.
struct record {
  std::vector<std::string> columns;
  std::string problem;
  std::shared_ptr<const std::string> block{};  // of records, instead of columns
  json_values values{};                        // what the columns hold
};

class source {
public:
  virtual ~source() = default;
  virtual std::optional<record> next() = 0;
  /// Whether next() would return at once, after a wait of at most that time.
  virtual bool ready(std::chrono::milliseconds) { return true; }
  /// How many records there are, with empty ones and the header; if that is known without reading.
  virtual std::optional<std::uint64_t> size() const { return std::nullopt; }
};

using source_ptr = std::unique_ptr<source>;

source_ptr words_source(std::vector<std::string> words, const format& f);
source_ptr stream_source(std::unique_ptr<blocks> from, const format& f, const flag& stop);

/// Blocks of records; with `header` the first record is put before each block.
source_ptr block_source(std::unique_ptr<blocks> from, const record_format& f, bool header,
                        const flag& stop);

/// A source and those linked to it: the first records of each stand together, and so on; the shortest ends.
using linked_sources = std::vector<source_ptr>;

/// All combinations of the records of several sources, the last varies fastest. The first source is streamed,
/// the others are read and kept before the first item.
class combinations {
public:
  combinations(std::vector<linked_sources> groups, const format& f);

  std::optional<item> next();

  /// Whether next() would return at once, after a wait of at most that time.
  bool ready(std::chrono::milliseconds patience);

  /// How many items there will be, if that is known without reading.
  std::optional<std::uint64_t> total() const { return total_; }

private:
  using row = record;  // of all linked sources together

  void prepare();
  std::optional<row> next_of_first();
  std::optional<record> next_record(source& s);

  std::vector<linked_sources> groups_;
  format format_;
  std::optional<std::uint64_t> total_;

  bool prepared_ = false;
  bool over_ = false;
  std::shared_ptr<const names> titles_;
  std::vector<std::vector<row>> linked_to_first_;  // each source's
  std::vector<std::vector<row>> kept_;             // each further group's
  std::vector<std::size_t> at_;                    // in kept_
  std::optional<row> first_;
  std::size_t first_index_ = 0;
  std::uint64_t number_ = 0;
};

}  // namespace fmap::tool
