// SPDX-License-Identifier: BSD-3-Clause
// How far a map is, drawn on a terminal while it runs: a bar with the rate and the time that is left.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <fmap/detail/api.hpp>
#include <fmap/detail/duration.hpp>
#include <fmap/future_map.hpp>

namespace fmap {

/// When progress is shown. The environment variable `FMAP_PROGRESS` (`always`, `never`, `lines` for a log, `json` for
/// another program) has the last word, except over `never`.
enum progress_when : std::uint8_t {
  automatic,  ///< a bar on a terminal; elsewhere whole lines now and then, and one at the end
  always,     ///< a bar, terminal or not
  never       ///< no thread, no byte
};

/// Checked when the bar is made: what makes no sense throws `std::invalid_argument` and names the option.
struct progress_options {
  /// How many items there will be. Left out: the size of the input if that is a sized range, else it is not known, and
  /// there is no percentage and no time left. With more outcomes than that the percentage goes.
  std::optional<std::uint64_t> total{};

  /// What stands before the bar and what the items are called. Control characters are shown as '?'.
  std::string label{};
  std::string unit = "items";

  progress_when when = automatic;
  std::FILE* to = stderr;

  /// How often a bar is drawn, at least 10 ms. Each time it is one write.
  detail::any_duration every = std::chrono::milliseconds{100};
  /// Where there is no terminal: a line after so long at the earliest, and after another tenth of the total.
  detail::any_duration lines_every = std::chrono::seconds{30};

  bool eta = true;   ///< show the time that is left, as soon as it is worth anything
  bool keep = true;  ///< the bar's closing line stays when it has ended
};

namespace detail {

class bar;

template <class T>
inline constexpr bool is_future_map = false;
template <class R>
inline constexpr bool is_future_map<future_map<R>> = true;

/// A map, or the outcomes of one.
template <class Range>
concept map_like = is_future_map<std::remove_cvref_t<Range>> || requires(Range& r) {
  requires is_future_map<std::remove_cvref_t<decltype(r.map())>>;
};

}  // namespace detail

/// Draws how far a map is until it is destroyed or finished: outcomes that are finished (taken or not), their rate, how
/// many are in flight, how many failed, and the time left. Several bars are drawn as one block, by one thread for all of
/// the program, which is there while there is a bar. They read `stats()` and cost the map nothing else.
///
/// The time left is by the rate of late (outcomes of the last 5 seconds, or of 3 items' time, count most); it appears
/// after two outcomes for each worker, and a second at least. Seed: tqdm, whose estimate follows the last wave of
/// workers (tqdm/tqdm#1161).
///
/// A terminal that is gone is no error: nothing more is drawn. Members are thread-safe.
class FMAP_API progress_bar {
public:
  /// Refers to the map, which must be there for longer, and must not be moved meanwhile.
  template <class R>
  explicit progress_bar(const future_map<R>& map, progress_options options = {})
      : progress_bar{[&map] { return map.stats(); }, std::move(options)} {}

  /// For anything that counts as a map does. Called by the bar's thread, which must not wait there.
  progress_bar(std::function<map_stats()> figures, progress_options options);

  progress_bar(const progress_bar&) = delete;
  progress_bar& operator=(const progress_bar&) = delete;

  /// Finishes it, unless that has been done.
  ~progress_bar();

  /// Draws the closing line, once. It says `stopped` if that is so, or if there is a total that was not reached.
  void finish(bool stopped = false) noexcept;

  /// Writes a line above all bars, or just a line on stderr if there are none.
  static void print(std::string_view line) noexcept;

private:
  std::unique_ptr<detail::bar> bar_;
};

/// A map, or its outcomes, with a bar that is there from begin() to the end of the loop.
template <class Range>
class progress_range {
public:
  class iterator;

  progress_range(Range&& range, progress_options options)
      : range_{std::forward<Range>(range)}, options_{std::move(options)} {}
  progress_range(progress_range&&) noexcept = default;  // before begin()
  ~progress_range() {
    if (bar_) bar_->finish(true);
  }

  iterator begin() {
    if (!bar_) {
      const auto& map = map_of(range_);
      bar_ = std::make_unique<progress_bar>([&map] { return map.stats(); }, options_);
    }
    return iterator{*this, range_.begin()};
  }
  std::default_sentinel_t end() const noexcept { return {}; }

private:
  static auto& map_of(auto& range) {
    if constexpr (requires { range.map(); })
      return range.map();
    else
      return range;
  }

  Range range_;
  progress_options options_;
  std::unique_ptr<progress_bar> bar_;  // goes before what it refers to
};

template <class Range>
class progress_range<Range>::iterator {
  using base = decltype(std::declval<std::remove_reference_t<Range>&>().begin());

public:
  using iterator_concept = std::input_iterator_tag;
  using value_type = std::iter_value_t<base>;
  using difference_type = std::ptrdiff_t;

  iterator() = default;
  decltype(auto) operator*() const { return *at_; }
  auto operator->() const { return at_.operator->(); }
  iterator& operator++() {
    ++at_;
    look();
    return *this;
  }
  void operator++(int) { ++*this; }
  bool operator==(std::default_sentinel_t) const { return at_ == std::default_sentinel; }

private:
  friend class progress_range;
  iterator(progress_range& of, base at) : of_{&of}, at_{std::move(at)} { look(); }

  void look() {
    if (at_ == std::default_sentinel) of_->bar_->finish();
  }

  progress_range* of_ = nullptr;
  base at_{};
};

/// The same results, in the same way, and a bar on stderr meanwhile: `for (auto& r : fmap::progress(map))`. An lvalue is
/// referred to, anything else moved in. If the loop is left early, or throws, the closing line says `stopped`.
template <detail::map_like Range>
progress_range<Range> progress(Range&& range, progress_options options = {}) {
  return {std::forward<Range>(range), std::move(options)};
}

}  // namespace fmap
