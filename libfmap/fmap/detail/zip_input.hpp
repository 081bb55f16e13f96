// SPDX-License-Identifier: BSD-3-Clause
// Several ranges as one input of tuples, ending with the shortest.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <optional>
#include <ranges>
#include <tuple>
#include <utility>

#include <fmap/detail/range_input.hpp>

namespace fmap::detail {

/// One of several ranges: lets elements be made one at a time.
template <class Range>
class column {
public:
  explicit column(Range&& range) : range_{std::forward<Range>(range)} {}

  /// Makes the next element; false at the end.
  bool advance() {
    if (at_)
      ++*at_;
    else
      at_.emplace(std::ranges::begin(range_));
    return *at_ != std::ranges::end(range_);
  }

  std::uint64_t size() { return static_cast<std::uint64_t>(std::ranges::size(range_)); }

  /// What an item is made of.
  decltype(auto) element() {
    if constexpr (owns_elements<Range>)
      return std::ranges::iter_move(*at_);
    else
      return **at_;
  }

private:
  Range range_;
  std::optional<std::ranges::iterator_t<Range>> at_;
};

/// Items are tuples of one element of each range. The ranges are asked in their order, and none after
/// the first that is at its end.
template <class... Ranges>
class zip_input final : public input {
public:
  using item = std::tuple<item_of<Ranges>...>;

  explicit zip_input(Ranges&&... ranges)
      : columns_{column<Ranges>(std::forward<Ranges>(ranges))...} {}

  bool pull(chunk& c, std::uint32_t& filled, std::uint32_t end,
            const std::atomic<std::uint32_t>& flush_every) override {
    const inside here{static_cast<input*>(this)};
    for (std::uint32_t n = 1; filled != end; ++n) {
      if (!std::apply([](auto&... column) { return (column.advance() && ...); }, columns_))
        return false;
      std::apply([&](auto&... column) { ::new (c.at(filled)) item(column.element()...); },
                 columns_);
      gate_.pass(c, filled);
      ++filled;
      light_fence();
      if (n >= flush_every.load(std::memory_order_relaxed)) break;
    }
    return true;
  }

  bool at_hand() const override { return (is_at_hand<Ranges> && ...) && !gate_.records(); }

  std::shared_ptr<kept_items> keep_items() override { return gate_.keep(); }
  void record(const std::shared_ptr<journal_run>& j) override { gate_.record(j); }

  /// Of the shortest, if the sizes of all are known.
  std::optional<std::uint64_t> size() override {
    if constexpr (!(std::ranges::sized_range<Ranges> && ...))
      return std::nullopt;
    else
      return std::apply([](auto&... column) { return std::min({column.size()...}); }, columns_);
  }

private:
  std::tuple<column<Ranges>...> columns_;
  item_gate<item> gate_;
};

/// Calls a function with the elements of a tuple as its arguments.
template <class Fn>
struct spread {
  Fn fn;

  template <class... Args>
    requires std::invocable<const Fn&, Args...>
  decltype(auto) operator()(std::tuple<Args...>&& arguments) const {
    return std::apply(fn, std::move(arguments));
  }
  template <class... Args>
    requires std::invocable<Fn&, Args...>
  decltype(auto) operator()(std::tuple<Args...>&& arguments) {
    return std::apply(fn, std::move(arguments));
  }
};

}  // namespace fmap::detail
