// SPDX-License-Identifier: BSD-3-Clause
// Objects by ids that are given out in turn and never used again.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace fmap::kernel {

/// Objects that stay in place, by ids that count up from 1. To find one takes a look at one place, as a rule: an id
/// lies where its last bits say, or behind that if older ones are in the way. T has a member `id`.
template <class T>
class id_table {
public:
  using id_type = decltype(T::id);

  T& add() {
    if ((size_ + 1) * 2 > places_.size()) grow();
    auto object = std::make_unique<T>();
    object->id = ++last_;
    T& result = *object;
    place(std::move(object));
    ++size_;
    return result;
  }

  T* find(id_type id) const {
    if (size_ == 0) return nullptr;
    for (std::size_t i = home(id);; i = next(i)) {
      const entry& e = places_[i];
      if (e.id == id) return e.object.get();
      if (e.id == 0) return nullptr;
    }
  }

  /// The object, out of the table; null if there is none.
  std::unique_ptr<T> remove(id_type id) {
    if (size_ == 0 || id == 0) return nullptr;
    std::size_t i = home(id);
    for (; places_[i].id != id; i = next(i))
      if (places_[i].id == 0) return nullptr;
    auto result = std::move(places_[i].object);
    places_[i].id = 0;
    --size_;
    // What lies behind it may have been in its way.
    for (i = next(i); places_[i].id != 0; i = next(i)) {
      places_[i].id = 0;
      place(std::move(places_[i].object));
    }
    return result;
  }

  std::size_t size() const { return size_; }

  template <class Each>
  void for_each(Each&& each) const {
    for (const entry& e : places_)
      if (e.id != 0) each(*e.object);
  }

private:
  struct entry {
    id_type id = 0;  // 0: vacant
    std::unique_ptr<T> object;
  };

  std::size_t home(id_type id) const { return static_cast<std::size_t>(id) & (places_.size() - 1); }
  std::size_t next(std::size_t i) const { return (i + 1) & (places_.size() - 1); }

  void place(std::unique_ptr<T> object) {
    std::size_t i = home(object->id);
    while (places_[i].id != 0) i = next(i);
    places_[i].id = object->id;
    places_[i].object = std::move(object);
  }

  void grow() {
    std::vector<entry> old(places_.empty() ? 8 : places_.size() * 2);
    old.swap(places_);
    for (entry& e : old)
      if (e.id != 0) place(std::move(e.object));
  }

  std::vector<entry> places_;  // a power of two, at least half of them vacant
  std::size_t size_ = 0;
  id_type last_ = 0;
};

}  // namespace fmap::kernel
