// SPDX-License-Identifier: BSD-3-Clause
// Turns values into bytes.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include <fmap/detail/api.hpp>
#include <fmap/detail/wire/dialects.hpp>
#include <fmap/detail/wire/failure.hpp>
#include <fmap/detail/wire/travels.hpp>

namespace fmap::wire {

/// Appends values to a string. A value that cannot be written (a variant without value, an `inspect`
/// that says no) makes it fail for good; what is in the string then is incomplete. Throws only what
/// users' code throws, and for want of memory.
class FMAP_API writer : public detail::dialects<writer>, public detail::failure {
public:
  static constexpr bool is_loading = false;
  static constexpr bool reads_state = true;  // as CAF 0.17 says it
  static constexpr bool writes_state = false;

  explicit writer(std::string& out) noexcept : out_{&out} {}

  using dialects::apply;

  /// Appends x. False if this or anything before it failed.
  template <class T>
  bool apply(const T& x) {
    static_assert(fmap::detail::require_travels<T>());
    if constexpr (travels<T>) {
      if (ok()) put(tag<detail::kind_of<T>>{}, x);
    }
    return ok();
  }

  /// Appends bytes that another writer wrote.
  void raw(std::string_view bytes) { out_->append(bytes); }

  /// Appends n in as few bytes as it needs: seven bits in each, the lowest first.
  void length(std::uint64_t n) {
    for (; n >= 0x80; n >>= 7) out_->push_back(static_cast<char>(n | 0x80));
    out_->push_back(static_cast<char>(n));
  }

private:
  using kind = detail::kind;
  template <kind K>
  using tag = std::integral_constant<kind, K>;

  /// What is large is copied in blocks: one `rep movsb`, as which a large memcpy is done, is ten times
  /// slower on some processors if both sides begin at nearly the same place of their page, and a large
  /// vector and the string that it goes to do.
  static constexpr std::size_t block = 512;
  void raw_blocks(const char* data, std::size_t size);

  void raw(const void* data, std::size_t size) {
    if (size <= block)
      out_->append(static_cast<const char*>(data), size);
    else
      raw_blocks(static_cast<const char*>(data), size);
  }

  void put(tag<kind::nothing>, const auto&) {}

  void put(tag<kind::boolean>, bool x) { out_->push_back(x ? '\1' : '\0'); }

  template <class T>
  void put(tag<kind::number>, T x) {
    char bytes[sizeof(T)];
    std::memcpy(bytes, &x, sizeof(T));
    if constexpr (std::endian::native == std::endian::big) std::reverse(bytes, bytes + sizeof(T));
    raw(bytes, detail::number_size<T>);
  }

  template <class T>
  void put(tag<kind::enumeration>, T x) {
    apply(static_cast<std::underlying_type_t<T>>(x));
  }

  template <class T>
  void put(tag<kind::bytes>, const T& x) {
    raw(std::addressof(x), sizeof(T));
  }

  template <class T>
  void put(tag<kind::text>, const T& x) {
    length(x.size());
    elements(x.data(), x.size());
  }

  template <class T>
  void put(tag<kind::bits>, const T& x) {
    length(x.size());
    for (std::size_t i = 0; i < x.size(); i += 8) {
      unsigned byte = 0;
      for (std::size_t bit = 0; bit != 8 && i + bit != x.size(); ++bit)
        byte |= x[i + bit] ? 1U << bit : 0U;
      out_->push_back(static_cast<char>(byte));
    }
  }

  template <class T>
  void put(tag<kind::vector>, const T& x) {
    length(x.size());
    if constexpr (detail::is_flat<typename T::value_type>())
      elements(x.data(), x.size());
    else
      for (const auto& element : x) counted(element);
  }

  template <class T>
  void put(tag<kind::array>, const T& x) {
    elements(std::data(x), std::size(x));
  }

  template <class T>
  void put(tag<kind::optional>, const T& x) {
    put(tag<kind::boolean>{}, static_cast<bool>(x));
    if (x) apply(*x);
  }

  template <class T>
  void put(tag<kind::pointer>, const T& x) {
    put(tag<kind::optional>{}, x);
  }

  template <class T>
  void put(tag<kind::variant>, const T& x) {
    if (x.valueless_by_exception()) return void(fail("a std::variant without a value"));
    length(x.index());
    std::visit([this](const auto& value) { this->apply(value); }, x);
  }

  template <class T>
  void put(tag<kind::tuple>, const T& x) {
    std::apply([this](const auto&... element) { (this->apply(element), ...); }, x);
  }

  template <class T>
  void put(tag<kind::duration>, const T& x) {
    apply(x.count());
  }

  template <class T>
  void put(tag<kind::time_point>, const T& x) {
    apply(x.time_since_epoch());
  }

  template <class T>
  void put(tag<kind::path>, const T& x) {
    apply(x.native());
  }

  template <class T>
  void put(tag<kind::inspected>, const T& x) {
    if (depth_ == detail::max_depth) return void(fail_in(typeid(T), "objects are nested too deep"));
    const detail::level inside{depth_};
    auto& object = const_cast<T&>(x);  // overloads take a T&, and do not write to it here
    if (!detail::succeeds([&] { return inspect(*this, object); }))
      fail_in(typeid(T), "inspect failed");
  }

  template <class T>
  void put(tag<kind::sequence>, const T& x) {
    length(x.size());
    for (const auto& element : x) counted(element);
  }

  template <class T>
  void put(tag<kind::forward_list>, const T& x) {
    length(static_cast<std::uint64_t>(std::distance(x.begin(), x.end())));
    for (const auto& element : x) counted(element);
  }

  template <class T>
  void put(tag<kind::set>, const T& x) {
    put(tag<kind::sequence>{}, x);
  }

  template <class T>
  void put(tag<kind::map>, const T& x) {
    length(x.size());
    for (const auto& [key, value] : x) counted(key, value);
  }

  template <class T>
  void elements(const T* first, std::size_t n) {
    if constexpr (detail::is_flat<T>()) {
      if (n != 0) raw(first, n * sizeof(T));
    } else {
      for (std::size_t i = 0; i != n; ++i) apply(first[i]);
    }
  }

  /// An element of what has a length takes at least one byte, so that no length can exceed the bytes
  /// that follow it.
  template <class... T>
  void counted(const T&... parts) {
    const std::size_t before = out_->size();
    (apply(parts), ...);
    if constexpr ((detail::least_size<T>() + ...) == 0)
      if (out_->size() == before) out_->push_back('\0');
  }

  std::string* out_;
};

}  // namespace fmap::wire
