// SPDX-License-Identifier: BSD-3-Clause
// The spans that one worker holds, found by run and index.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "src/kernel/span.hpp"

namespace fmap::kernel {

/// A span in a worker's hands.
struct held_span : span {
  double charge = 0;  ///< workers' time in ns that its run was charged for each item
};

/// What a worker holds, sorted by run and index: one span as a rule, hundreds on a node. A run's new items
/// come last and its oldest are done first, so that both ends are cheap: what is gone at the front stays as a gap.
class held_spans {
public:
  bool empty() const { return front_ == spans_.size(); }
  std::size_t size() const { return spans_.size() - front_; }
  const held_span& front() const { return spans_[front_]; }
  const held_span& operator[](std::size_t i) const { return spans_[front_ + i]; }
  auto begin() const { return spans_.begin() + static_cast<std::ptrdiff_t>(front_); }
  auto end() const { return spans_.end(); }

  void add(const held_span& s) {
    if (empty() || before(spans_.back(), s.run, s.first))
      spans_.push_back(s);
    else
      spans_.insert(spans_.begin() + static_cast<std::ptrdiff_t>(from(s.run, s.first)), s);
  }

  /// The first span of a run that ends behind this index; null if there is none.
  const held_span* next(run_id run, std::uint64_t index) const {
    const std::size_t i = reaching(run, index);
    return i != spans_.size() && spans_[i].run == run ? &spans_[i] : nullptr;
  }

  /// Takes out what there is of [first, first + count), and hands the pieces to `each` in order of their index.
  template <class Each>
  void remove(run_id run, std::uint64_t first, std::uint64_t count, Each&& each) {
    if (size() == 1 && front().run == run && front().first == first && front().count == count) {
      const held_span s = front();  // all that it holds: nothing to look for
      clear();
      each(s);
      return;
    }
    remove_parts(run, first, first + count, each);
  }

  void clear() {
    spans_.clear();
    front_ = 0;
  }

private:
  static bool before(const span& s, run_id run, std::uint64_t index) {
    return s.run != run ? s.run < run : s.first < index;
  }

  /// The first span that begins at this index or later.
  std::size_t from(run_id run, std::uint64_t index) const {
    std::size_t low = front_, high = spans_.size();
    while (low != high) {
      const std::size_t middle = low + (high - low) / 2;
      if (before(spans_[middle], run, index))
        low = middle + 1;
      else
        high = middle;
    }
    return low;
  }

  /// The same, or the one before it if that reaches as far.
  std::size_t reaching(run_id run, std::uint64_t index) const {
    const std::size_t i = from(run, index);
    const bool reaches = i != front_ && spans_[i - 1].run == run && spans_[i - 1].end() > index;
    return reaches ? i - 1 : i;
  }

  template <class Each>
  void remove_parts(run_id run, std::uint64_t first, std::uint64_t end, Each&& each) {
    if (first == end) return;  // it would cut a span in two
    std::size_t i = reaching(run, first);
    const std::size_t gone = i;  // from here on spans are to be taken out
    std::size_t kept = i;        // and so many have stayed meanwhile
    held_span rest;              // of the last one
    for (; i != spans_.size() && spans_[i].run == run && spans_[i].first < end; ++i) {
      const held_span s = spans_[i];
      each(part(s, std::max(s.first, first), std::min(s.end(), end)));
      if (s.first < first) spans_[kept++] = part(s, s.first, first);
      if (s.end() > end) rest = part(s, end, s.end());
    }
    if (rest) {
      if (kept == i) {
        spans_.insert(spans_.begin() + static_cast<std::ptrdiff_t>(i), rest);
        return;
      }
      spans_[kept++] = rest;
    }
    erase(gone, kept, i);
  }

  /// The spans [kept, end) are gone; those of [begin, kept) are in their place.
  void erase(std::size_t begin, std::size_t kept, std::size_t end) {
    if (begin == kept && begin == front_) {
      front_ = end;
      if (front_ == spans_.size())
        clear();
      else if (front_ > spans_.size() / 2)
        spans_.erase(spans_.begin(),
                     spans_.begin() + static_cast<std::ptrdiff_t>(std::exchange(front_, 0)));
      return;
    }
    spans_.erase(spans_.begin() + static_cast<std::ptrdiff_t>(kept),
                 spans_.begin() + static_cast<std::ptrdiff_t>(end));
    if (empty()) clear();
  }

  std::vector<held_span> spans_;
  std::size_t front_ = 0;  // so many at the front are gone
};

}  // namespace fmap::kernel
