// SPDX-License-Identifier: BSD-3-Clause
// An open journal.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include <fmap/journal.hpp>

#include "src/journal/growing_file.hpp"
#include "src/journal/records.hpp"

namespace fmap::detail {

/// What a journal and the map that uses it share. The mutex guards all but the options.
class journal_book {
public:
  journal_book(const std::string& path, const journal_options&);

  /// A map begins to use it. Throws std::logic_error if there is one, journal_error if the types are not those of
  /// what is recorded.
  void begin(journals::beginning);
  void end();

  void write(const journals::ending&, std::string_view outcome);

  const journal_options options;
  std::mutex mutex;
  std::uint64_t done = 0, failed = 0;  // items by their last record
  bool in_use = false;

private:
  void read(std::string_view payload);
  void count(const journals::ending&);

  std::optional<journals::beginning> last_;
  std::string scratch_;

public:
  journals::growing_file file;  // tells what is above when it is opened
};

}  // namespace fmap::detail
