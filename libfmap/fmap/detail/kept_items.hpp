// SPDX-License-Identifier: BSD-3-Clause
// Copies of the items in flight, for outcomes that tell which item they are about.
#pragma once

#include <cstdint>
#include <memory>
#include <typeinfo>

#include <fmap/detail/api.hpp>

namespace fmap::detail {

/// A copy of an item, of whatever type it has.
struct kept_item {
  std::shared_ptr<const void> copy;
  const std::type_info* type = nullptr;
};

/// By index. Thread-safe: a source puts them in, and the consumer takes them out.
class FMAP_API kept_items {
public:
  kept_items();
  ~kept_items();
  kept_items(const kept_items&) = delete;
  kept_items& operator=(const kept_items&) = delete;

  void put(std::uint64_t index, kept_item);
  kept_item take(std::uint64_t index) noexcept;

private:
  struct impl;
  const std::unique_ptr<impl> impl_;
};

}  // namespace fmap::detail
