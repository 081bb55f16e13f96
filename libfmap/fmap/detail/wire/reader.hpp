// SPDX-License-Identifier: BSD-3-Clause
// Turns bytes into values, trusting none of them.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <memory>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <fmap/detail/api.hpp>
#include <fmap/detail/wire/dialects.hpp>
#include <fmap/detail/wire/failure.hpp>
#include <fmap/detail/wire/travels.hpp>

namespace fmap::wire {

/// Reads what a writer wrote, in the same order, from bytes that it refers to. Bytes that no writer
/// writes make it fail for good; a value that was being read is then incomplete. A length is believed
/// only if there are bytes for that number of elements. Throws only what users' code throws, and for want
/// of memory; after that it must not be used any more.
class FMAP_API reader : public detail::dialects<reader>, public detail::failure {
public:
  static constexpr bool is_loading = true;
  static constexpr bool reads_state = false;  // as CAF 0.17 says it
  static constexpr bool writes_state = true;

  explicit reader(std::string_view in) noexcept
      : begin_{in.data()}, at_{begin_}, end_{begin_ + in.size()} {}

  using dialects::apply;

  /// Reads into x. False if this or anything before it failed.
  template <class T>
  bool apply(T& x) {
    static_assert(!std::is_const_v<T>, "fmap: a constant cannot be read into");
    static_assert(fmap::detail::require_travels<T>());
    if constexpr (travels<T>) {
      if (ok()) get(tag<detail::kind_of<T>>{}, x);
    }
    return ok();
  }

  /// Reads a T; throws wire::error if that fails.
  template <class T>
  T take() {
    if constexpr (detail::holds_constant<T>) {
      detail::scratch<detail::variable_t<T>> x;
      if (!apply(*x)) throw_if_failed();
      return T(std::move(*x));
    } else {
      T x = T();
      if (!apply(x)) throw_if_failed();
      return x;
    }
  }

  /// The same, made where it is to stay: it may be too large for a stack.
  template <class T>
  T* take_at(void* place) {
    return read<T>([place](auto&&... value) { return ::new (place) T(std::move(value)...); },
                   [](T* x) { std::destroy_at(x); });
  }
  template <class T>
  std::unique_ptr<T> take_new() {
    return std::unique_ptr<T>{read<T>([](auto&&... value) { return new T(std::move(value)...); },
                                      [](T* x) { delete x; })};
  }

  /// Reads a std::string without copying it.
  std::string_view view() {
    const std::size_t n = length(1);
    return {ok() ? std::exchange(at_, at_ + n) : end_, n};
  }

  /// All that has not been read, without copying it.
  std::string_view rest() {
    const std::size_t n = ok() ? left() : 0;
    return {std::exchange(at_, end_), n};
  }

  /// How many bytes have not been read.
  std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }

  /// Fails if there are any.
  bool expect_end();

  /// Reads how many elements follow, each of which takes `least` bytes or more; 0 on failure.
  std::size_t length(std::size_t least);

private:
  using kind = detail::kind;
  template <kind K>
  using tag = std::integral_constant<kind, K>;

  bool malformed(std::string_view what);
  std::uint64_t varint();
  void filler();

  /// Has a T made and reads it; if that fails it is destroyed, and wire::error thrown.
  template <class T, class Make, class Destroy>
  T* read(Make make, Destroy destroy) {
    if constexpr (detail::holds_constant<T>) {
      detail::scratch<detail::variable_t<T>> x;
      if (!apply(*x)) throw_if_failed();
      return make(std::move(*x));
    } else {
      std::unique_ptr<T, Destroy> x{make(), destroy};
      if (!apply(*x)) throw_if_failed();
      return x.release();
    }
  }

  /// Has an optional, a pointer or the like hold what is read.
  template <class T, class Emplace>
  void put_in(Emplace emplace) {
    if constexpr (detail::holds_constant<T>) {
      detail::scratch<detail::variable_t<T>> x;
      if (apply(*x)) emplace(std::move(*x));
    } else {
      apply(emplace());
    }
  }

  /// How many bytes are left that are not promised to elements to come.
  std::size_t free() const noexcept { return left() > promised_ ? left() - promised_ : 0; }

  bool raw(void* to, std::size_t size) {
    if (left() < size) return malformed("the end comes too early");
    std::memcpy(to, at_, size);
    at_ += size;
    return true;
  }

  void get(tag<kind::nothing>, auto&) {}

  void get(tag<kind::boolean>, bool& x) {
    unsigned char byte = 0;
    if (raw(&byte, 1) && byte > 1) malformed("a bool that is neither true nor false");
    x = byte == 1;
  }

  template <class T>
  void get(tag<kind::number>, T& x) {
    char bytes[sizeof(T)]{};
    if (!raw(bytes, detail::number_size<T>)) return;
    if constexpr (std::endian::native == std::endian::big) std::reverse(bytes, bytes + sizeof(T));
    std::memcpy(&x, bytes, sizeof(T));
  }

  template <class T>
  void get(tag<kind::enumeration>, T& x) {
    std::underlying_type_t<T> number{};
    if (apply(number) && !detail::is_value<T>(number))
      malformed("a number that is no value of its enumeration");
    if (ok()) x = static_cast<T>(number);
  }

  template <class T>
  void get(tag<kind::bytes>, T& x) {
    raw(std::addressof(x), sizeof(T));
  }

  template <class T>
  void get(tag<kind::text>, T& x) {
    using character = typename T::value_type;
    if constexpr (std::is_same_v<character, char>) {
      const std::string_view characters = view();
      x.assign(characters.data(), characters.size());
    } else {
      x.resize(length(sizeof(character)));
      elements(x.data(), x.size());
    }
  }

  template <class T>
  void get(tag<kind::vector>, T& x) {
    using element = typename T::value_type;
    x.clear();
    if constexpr (detail::is_flat<element>()) {
      x.resize(length(sizeof(element)));
      elements(x.data(), x.size());
    } else {
      get(tag<kind::sequence>{}, x);
    }
  }

  template <class T>
  void get(tag<kind::array>, T& x) {
    elements(std::data(x), std::size(x));
  }

  template <class T>
  void get(tag<kind::optional>, T& x) {
    bool present = false;
    x.reset();
    if (apply(present) && present)
      put_in<typename T::value_type>([&](auto&&... value) -> auto& {
        return x.emplace(std::move(value)...);
      });
  }

  template <class T>
  void get(tag<kind::pointer>, T& x) {
    bool present = false;
    x.reset();
    if (!apply(present) || !present) return;
    using element = std::remove_const_t<typename T::element_type>;
    put_in<element>([&](auto&&... value) -> auto& {
      auto* p = new element(std::move(value)...);
      x.reset(p);
      return *p;
    });
  }

  template <class T>
  void get(tag<kind::tuple>, T& x) {
    std::apply([this](auto&... element) { (this->apply(element), ...); }, x);
  }

  template <class T>
  void get(tag<kind::duration>, T& x) {
    typename T::rep count{};
    if (apply(count)) x = T{count};
  }

  template <class T>
  void get(tag<kind::time_point>, T& x) {
    typename T::duration since_epoch{};
    if (apply(since_epoch)) x = T{since_epoch};
  }

  template <class T>
  void get(tag<kind::path>, T& x) {
    typename T::string_type text;
    if (apply(text)) x = std::move(text);
  }

  template <class T>
  void get(tag<kind::inspected>, T& x) {
    if (depth_ == detail::max_depth) return void(fail_in(typeid(T), "objects are nested too deep"));
    const detail::level inside{depth_};
    if (!detail::succeeds([&] { return inspect(*this, x); })) fail_in(typeid(T), "inspect failed");
  }

  // in reader_containers.hpp
  template <class T>
  void get(tag<kind::bits>, T& x);
  template <class... T>
  void get(tag<kind::variant>, std::variant<T...>& x);
  template <class T>
  void get(tag<kind::sequence>, T& x);
  template <class T>
  void get(tag<kind::forward_list>, T& x);
  template <class T>
  void get(tag<kind::set>, T& x);
  template <class T>
  void get(tag<kind::map>, T& x);
  template <class T, class... Parts>
  auto insert(T& x, Parts&&... parts);

  template <class T>
  void elements(T* first, std::size_t n) {
    if constexpr (detail::is_flat<T>()) {
      if (n != 0) raw(first, n * sizeof(T));
    } else {
      for (std::size_t i = 0; i != n && ok(); ++i) apply(first[i]);
    }
  }

  /// Reads a length, calls `prepare` with it and `one` for each element, which consists of `Parts`.
  template <class... Parts, class Prepare, class One>
  void each(Prepare prepare, One one);

  const char* begin_;
  const char* at_;
  const char* end_;

  /// Bytes that the elements still to be read need at least. No length within an element may count on
  /// them, so that all lengths together never add up to more than there is.
  std::size_t promised_ = 0;
};

}  // namespace fmap::wire

#include <fmap/detail/wire/reader_containers.hpp>
