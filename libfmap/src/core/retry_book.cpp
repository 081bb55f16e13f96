// SPDX-License-Identifier: BSD-3-Clause
// Failures of items, and pauses.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>

#include <fmap/detail/retry_book.hpp>

#include "src/core/retry_pause.hpp"

namespace fmap::detail {

namespace {

void check(const retry_policy& p) {
  const auto refuse = [](const std::string& why) {
    throw std::invalid_argument{"fmap: retry: " + why};
  };
  if (p.attempts == 0) refuse("attempts must be at least 1");
  if (p.first < std::chrono::nanoseconds::zero()) refuse("first is negative or not a number");
  if (p.most < std::chrono::nanoseconds::zero()) refuse("most is negative or not a number");
  if (!(p.factor >= 1) || !std::isfinite(p.factor)) refuse("factor must be at least 1, and finite");
  if (!(p.jitter >= 0 && p.jitter <= 1)) refuse("jitter must be between 0 and 1");
}

double random_share() {
  thread_local std::minstd_rand random{std::random_device{}()};
  return std::uniform_real_distribution<>{0, 1}(random);
}

}  // namespace

struct retry_book::impl {
  const retry_policy policy;
  std::mutex mutex;
  std::unordered_map<std::uint64_t, std::uint32_t> failures;
  std::map<std::uint64_t, std::chrono::nanoseconds> wanting;
  std::atomic<std::size_t> wants{0};   // as `wanting` has
  std::atomic<std::size_t> failed{0};  // as `failures` has

  bool is_worth_it(const std::exception_ptr& error) const noexcept {
    if (policy.attempts <= 1) return false;
    try {
      std::rethrow_exception(error);
    } catch (const transient&) {
      return true;
    } catch (...) {}
    try {
      return !policy.on || policy.on(error);
    } catch (...) {
      return false;
    }
  }
};

retry_book::retry_book(retry_policy p)
    : impl_{(check(p), new impl{std::move(p), {}, {}, {}, 0, 0})} {}
retry_book::~retry_book() = default;

bool retry_book::again(std::uint64_t index, const std::exception_ptr& error) noexcept {
  const bool worth_it = impl_->is_worth_it(error);
  try {
    const std::lock_guard guard{impl_->mutex};
    const std::uint32_t failures = ++impl_->failures[index];
    impl_->failed = impl_->failures.size();
    if (!worth_it || failures >= impl_->policy.attempts) return false;
    impl_->wanting[index] = pause_after(impl_->policy, failures, random_share());
    impl_->wants = impl_->wanting.size();
    return true;
  } catch (...) {
    return false;  // there is no memory to remember it: the error stands
  }
}

std::optional<retry_book::waiting> retry_book::take(std::uint64_t first,
                                                    std::uint32_t count) noexcept {
  if (impl_->wants == 0) return std::nullopt;
  const std::lock_guard guard{impl_->mutex};
  const auto found = impl_->wanting.lower_bound(first);
  if (found == impl_->wanting.end() || found->first >= first + count) return std::nullopt;
  const waiting result{found->first, found->second};
  impl_->wanting.erase(found);
  impl_->wants = impl_->wanting.size();
  return result;
}

std::uint32_t retry_book::tries(std::uint64_t index, bool failed) noexcept {
  std::uint32_t failures = failed ? 1 : 0;
  if (impl_->failed != 0) {
    const std::lock_guard guard{impl_->mutex};
    const auto found = impl_->failures.find(index);
    if (found != impl_->failures.end()) {
      failures = found->second;
      impl_->failures.erase(found);
      impl_->failed = impl_->failures.size();
    }
  }
  return failures + (failed ? 0 : 1);
}

}  // namespace fmap::detail
