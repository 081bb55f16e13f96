// SPDX-License-Identifier: BSD-3-Clause
// What an `inspect` overload may call, in the dialect of CAF 0.17 and in that of CAF 1.x.
#pragma once

#include <concepts>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

// Only their names are needed, to recognise them in an overload that was written for CAF.
namespace caf {

class error;

namespace meta {

struct annotation;
template <class F>
struct load_callback_t;
template <class F>
struct save_callback_t;

}  // namespace meta

}  // namespace caf

namespace fmap::wire {

/// What `f(x.a, x.b)` returns. As the result of an overload that returns bool it says whether all went
/// well, as in CAF 1.x; in a condition it says whether there was an error, as in CAF 0.17:
/// `if (auto error = f(x.a)) return error;`. Nothing depends on it: failures stick to the inspector.
class status {
public:
  status(bool ok) noexcept : ok_{ok} {}                  // NOLINT(google-explicit-constructor)
  operator int() const noexcept { return ok_ ? 1 : 0; }  // NOLINT(google-explicit-constructor)
  explicit operator bool() const noexcept { return !ok_; }

  /// For overloads that return CAF's error.
  template <class E>
    requires std::same_as<E, caf::error>
  operator E() const { return E{}; }  // NOLINT(google-explicit-constructor)

private:
  bool ok_;
};

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
      value v{};
      value_field<value, Fallback&, Predicate&> read{name, std::addressof(v), instead, valid};
      return read(f) && (succeeds([&] { return set(std::move(v)); }) || f.refuse(name));
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

/// Whether an argument in the dialect of CAF 0.17 is to be called after loading, or saving.
template <class T, bool Loading>
inline constexpr bool is_callback = false;
template <class F, bool Loading>
inline constexpr bool is_callback<caf::meta::load_callback_t<F>, Loading> = Loading;
template <class F, bool Loading>
inline constexpr bool is_callback<caf::meta::save_callback_t<F>, Loading> = !Loading;

/// The part of both inspectors that users' overloads see, apart from `apply(x)`.
template <class Self>
class dialects {
public:
  using result_type = status;

  static constexpr bool has_human_readable_format() noexcept { return false; }

  /// The values of an object, one after the other. Annotations of CAF's take no space.
  template <class... T>
  result_type operator()(T&&... values) {
    (argument(values), ...);
    return self().ok();
  }

  template <class T>
  auto object(T&) {
    return object_fields<Self>{&self(), {}};
  }
  auto virtual_object(std::string_view) { return object_fields<Self>{&self(), {}}; }

  template <class T>
  static auto field(std::string_view name, T& value) {
    return value_field<T>{name, std::addressof(value), {}, {}};
  }
  template <class Get, class Set>
  static auto field(std::string_view name, Get get, Set set) {
    return virtual_field<Get, Set>{name, std::move(get), std::move(set), {}, {}};
  }
  template <class IsPresent, class Get, class Reset, class Set>
  static auto field(std::string_view name, IsPresent is_present, Get get, Reset reset, Set set) {
    return optional_field<IsPresent, Get, Reset, Set>{name, std::move(is_present), std::move(get),
                                                      std::move(reset), std::move(set)};
  }

  /// One value by its getter and setter.
  template <class Get, class Set>
  bool apply(Get&& get, Set&& set) {
    return virtual_field<Get&, Set&>{"the value", get, set, {}, {}}(self());
  }

  /// For overloads that report errors to the inspector themselves.
  template <class... T>
  void emplace_error(const T&...) {
    self().refuse("an inspect overload");
  }
  template <class T>
  void set_error(const T&) {
    self().refuse("an inspect overload");
  }

private:
  Self& self() { return static_cast<Self&>(*this); }

  template <class T>
  void argument(T& x) {
    using plain = std::remove_cv_t<T>;
    if constexpr (is_callback<plain, Self::is_loading>) {
      if (self().ok() && !succeeds(x.fun)) self().refuse("a callback");
    } else if constexpr (!std::is_base_of_v<caf::meta::annotation, plain>) {
      self().apply(x);
    }
  }
};

}  // namespace detail

}  // namespace fmap::wire
