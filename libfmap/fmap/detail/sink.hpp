// SPDX-License-Identifier: BSD-3-Clause
// The consumer's end of a run.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include <fmap/detail/api.hpp>
#include <fmap/detail/job.hpp>
#include <fmap/detail/journal_codec.hpp>
#include <fmap/detail/kept_items.hpp>
#include <fmap/options.hpp>

namespace fmap::detail {

class pool_core;

/// Hands out the outcomes of one run, one at a time, and returns a token for each one taken. Owns the
/// run: destroying the sink stops it and waits until nobody touches its input, function or items.
/// One thread iterates; stats() and stop() may be called from any.
class FMAP_API sink {
public:
  /// Checks the options; opens the run, but pulls nothing before start().
  sink(std::shared_ptr<pool_core>, std::shared_ptr<job>, std::unique_ptr<input>, const map_options&,
       const journal_codec* = nullptr);
  sink(sink&&) noexcept;
  sink& operator=(sink&&) noexcept;
  ~sink();

  /// Lets the source begin; the timeout runs from here. Later calls have no effect.
  void start();

  /// Takes the next outcome. The slot of the one before must be empty by now. False: the run is over.
  /// Throws timeout_error, pool_shutdown, broken_pool or what the input threw.
  bool next() {
    if (offset_ + 1 >= quick_end_ || stopped_->load(std::memory_order_relaxed))
      return next_slowly();
    take(offset_ + 1);
    return true;
  }

  /// At most so many items are in flight from now on: more at once, fewer as outcomes are taken. Any thread may call
  /// it. Throws std::invalid_argument.
  void resize(std::size_t buffersize);

  /// Ends the run early. Throws nothing.
  void stop() noexcept;

  /// Whether this thread is in the run's function or input, and so cannot wait until nobody is: an item destroys
  /// its own map, or ends the program and with it a static one. Such a map is left as it is when it is destroyed,
  /// somebody may be iterating it.
  bool in_use_here() const noexcept;

  chunk& current_chunk() const { return *chunk_; }
  std::uint32_t offset() const { return offset_; }
  std::uint64_t index() const { return chunk_->first + offset_; }
  std::uint32_t attempts() const;
  /// The copy of the current item, if copies are kept; it is kept no longer.
  kept_item take_item() const { return kept_ ? kept_->take(index()) : kept_item{}; }
  /// The calls of the function for the current item, which are forgotten.
  std::uint32_t take_tries(bool failed) const { return retries_ ? count_tries(failed) : 1; }
  map_stats stats() const;

private:
  struct impl;

  void take(std::uint32_t offset) {
    offset_ = offset;
    taken_->store(++count_, std::memory_order_relaxed);
  }

  std::uint32_t count_tries(bool failed) const;
  bool next_slowly();
  bool next_recorded();
  bool next_of_span();
  bool next_span();
  void release_recorded();
  void give_back();
  void give_back_after(std::uint32_t offset);

  chunk* chunk_ = nullptr;  // the outcomes at hand are its slots (offset_, end_)
  std::uint32_t offset_ = 0, end_ = 0;
  std::uint32_t group_end_ = 0;  // tokens go back when the outcome there is taken
  std::uint32_t quick_end_ = 0;  // the same, or 0: more is to be done with each outcome
  std::uint64_t count_ = 0;      // outcomes taken
  std::atomic<std::uint64_t>* taken_ = nullptr;
  const std::atomic<bool>* stopped_ = nullptr;
  std::shared_ptr<kept_items> kept_;
  std::shared_ptr<retry_book> retries_;
  impl* impl_ = nullptr;
};

}  // namespace fmap::detail
