// SPDX-License-Identifier: BSD-3-Clause
// An input range whose elements the test makes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>

namespace testing {

/// The elements make(0), make(1) ... make(size - 1), each made by the iterator operation that arrives at
/// it (`begin()` or `++`) and given out as an rvalue. Single-pass, with a move-only iterator, unsized,
/// not copyable: what a generator is.
template <class Make>
class made_range {
public:
  using value = std::invoke_result_t<Make&, std::uint64_t>;

  static constexpr std::uint64_t endless = std::numeric_limits<std::uint64_t>::max();

  explicit made_range(Make make, std::uint64_t size = endless)
      : make_{std::move(make)}, size_{size} {}
  made_range(made_range&&) = default;
  made_range& operator=(made_range&&) = default;

  class iterator {
  public:
    using value_type = value;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    explicit iterator(made_range& range) : range_{&range} {}
    iterator(iterator&& other) noexcept : range_{std::exchange(other.range_, nullptr)} {}
    iterator& operator=(iterator&& other) noexcept {
      range_ = std::exchange(other.range_, nullptr);
      return *this;
    }

    value&& operator*() const { return std::move(*range_->current_); }
    iterator& operator++() {
      range_->advance();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return !range_->current_; }

  private:
    made_range* range_;
  };

  iterator begin() {
    advance();
    return iterator{*this};
  }
  std::default_sentinel_t end() const { return {}; }

private:
  void advance() {
    current_.reset();
    if (next_ == size_) return;
    const std::uint64_t index = next_++;
    current_.emplace(make_(index));
  }

  Make make_;
  std::uint64_t size_;
  std::uint64_t next_ = 0;
  std::optional<value> current_;
};

/// The same elements, pulled by a source as far as the bound lets it: fmap cannot know that they are at
/// hand.
inline constexpr auto by_a_source = std::views::transform([](auto x) { return x; });

}  // namespace testing
