// SPDX-License-Identifier: BSD-3-Clause
// Copies of the items in flight, for outcomes that tell which item they are about.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <typeinfo>

#include <fmap/copied.hpp>
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

/// The part of an input that keeps copies, if it is told to.
template <class In>
class item_keeper {
public:
  /// From now on.
  std::shared_ptr<kept_items> begin() {
    if constexpr (!is_copied<In>)
      throw std::invalid_argument{
          "fmap: keep_items needs items that can be copied; keep them behind a std::shared_ptr, or "
          "use the outcome's index"};
    return kept_ = std::make_shared<kept_items>();
  }

  bool keeps() const { return kept_ != nullptr; }

  /// The item at that place was just made. If it cannot be copied now, it is gone, and this throws.
  void keep(std::uint64_t index, In& item) {
    if constexpr (is_copied<In>) {
      if (!kept_) return;
      try {
        kept_->put(index, {std::make_shared<const In>(item), &typeid(In)});
      } catch (...) {
        std::destroy_at(&item);
        throw;
      }
    }
  }

private:
  std::shared_ptr<kept_items> kept_;
};

}  // namespace fmap::detail
