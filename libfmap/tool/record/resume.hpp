// SPDX-License-Identifier: BSD-3-Clause
// What a journal says of an earlier run. Pure: records in, what to do with each item out.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "tool/launch/job.hpp"

namespace fmap::tool {

/// A number that tells items apart.
std::uint64_t hash_of(const item& i);
std::string hex(std::uint64_t n);

/// A command that had ended and whose output had not been delivered.
struct saved_result {
  ending end;
  usage used;
  std::string name;                                // of the files that its outputs are in
  std::string out, err;                            // or the outputs themselves
  std::optional<std::int64_t> out_size, err_size;  // of the files
};

/// What must be the same, in the order in which differences are named.
using fingerprint = std::vector<std::pair<std::string, std::string>>;

class resume_book {
public:
  /// By number, or by what the items are. With `failed_too`, what has failed is run again.
  resume_book(bool by_item, bool failed_too) : by_item_{by_item}, failed_too_{failed_too} {}

  /// Takes the journal, line by line. Throws std::runtime_error if it is none.
  void read(std::string_view text);

  /// The first difference to the head, as a sentence; empty if there is none.
  std::string difference(const fingerprint& now) const;

  enum class fate { run, done, saved };
  struct verdict {
    fate what = fate::run;
    std::shared_ptr<const saved_result> saved;
  };
  /// For the k-th item. By item each one that was done counts once.
  verdict of(const item& i);

  /// Whether the k-th item is what it was, as far as it is known.
  bool same(const item& i) const;

  std::uint64_t last() const { return hashes_.empty() ? 0 : hashes_.rbegin()->first; }
  bool mixed() const { return mixed_; }

  /// Whether files of that name hold a result that may be asked for.
  bool needs(const std::string& name) const;

  /// How long the output file was when the last item had been written.
  std::uint64_t output() const { return output_; }

  struct process {
    pid_t id = 0;
    std::uint64_t start = 0;
    bool operator==(const process&) const = default;
  };
  /// Those that had been begun and of which no end is known.
  std::vector<process> open() const;

private:
  bool by_item_;
  bool failed_too_;
  bool mixed_ = false;  // an earlier run went by item
  fingerprint head_;
  std::map<std::uint64_t, std::uint64_t> hashes_;  // by number
  std::map<std::uint64_t, process> begun_;
  std::map<std::uint64_t, std::shared_ptr<const saved_result>> saved_;
  std::map<std::uint64_t, bool> done_;  // and whether it failed
  // the same, by hash
  std::multimap<std::uint64_t, std::shared_ptr<const saved_result>> saved_items_;
  std::map<std::uint64_t, std::uint64_t> done_items_;
  std::uint64_t output_ = 0;
};

}  // namespace fmap::tool
