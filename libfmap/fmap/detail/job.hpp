// SPDX-License-Identifier: BSD-3-Clause
// The typed edge of a run: where its items come from, the function they go through, and how a worker claims each one
// without a lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>

#include <fmap/detail/api.hpp>
#include <fmap/detail/asymmetric_fence.hpp>
#include <fmap/detail/chunk.hpp>

namespace fmap::detail {

class journal_run;
class kept_items;
class retry_book;

/// The memory that threads share; tests have another one.
struct shared_memory {
  template <class T>
  using atomic = std::atomic<T>;
  static void fence() { std::atomic_thread_fence(std::memory_order_seq_cst); }
  static void light_fence() { detail::light_fence(); }
  static void heavy_fence() { detail::heavy_fence(); }
};

/// How far a worker got in its batch, and how far it may go; offsets into the chunk. The worker claims
/// an item by storing its offset in `current` and then looking at `limit`; whoever takes the rest of
/// the batch away lowers `limit` and then looks at `current`. All but claim() is called under a mutex.
template <class Memory>
struct alignas(64) basic_progress {
  typename Memory::template atomic<std::uint32_t> current{0};
  typename Memory::template atomic<std::uint32_t> limit{0};
  bool fenced = false;  ///< full fences on both sides: for items that take much longer than a fence
  bool passed_over = false;  ///< some item was not executed, as its outcome is recorded

  /// For the worker: its batch are the items from `begin` up to `end`.
  void start(std::uint32_t begin, std::uint32_t end) {
    limit.store(end, std::memory_order_relaxed);
    current.store(begin, std::memory_order_relaxed);
    passed_over = false;
  }

  /// Claims the item at `offset`; false if it is not this worker's (any more).
  bool claim(std::uint32_t offset) {
    current.store(offset, std::memory_order_release);
    if (fenced)
      Memory::fence();
    else
      Memory::light_fence();
    return offset < limit.load(std::memory_order_relaxed);
  }

  /// Whether nobody has taken the batch away, as a fork does in the new process.
  bool is_mine() const { return limit.load(std::memory_order_relaxed) != 0; }

  /// For somebody else: the worker claims nothing more. Returns what it has claimed last.
  std::uint32_t freeze() {
    limit.store(0, std::memory_order_relaxed);
    if (fenced)
      Memory::fence();
    else
      Memory::heavy_fence();
    return current.load(std::memory_order_acquire);
  }

  /// After that: the item at `offset` and those before it are the worker's.
  void keep(std::uint32_t offset) { limit.store(offset + 1, std::memory_order_relaxed); }
};

/// Where outcomes are ready before their batch is over.
class early_outcomes {
public:
  /// What of the batch has been delivered is ready. Any thread may call it.
  virtual void settle() noexcept = 0;

protected:
  ~early_outcomes() = default;
};

struct progress : basic_progress<shared_memory> {
  early_outcomes* early = nullptr;  ///< for jobs that are called with whole batches
};

/// The input of a run. One thread at a time calls it.
class FMAP_API input {
public:
  virtual ~input() = default;

  /// Pulls items into the slots [filled, end) and marks each as an item, advancing `filled`. Returns
  /// after `flush_every` of them. False: the input is at its end. Throws what the input throws.
  virtual bool pull(chunk&, std::uint32_t& filled, std::uint32_t end,
                    const std::atomic<std::uint32_t>& flush_every) = 0;

  /// Whether pull() never waits for anything, and so needs no thread of its own.
  virtual bool at_hand() const { return false; }

  /// How many items there will be in all, if that is known before the first is pulled.
  virtual std::optional<std::uint64_t> size() { return std::nullopt; }

  /// From now on copies of what is pulled are kept there. Throws std::invalid_argument if that cannot be.
  virtual std::shared_ptr<kept_items> keep_items();

  /// From now on items that are recorded there are not executed. Throws std::invalid_argument if that cannot be.
  virtual void record(const std::shared_ptr<journal_run>&);

  /// Whether to pull an item is to copy a few bytes: nobody need watch how long it takes.
  virtual bool instant() const { return false; }
};

/// The function of a run together with the types of its items and results.
class FMAP_API job {
public:
  explicit job(slot_layout slots) : layout{slots} {}
  virtual ~job() = default;

  /// Replaces the items from `begin` on by their outcomes, as far as the progress' limit lets it.
  /// Returns the offset of the first item that it did not run. Called by several workers at once, on
  /// different items; `worker` names the caller.
  virtual std::uint32_t apply(chunk&, std::uint32_t begin, progress&, std::uint32_t worker) = 0;

  /// Replaces an item (or nothing) by an error.
  virtual void fail(chunk&, std::uint32_t offset, const std::exception_ptr&) = 0;

  /// Destroys whatever the slots hold.
  virtual void clear(chunk&, std::uint32_t begin, std::uint32_t end) = 0;

  /// Throws std::invalid_argument if an item that has failed cannot be tried again.
  virtual void check_retries() const;

  /// A journal has the outcome of this item, so that there is nothing to execute. If it is to be handed out, it is in
  /// its slot now.
  bool recalled(chunk& c, std::uint32_t offset) {
    if (!journal || c.state(offset).load(std::memory_order_relaxed) != slot_state::recorded)
      return false;
    return recall(c, offset), true;
  }

  const slot_layout layout;
  std::shared_ptr<retry_book> retries;     ///< null: what has failed is not tried again
  std::shared_ptr<journal_run> journal;    ///< null: nothing is recorded
  std::atomic<std::uint64_t> failures{0};  ///< outcomes that are errors
  bool delivers = false;      ///< outcomes reach their receivers in apply(); there is no sink
  bool asynchronous = false;  ///< apply() only starts items; they are reported one by one
  bool whole = false;         ///< apply() is one call for a batch, whose last item is done last
  bool recordable = false;    ///< it asks recalled() before it executes anything

private:
  void recall(chunk&, std::uint32_t offset);

protected:
  job(const job&) = delete;
  job& operator=(const job&) = delete;
};

}  // namespace fmap::detail
