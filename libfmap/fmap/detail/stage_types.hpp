// SPDX-License-Identifier: BSD-3-Clause
// The typed edge of a stage: messages that are items, and results that become messages.
#pragma once

#include <functional>
#include <memory>
#include <new>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include <caf/message.hpp>
#include <caf/message_handler.hpp>
#include <caf/response_promise.hpp>  // make_message, in all versions

#include <fmap/detail/demangle.hpp>

namespace fmap::detail {

/// An item that has arrived in a message.
class arrival {
public:
  virtual ~arrival() = default;

  /// Moves it into a slot.
  virtual void place(void* slot) = 0;

  /// Moves it out of its message, for later.
  virtual std::shared_ptr<arrival> keep() = 0;
};

/// How an item is made in its slot.
template <class Item>
struct moved_into {
  template <class In>
  static void place(void* slot, In& from) {
    ::new (slot) Item(std::move(from));
  }
};

/// It becomes an Item.
template <class Item, class In = Item, class Place = moved_into<Item>>
class typed_arrival final : public arrival {
public:
  explicit typed_arrival(In& item) : item_{&item} {}
  explicit typed_arrival(std::unique_ptr<In> item) : owned_{std::move(item)}, item_{owned_.get()} {}
  void place(void* slot) override { Place::place(slot, *item_); }
  std::shared_ptr<arrival> keep() override {
    return std::make_shared<typed_arrival>(std::make_unique<In>(std::move(*item_)));
  }

private:
  std::unique_ptr<In> owned_;
  In* item_;
};

/// Refuses types that no message of CAF can hold.
template <class T>
consteval bool require_message() {
  static_assert(
      std::is_copy_constructible_v<T>,
      "fmap: what actors send each other must be copyable, and this is not (a std::unique_ptr?): "
      "send the value, or a std::shared_ptr to it");
  return true;
}

/// What items of a type are called in a message: CAF tells integers by their size, and sends literals as
/// strings.
template <class T>
std::string type_in_message() {
  if constexpr (std::is_same_v<T, std::monostate>)
    return "nothing";
  else if constexpr (
      std::is_same_v<
          T, std::string> || (std::is_pointer_v<T> && std::is_convertible_v<T, std::string>))
    return "std::string";
  else if constexpr (std::is_same_v<T, long long>)
    return type_name(typeid(long));
  else if constexpr (std::is_same_v<T, unsigned long long>)
    return type_name(typeid(unsigned long));
  else
    return type_name(typeid(T));
}

/// What a stage must know of its types.
class stage_types {
public:
  virtual ~stage_types() = default;

  /// Passes messages that consist of one item on.
  virtual caf::message_handler receiver(std::function<void(arrival&)>) const = 0;

  /// Moves a result into a message.
  virtual caf::message wrap(void* result) const = 0;

  /// The types of items and results, for people and to be compared; empty: it takes or sends none.
  virtual std::string takes() const = 0;
  virtual std::string sends() const = 0;
};

template <class In, class Out>
class typed_stage final : public stage_types {
public:
  caf::message_handler receiver(std::function<void(arrival&)> receive) const override {
    return {[receive = std::move(receive)](In& item) {
      typed_arrival<In> a{item};
      receive(a);
    }};
  }
  caf::message wrap(void* result) const override {
    if constexpr (std::is_same_v<Out, std::monostate>)
      return caf::make_message();
    else
      return caf::make_message(std::move(*static_cast<Out*>(result)));
  }
  std::string takes() const override { return type_in_message<In>(); }
  std::string sends() const override { return type_in_message<Out>(); }
};

}  // namespace fmap::detail
