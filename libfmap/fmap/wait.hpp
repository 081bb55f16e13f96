// SPDX-License-Identifier: BSD-3-Clause
// Waiting for several futures: wait() and as_completed().
#pragma once

#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <ranges>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmap/detail/future_watch.hpp>
#include <fmap/future.hpp>

namespace fmap {

/// When wait() returns.
enum class return_when {
  first_completed,  ///< as soon as any future is done, cancelled ones included
  first_exception,  ///< as soon as any future has an error; else as all_completed. Cancelled is no error
  all_completed,  ///< when all are done
};
using enum return_when;

/// What wait() returns: the distinct futures it was given, in the same order, done or not.
template <class T>
struct wait_result {
  std::vector<future<T>> done;
  std::vector<future<T>> not_done;
};

namespace detail {

template <class F>
inline constexpr bool is_future = false;
template <class T>
inline constexpr bool is_future<future<T>> = true;

/// Any range of futures of one type: lvalues or rvalues, of one or several pools.
template <class Range>
concept future_range = std::ranges::input_range<Range> && is_future<
    std::remove_cvref_t<std::ranges::range_reference_t<Range>>>;

template <future_range Range>
using future_value =
    typename std::remove_cvref_t<std::ranges::range_reference_t<Range>>::value_type;

/// Futures without the duplicates, and their states.
template <class T>
struct distinct_futures {
  template <class Range>
  explicit distinct_futures(Range& futures) {
    if constexpr (std::ranges::sized_range<Range>) {
      handles.reserve(std::ranges::size(futures));
      states.reserve(std::ranges::size(futures));
    }
    for (auto&& f : futures) {
      future_state_base* const state = future_access::state(f).get();
      if (state == nullptr)
        throw invalid_state{"fmap: cannot wait for a future without shared state: it was "
                            "default-constructed or moved from"};
      handles.emplace_back(std::forward<decltype(f)>(f));
      states.push_back(state);
    }
    drop(repeats_in(states));
  }

  /// Takes out what is at these places, which ascend.
  void drop(const std::vector<std::size_t>& places) {
    if (places.empty()) return;
    auto next = places.begin();
    std::size_t kept = 0;
    for (std::size_t i = 0; i != states.size(); ++i) {
      if (next != places.end() && *next == i) {
        ++next;
        continue;
      }
      if (kept != i) handles[kept] = std::move(handles[i]);
      states[kept++] = states[i];
    }
    handles.resize(kept);
    states.resize(kept);
  }

  std::vector<future<T>> handles;
  std::vector<future_state_base*> states;
};

/// What wait() and as_completed() return for anything else.
template <class Range>
struct no_futures {
  static_assert(future_range<Range>,
                "fmap: wait() and as_completed() take a range of fmap::future, such as a "
                "std::vector<fmap::future<int>>; to wait for one future f, write f.wait()");
};

}  // namespace detail

/// Waits for several futures at once, of any pools and promises, and says which are done and which are
/// not at its return. Duplicates count once; of nothing it returns nothing, at once. A timeout runs from
/// the call; when it has passed wait() returns what there is; 0 only looks; negative throws
/// `std::invalid_argument`. A default-constructed future throws `invalid_state`. What the futures hold is
/// not thrown. Sleeps until the condition is met; may be called from any thread.
template <detail::future_range Range>
wait_result<detail::future_value<Range>> wait(Range&& futures, return_when when = all_completed,
                                              detail::time_limit timeout = {}) {
  using T = detail::future_value<Range>;
  detail::distinct_futures<T> all{futures};
  wait_result<T> result;
  if (all.handles.empty()) return result;
  detail::future_watch{all.states}.wait_for(when == first_completed ? 1 : all.states.size(),
                                            when == first_exception, timeout.until());
  for (future<T>& f : all.handles) {
    auto& side = f.done() ? result.done : result.not_done;
    side.push_back(std::move(f));
  }
  return result;
}

/// The same for `wait({a, b})`.
template <class T>
wait_result<T> wait(std::initializer_list<future<T>> futures, return_when when = all_completed,
                    detail::time_limit timeout = {}) {
  return wait(std::ranges::subrange{futures.begin(), futures.end()}, when, timeout);
}

template <class Range, class... Rest>
  requires(!detail::future_range<Range>)
detail::no_futures<Range> wait(Range&&, const Rest&...) { return {}; }

/// What as_completed() returns: a single-pass range of `future<T>&`. Movable while no iterator is in use;
/// one thread iterates.
template <class T>
class completed_futures {
public:
  class iterator {
  public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = future<T>;
    using difference_type = std::ptrdiff_t;

    iterator() = default;
    future<T>& operator*() const noexcept { return range_->current_; }
    future<T>* operator->() const noexcept { return &range_->current_; }
    iterator& operator++() {
      range_->advance();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const noexcept {
      return range_ == nullptr || !range_->holding_;
    }

  private:
    friend completed_futures;
    explicit iterator(completed_futures& range) noexcept : range_{&range} {}
    completed_futures* range_ = nullptr;
  };

  /// What as_completed() does.
  completed_futures(detail::distinct_futures<T> all, const detail::deadline& until)
      : futures_{std::move(all.handles)},
        watch_{std::make_unique<detail::future_watch>(all.states)}, until_{until} {
    watch_->start();
  }

  completed_futures(completed_futures&&) noexcept = default;
  completed_futures& operator=(completed_futures&& other) noexcept {
    watch_ = std::move(other.watch_);  // first: the old one looks at the old futures
    futures_ = std::move(other.futures_);
    current_ = std::move(other.current_);
    until_ = other.until_;
    handed_out_ = other.handed_out_;
    holding_ = std::exchange(other.holding_, false);
    return *this;
  }

  /// Waits for the first one; called again, continues where the iteration is.
  iterator begin() {
    if (!holding_) advance();
    return iterator{*this};
  }
  std::default_sentinel_t end() const noexcept { return {}; }

private:
  /// Makes the next one current and forgets the one before.
  void advance() {
    holding_ = false;
    current_ = {};
    if (!watch_) return;
    try {
      if (handed_out_ == watch_->size()) {
        watch_.reset();
        return;
      }
      if (!watch_->wait_for(handed_out_ + 1, false, until_))
        throw timeout_error{"fmap: " + std::to_string(watch_->size() - handed_out_) + " of "
                            + std::to_string(watch_->size())
                            + " futures were not done within the timeout"};
    } catch (...) {
      watch_.reset();
      futures_.clear();
      throw;
    }
    current_ = std::move(futures_[watch_->pop()]);
    ++handed_out_;
    holding_ = true;
  }

  std::vector<future<T>> futures_;  // those not handed out
  std::unique_ptr<detail::future_watch> watch_;
  detail::deadline until_;
  std::size_t handed_out_ = 0;
  future<T> current_;
  bool holding_ = false;
};

/// The futures in the order in which they complete; those that are done at the call come first, in the
/// order given. Each distinct future comes once; errors are in the futures, and cancelled ones come too.
///
/// A timeout runs from the call. When it has passed and none is ready, the iteration throws
/// `timeout_error`, which says how many of how many are unfinished, and is at its end; what is ready is
/// still handed out. 0: only what is ready; negative throws `std::invalid_argument`. A default-constructed
/// future throws `invalid_state`, here. A future that has been handed out is forgotten with the next `++`.
/// Leaving early is safe; nothing stays behind in the futures.
///
///     for (auto& f : fmap::as_completed(futures, 60s)) use(f.get());
template <detail::future_range Range>
completed_futures<detail::future_value<Range>> as_completed(Range&& futures,
                                                            detail::time_limit timeout = {}) {
  using T = detail::future_value<Range>;
  return {detail::distinct_futures<T>{futures}, timeout.until()};
}

/// The same for `as_completed({a, b})`.
template <class T>
completed_futures<T> as_completed(std::initializer_list<future<T>> futures,
                                  detail::time_limit timeout = {}) {
  return as_completed(std::ranges::subrange{futures.begin(), futures.end()}, timeout);
}

template <class Range, class... Rest>
  requires(!detail::future_range<Range>)
detail::no_futures<Range> as_completed(Range&&, const Rest&...) { return {}; }

}  // namespace fmap
