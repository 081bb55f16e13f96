// SPDX-License-Identifier: BSD-3-Clause
// What happens to an item between its input and its run.
#pragma once

#include <memory>
#include <stdexcept>
#include <typeinfo>
#include <utility>

#include <fmap/copied.hpp>
#include <fmap/detail/chunk.hpp>
#include <fmap/detail/journal_run.hpp>
#include <fmap/detail/kept_items.hpp>

namespace fmap::detail {

/// Keeps copies of items, and looks into a journal whether they need be executed, if it is told to.
template <class In>
class item_gate {
public:
  /// From now on copies are kept.
  std::shared_ptr<kept_items> keep() {
    if constexpr (!is_copied<In>)
      throw std::invalid_argument{
          "fmap: keep_items needs items that can be copied; keep them behind a std::shared_ptr, or "
          "use the outcome's index"};
    return kept_ = std::make_shared<kept_items>();
  }

  void record(const std::shared_ptr<journal_run>& j) { journal_ = j; }
  bool records() const { return journal_ != nullptr; }

  /// Nothing is to be done but to mark the slot.
  bool open() const { return !kept_ && !journal_; }

  /// An item was just made in this slot, which is marked. If anything throws, the item is gone.
  void pass(chunk& c, std::uint32_t at) {
    c.state(at).store(open() ? slot_state::item : look(c, at), std::memory_order_release);
  }

private:
  slot_state look(const chunk& c, std::uint32_t at) {
    In& item = *static_cast<In*>(c.at(at));
    bool runs = false;
    try {
      if (kept_) keep(c.first + at, item);
      runs = !journal_ || journal_->admit(c.first + at, &item);
    } catch (...) {
      std::destroy_at(&item);
      throw;
    }
    if (runs) return slot_state::item;
    std::destroy_at(&item);
    return slot_state::recorded;
  }

  void keep(std::uint64_t index, In& item) {
    if constexpr (is_copied<In>) kept_->put(index, {std::make_shared<const In>(item), &typeid(In)});
  }

  std::shared_ptr<kept_items> kept_;
  std::shared_ptr<journal_run> journal_;
};

}  // namespace fmap::detail
