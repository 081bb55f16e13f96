// SPDX-License-Identifier: BSD-3-Clause
// A job that calls a function of the user's on all items of a batch at once.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmap/detail/api.hpp>
#include <fmap/detail/function_job.hpp>

namespace fmap {

template <class R>
class delivery;
template <class R, class F>
struct batched;

namespace detail {

/// The outcomes of one call. Knows no types. The item that is done last stays `running` until the call, and all that
/// belongs to it, is over: so a crash up to then is this batch's doing.
class FMAP_API batch_under_way {
public:
  batch_under_way(job& work, chunk& in, progress& at);
  virtual ~batch_under_way();
  batch_under_way(const batch_under_way&) = delete;
  batch_under_way& operator=(const batch_under_way&) = delete;

  std::size_t size() const { return slots_.size(); }

  /// Where the value of an item is to be made. Then one of the next two.
  void* open(std::size_t position);
  void close(std::size_t position);
  void fail_opened(std::size_t position, const std::exception_ptr&);

  void fail(std::size_t position, const std::exception_ptr&);

protected:
  void reserve(std::size_t items);

  /// The item of this slot is the next one of the batch.
  void add(std::uint32_t slot);

  /// All that the call has left open fails: with this, or as it was not delivered.
  void end(const std::exception_ptr& thrown);

  /// An item that cannot be executed.
  void fail_slot(std::uint32_t slot, const std::exception_ptr&);

  /// Whether this is the process that began the call, and not one that was forked in it.
  bool is_here() const { return at_.is_mine(); }

  /// What is still in a slot while its batch runs is destroyed.
  virtual void discard(std::uint32_t slot) = 0;

  job& work_;
  chunk& in_;

private:
  std::uint32_t take(std::size_t position);
  void settle_in_time();

  progress& at_;
  std::vector<std::uint32_t> slots_;  // by position
  std::vector<bool> has_outcome_;     // by position
  std::vector<std::uint32_t> again_;  // slots of items that are to be tried again
  std::uint32_t last_ = 0;            // the slot that is done last, once the call has begun
  std::optional<slot_state> last_state_;
  std::exception_ptr last_error_;
  std::uint32_t unsettled_ = 0;
  std::chrono::steady_clock::time_point settled_at_{};
};

/// Room for items side by side.
template <class T>
class item_row {
public:
  item_row() = default;
  ~item_row() {
    clear();
    if (items_ != nullptr) std::allocator<T>{}.deallocate(items_, room_);
  }
  item_row(const item_row&) = delete;
  item_row& operator=(const item_row&) = delete;

  void reserve(std::size_t n) {
    items_ = std::allocator<T>{}.allocate(n);
    room_ = n;
  }
  template <class From>
  void add(From&& from) {
    std::construct_at(items_ + size_, std::forward<From>(from));
    ++size_;
  }
  void clear() { std::destroy_n(items_, std::exchange(size_, 0)); }
  /// They are never destroyed.
  void forget() { size_ = 0; }
  std::span<T> all() const { return {items_, size_}; }

private:
  T* items_ = nullptr;
  std::size_t size_ = 0, room_ = 0;
};

/// Items that may be tried again stay in their slots, and the function gets copies.
template <class In>
class batch_of final : public batch_under_way {
public:
  using batch_under_way::batch_under_way;

  /// Takes the items [begin, end) of a chunk, but for those whose outcomes are recorded. Returns whether there are such.
  bool take(std::uint32_t begin, std::uint32_t end) {
    bool recalled = false;
    try {
      this->reserve(end - begin);
      row_.reserve(end - begin);
    } catch (...) {
      for (std::uint32_t i = begin; i != end; ++i)
        if (!this->work_.recalled(this->in_, i))
          this->work_.fail(this->in_, i, std::current_exception());
      return false;
    }
    for (std::uint32_t i = begin; i != end; ++i) {
      if (this->work_.recalled(this->in_, i))
        recalled = true;
      else
        take(i);
    }
    return recalled;
  }

  /// Calls `f(items)`; afterwards all of them have outcomes.
  template <class F>
  void run(F&& f) {
    std::exception_ptr thrown;
    try {
      f(row_.all());
    } catch (...) {
      thrown = std::current_exception();
    }
    if (!this->is_here()) return row_.forget();
    row_.clear();
    this->end(thrown);
  }

private:
  void take(std::uint32_t i) {
    In& item = *static_cast<In*>(this->in_.at(i));
    try {
      mark_running(this->in_.state(i));
      if (this->work_.retries) {
        if constexpr (is_copied<In>) row_.add(std::as_const(item));
      } else {
        const destroyed_at_last<In> slot{item};
        row_.add(std::move(slot.what));
      }
      this->add(i);
    } catch (...) {
      if (this->work_.retries) discard(i);
      this->fail_slot(i, std::current_exception());
    }
  }

  void discard(std::uint32_t i) override {
    if (this->work_.retries) std::destroy_at(static_cast<In*>(this->in_.at(i)));
  }

  item_row<In> row_;
};

template <class In, class Fn>
class batch_job;

template <class In, class R, class F>
class batch_job<In, batched<R, F>> : public typed_job<In, stored<R>> {
public:
  using out = stored<R>;

  static_assert(
      std::is_void_v<typename caller<F, std::span<In>, delivery<R>&>::result>,
      "fmap: on_batches: the function must return void, and have delivered by then: what it "
      "returns (a future, a coroutine) nobody would look at");
  static_assert(std::move_constructible<In>,
                "fmap: on_batches: the items of a batch lie side by side, so they must be movable");

  explicit batch_job(batched<R, F> f) : caller_{std::move(f.fn)} {
    this->recordable = true;
    this->whole = true;
  }

  std::uint32_t apply(chunk& c, std::uint32_t begin, progress& at, std::uint32_t worker) override {
    const inside here{static_cast<job*>(this)};
    if (!at.claim(begin)) return begin;
    const std::uint32_t end = at.limit.load(std::memory_order_relaxed);
    batch_of<In> batch{*this, c, at};
    if (batch.take(begin, end)) at.passed_over = true;
    if (batch.size() == 0 || !at.is_mine()) return end;  // a move may have forked
    batch.run([&](std::span<In> items) {
      delivery<R> deliver{batch};
      caller_.bind(worker)(std::move(items), deliver);
    });
    return end;
  }

  void check_retries() const override {
    if constexpr (!is_copied<In>)
      throw std::invalid_argument{
          "fmap: retry: a function over batches gets copies of items that may be tried again, and "
          "these cannot be copied; keep them behind a std::shared_ptr"};
  }

private:
  caller<F, std::span<In>, delivery<R>&> caller_;
};

}  // namespace detail

}  // namespace fmap
