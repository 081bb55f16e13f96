// SPDX-License-Identifier: BSD-3-Clause
// What a thread is in the midst of.

#include <utility>

#include <fmap/detail/inside.hpp>

namespace fmap::detail {

namespace {

constinit thread_local const inside* innermost = nullptr;

}  // namespace

inside::inside(const void* what) noexcept : what_{what}, outer_{std::exchange(innermost, this)} {}

inside::~inside() { innermost = outer_; }

bool inside::of(const void* what) noexcept {
  for (const inside* i = innermost; i != nullptr; i = i->outer_)
    if (i->what_ == what) return true;
  return false;
}

}  // namespace fmap::detail
