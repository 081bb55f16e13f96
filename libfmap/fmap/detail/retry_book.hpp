// SPDX-License-Identifier: BSD-3-Clause
// Which items of a run have failed how often, and which are to be tried again.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>

#include <fmap/detail/api.hpp>
#include <fmap/retry.hpp>

namespace fmap::detail {

/// Thread-safe. Workers write failures into it, the mailbox takes out what is to wait, the consumer asks for tries.
class FMAP_API retry_book {
public:
  /// Throws std::invalid_argument for a policy that makes no sense.
  explicit retry_book(retry_policy);
  ~retry_book();
  retry_book(const retry_book&) = delete;
  retry_book& operator=(const retry_book&) = delete;

  /// An item has failed. Whether it is tried again: then it is there for take().
  bool again(std::uint64_t index, const std::exception_ptr&) noexcept;

  struct waiting {
    std::uint64_t index;
    std::chrono::nanoseconds pause;
  };
  /// The next of these items that is to be tried again; each is told once.
  std::optional<waiting> take(std::uint64_t first, std::uint32_t count) noexcept;

  /// How often an item was tried whose outcome is there, an error or not. It is forgotten.
  std::uint32_t tries(std::uint64_t index, bool failed) noexcept;

private:
  struct impl;
  const std::unique_ptr<impl> impl_;
};

}  // namespace fmap::detail
