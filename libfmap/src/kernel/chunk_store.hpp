// SPDX-License-Identifier: BSD-3-Clause
// A run's chunks: which one is being filled, which ones can be used again.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "src/kernel/ledger_names.hpp"

namespace fmap::kernel {

/// How many slots a chunk of a run with such a bound has. `batch`: items per batch, if that is fixed.
std::uint32_t chunk_capacity(std::uint64_t buffersize, std::uint32_t batch, detail::slot_layout);

/// Outcomes that the consumer may take: the `count` slots of a chunk that end at `end`.
struct outcome_span {
  chunk* in = nullptr;
  std::uint32_t end = 0, count = 0;
  std::uint64_t buffersize = 0;  // of the run, when they were handed out
};

/// Owns the chunks of one run. A chunk has an id, which a later one may get when it is gone.
class chunk_store {
public:
  /// The chunk that is being filled, if there is one.
  chunk* filling() const { return filling_; }

  /// It is full: another one is to be filled next.
  void filled() { filling_ = nullptr; }

  /// Begins another one, the first of whose items has this index; a new one gets this capacity.
  chunk& open(std::uint64_t first, std::uint32_t capacity, detail::slot_layout);

  /// Takes over a chunk that was filled elsewhere. Returns its id.
  std::uint32_t adopt(std::unique_ptr<chunk>, std::uint64_t first, std::uint32_t count);

  chunk& at(std::uint32_t id) const { return *chunks_[id]; }
  std::size_t size() const { return chunks_.size(); }

  /// What is done with a chunk that nobody needs any more.
  enum class keep : std::uint8_t { none, some, all };

  /// Nobody will look at this many slots of a chunk again.
  void release(chunk&, std::uint32_t count, keep);

  /// Destroys what the slots hold, and the chunks.
  void clear(job&);

private:
  std::uint32_t vacant_id();

  std::vector<std::unique_ptr<chunk>> chunks_;  // by id
  std::vector<chunk*> unused_;
  std::vector<std::uint32_t> vacant_;  // ids without a chunk
  chunk* filling_ = nullptr;
};

}  // namespace fmap::kernel
