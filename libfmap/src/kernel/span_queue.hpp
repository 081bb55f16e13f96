// SPDX-License-Identifier: BSD-3-Clause
// Spans of one run in line: sorted by index or as they came, neighbours joined.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>

#include "src/kernel/span.hpp"

namespace fmap::kernel {

/// What is queued or ready of one run. Neighbours in one chunk are one span, unless one is a suspect.
class span_queue {
public:
  bool empty() const { return spans_.empty(); }
  const span& front() const { return spans_.front(); }
  auto begin() const { return spans_.begin(); }
  auto end() const { return spans_.end(); }

  /// Puts a span behind all others.
  void append(const span& s) {
    if (!spans_.empty() && adjacent(spans_.back(), s))
      spans_.back().count += s.count;
    else
      spans_.push_back(s);
  }

  /// Puts a span where its index belongs. The others must be sorted.
  void insert(const span& s) {
    if (spans_.empty() || spans_.back().first < s.first)
      append(s);
    else
      insert_before_the_end(s);
  }

  /// The first `n` items, which are all of one span.
  span pop(std::uint32_t n) {
    span& from = spans_.front();
    const span result = part(from, from.first, from.first + n);
    from.first += n;
    from.count -= n;
    if (from.count == 0) spans_.pop_front();
    return result;
  }

  /// The first span.
  span pop() {
    const span result = spans_.front();
    spans_.pop_front();
    return result;
  }

  void clear() { spans_.clear(); }

private:
  void insert_before_the_end(const span& s) {
    auto next = std::upper_bound(spans_.begin(), spans_.end(), s,
                                 [](const span& a, const span& b) { return a.first < b.first; });
    if (next != spans_.end() && adjacent(s, *next)) {
      next->first = s.first;
      next->count += s.count;
    } else {
      next = spans_.insert(next, s);
    }
    if (next == spans_.begin() || !adjacent(*(next - 1), *next)) return;
    (next - 1)->count += next->count;
    spans_.erase(next);
  }

  std::deque<span> spans_;
};

}  // namespace fmap::kernel
