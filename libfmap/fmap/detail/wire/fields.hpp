// SPDX-License-Identifier: BSD-3-Clause
// Objects and their fields, in the dialect of CAF 1.x.
#pragma once

#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

#include <fmap/detail/wire/variable.hpp>

namespace fmap::wire {

namespace detail {

struct absent {};

/// Whether a setter, a callback or an overload succeeded: it returns nothing, a bool that is true, or
/// an error that is empty.
template <class F>
bool succeeds(F&& call) {
  using result = std::remove_cvref_t<decltype(call())>;
  if constexpr (std::is_void_v<result>) {
    call();
    return true;
  } else if constexpr (std::is_same_v<result, bool>) {
    return call();
  } else {
    return !static_cast<bool>(call());
  }
}

/// `f.field("a", x.a)`, perhaps with `.fallback(v)` and `.invariant(p)`. The value is always sent.
template <class T, class Fallback = absent, class Predicate = absent>
struct value_field {
  std::string_view name;
  T* value;
  Fallback instead;
  Predicate valid;

  template <class U>
  auto fallback(U v) && {
    return value_field<T, U, Predicate>{name, value, std::move(v), std::move(valid)};
  }
  template <class P>
  auto invariant(P p) && {
    return value_field<T, Fallback, P>{name, value, std::move(instead), std::move(p)};
  }

  template <class Inspector>
  bool operator()(Inspector& f) {
    if (!f.apply(*value)) return false;
    if constexpr (Inspector::is_loading) return holds(*value) || f.refuse(name);
    return true;
  }

  template <class V>
  bool holds(const V& v) {
    if constexpr (std::is_same_v<std::remove_reference_t<Predicate>, absent>) {
      return true;
    } else {
      if constexpr (requires { static_cast<bool>(v == instead); }) {
        if (v == instead) return true;
      }
      return static_cast<bool>(valid(v));
    }
  }
};

/// `f.field("a", get, set)`, perhaps with `.fallback(v)` and `.invariant(p)`.
template <class Get, class Set, class Fallback = absent, class Predicate = absent>
struct virtual_field {
  std::string_view name;
  Get get;
  Set set;
  Fallback instead;
  Predicate valid;

  template <class U>
  auto fallback(U v) && {
    return virtual_field<Get, Set, U, Predicate>{name, std::move(get), std::move(set), std::move(v),
                                                 std::move(valid)};
  }
  template <class P>
  auto invariant(P p) && {
    return virtual_field<Get, Set, Fallback, P>{name, std::move(get), std::move(set),
                                                std::move(instead), std::move(p)};
  }

  template <class Inspector>
  bool operator()(Inspector& f) {
    if constexpr (Inspector::is_loading) {
      using value = std::decay_t<decltype(get())>;
      scratch<value> v;
      value_field<value, Fallback&, Predicate&> read{name, std::addressof(*v), instead, valid};
      return read(f) && (succeeds([&] { return set(std::move(*v)); }) || f.refuse(name));
    } else {
      auto&& v = get();
      return f.apply(v);
    }
  }
};

/// `f.field("a", is_present, get, reset, set)`.
template <class IsPresent, class Get, class Reset, class Set>
struct optional_field {
  std::string_view name;
  IsPresent is_present;
  Get get;
  Reset reset;
  Set set;

  template <class Inspector>
  bool operator()(Inspector& f) {
    bool present = false;
    if constexpr (!Inspector::is_loading) present = static_cast<bool>(is_present());
    if (!f.apply(present)) return false;
    if (present) return virtual_field<Get&, Set&>{name, get, set, {}, {}}(f);
    if constexpr (Inspector::is_loading) reset();
    return true;
  }
};

/// `f.object(x)`, which is asked for its fields.
template <class Inspector, class Callback = absent>
struct object_fields {
  Inspector* f;
  Callback done;

  object_fields&& pretty_name(std::string_view) && { return std::move(*this); }

  template <class F>
  auto on_load(F call) && {
    return std::move(*this).template with<Inspector::is_loading>(std::move(call));
  }
  template <class F>
  auto on_save(F call) && {
    return std::move(*this).template with<!Inspector::is_loading>(std::move(call));
  }

  template <class... Fields>
  bool fields(Fields&&... all) {
    if (!(all(*f) && ...)) return false;
    if constexpr (!std::is_same_v<Callback, absent>)
      return succeeds(done) || f->refuse("a callback");
    return f->ok();
  }

  template <bool Wanted, class F>
  auto with(F call) && {
    if constexpr (Wanted)
      return object_fields<Inspector, F>{f, std::move(call)};
    else
      return std::move(*this);
  }
};

}  // namespace detail

}  // namespace fmap::wire
