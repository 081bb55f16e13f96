// SPDX-License-Identifier: BSD-3-Clause
// Any input range as the input of a run.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <iterator>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>

#include <fmap/detail/inside.hpp>
#include <fmap/detail/item_gate.hpp>
#include <fmap/detail/job.hpp>

namespace fmap::detail {

/// Containers that were moved in give their elements away; other views and lvalues keep theirs.
template <class Range>
inline constexpr bool owns_elements =
    !std::is_lvalue_reference_v<
        Range> && !std::ranges::view<Range> && !std::ranges::borrowed_range<Range>;
template <class Container>
inline constexpr bool owns_elements<std::ranges::owning_view<Container>> = true;

/// Ranges whose elements are there already, or are counted: to pull them never waits for anything, and
/// runs no code of the user's but the elements' copy constructor.
template <class Range>
inline constexpr bool is_at_hand =
    std::ranges::contiguous_range<Range>&& std::ranges::sized_range<Range>;
template <class Range>
inline constexpr bool is_at_hand<Range&> = is_at_hand<std::remove_cv_t<Range>>;
template <class Range, class Predicate>
inline constexpr bool is_at_hand<std::ranges::drop_while_view<Range, Predicate>> = false;
template <std::integral Count, class Bound>
inline constexpr bool is_at_hand<std::ranges::iota_view<Count, Bound>> =
    std::integral<Bound> || std::same_as<Bound, std::unreachable_sentinel_t>;
template <class Range>
inline constexpr bool is_at_hand<std::ranges::take_view<Range>> = is_at_hand<Range>;
template <class Range>
inline constexpr bool is_at_hand<std::ranges::drop_view<Range>> = is_at_hand<Range>;

template <class Range>
using item_of = std::ranges::range_value_t<Range>;

/// `Range` is an lvalue reference (then the range is referred to) or an object type (then it is owned).
template <class Range>
class range_input final : public input {
public:
  using item = item_of<Range>;

  explicit range_input(Range&& range) : range_{std::forward<Range>(range)} {}

  bool pull(chunk& c, std::uint32_t& filled, std::uint32_t end,
            const std::atomic<std::uint32_t>& flush_every) override {
    if constexpr (is_instant)
      if (gate_.open()) return copy(c, filled, end, flush_every);
    const inside here{static_cast<input*>(this)};
    for (std::uint32_t n = 1; filled != end; ++n) {
      // The operation that makes the element: begin() for the first, ++ for each one after it.
      if (at_)
        ++*at_;
      else
        start();
      if (*at_ == std::ranges::end(range_)) return false;
      make(c.at(filled), *at_);
      gate_.pass(c, filled);
      ++filled;
      if constexpr (std::ranges::sized_range<Range>) {
        if (--left_ == 0) return false;
      }
      light_fence();
      if (n >= flush_every.load(std::memory_order_relaxed)) break;
    }
    return true;
  }

  bool at_hand() const override { return is_at_hand<Range> && !gate_.records(); }
  std::optional<std::uint64_t> size() override {
    if constexpr (std::ranges::sized_range<Range>)
      return static_cast<std::uint64_t>(std::ranges::size(range_));
    else
      return std::nullopt;
  }
  std::shared_ptr<kept_items> keep_items() override { return gate_.keep(); }
  void record(const std::shared_ptr<journal_run>& j) override { gate_.record(j); }
  bool instant() const override { return is_instant && gate_.open(); }

private:
  using iterator = std::ranges::iterator_t<Range>;
  using reference = std::ranges::range_reference_t<Range>;
  using element = std::conditional_t<owns_elements<Range>,
                                     std::ranges::range_rvalue_reference_t<Range>, reference>;

  /// To make an item is to copy a few bytes.
  static constexpr bool is_instant =
      is_at_hand<Range> && std::is_trivially_constructible_v<item, element> && sizeof(item) <= 64;

  /// What pull() does, where nobody need see how far it has got.
  bool copy(chunk& c, std::uint32_t& filled, std::uint32_t end, std::uint32_t flush_every) {
    if (!at_) at_.emplace(std::ranges::begin(range_));
    iterator at = *at_;
    const auto last = std::ranges::end(range_);
    std::uint32_t i = filled;
    end = i + std::min(end - i, std::max(flush_every, 1u));
    bool more = at != last;
    try {
      for (; i != end && more; ++i, more = ++at != last) {
        make(c.at(i), at);
        c.state(i).store(slot_state::item, std::memory_order_release);
      }
    } catch (...) {  // iterators need not be the standard library's
      filled = i;
      throw;
    }
    filled = i;
    *at_ = std::move(at);
    return more;
  }

  void start() {
    if constexpr (std::ranges::sized_range<Range>)
      left_ = static_cast<std::uint64_t>(std::ranges::size(range_));
    at_.emplace(std::ranges::begin(range_));
  }

  static void make(void* slot, const iterator& at) {
    if constexpr (owns_elements<Range>)
      ::new (slot) item(std::ranges::iter_move(at));
    else
      ::new (slot) item(*at);
  }

  static_assert(
      owns_elements<Range> || std::is_constructible_v<item, reference>,
      "fmap: the elements of this range cannot be copied into items; move the container in "
      "(std::move(range)) or pass a view whose elements are rvalues (views::as_rvalue, "
      "views::transform)");

  Range range_;
  std::optional<iterator> at_;
  item_gate<item> gate_;
  std::uint64_t left_ = 0;  // sized ranges: so that the end is known without another token
};

}  // namespace fmap::detail
