// SPDX-License-Identifier: BSD-3-Clause
// Types that travel, with inspect overloads in all the ways there are.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// The annotations of CAF 0.17, which need only their headers, or what they look like.
#if __has_include(<caf/meta/type_name.hpp>)
#  include <caf/meta/load_callback.hpp>
#  include <caf/meta/type_name.hpp>
#else
namespace caf::meta {

struct annotation {};
struct type_name_t : annotation {
  const char* value;
};
inline type_name_t type_name(const char* name) { return {{}, name}; }
template <class F>
struct load_callback_t : annotation {
  F fun;
};
template <class F>
load_callback_t<F> load_callback(F fun) {
  return {{}, fun};
}

}  // namespace caf::meta
#endif

namespace testing {

/// As for CAF 0.17, with an annotation.
struct old_style {
  int a = 0;
  std::string b;
  bool operator==(const old_style&) const = default;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, old_style& x) {
  return f(caf::meta::type_name("old_style"), x.a, x.b);
}

/// As for CAF 1.x.
struct new_style {
  double a = 0;
  std::vector<int> b;
  std::optional<std::string> c;
  bool operator==(const new_style&) const = default;
};
template <class Inspector>
bool inspect(Inspector& f, new_style& x) {
  return f.object(x)
      .pretty_name("new_style")
      .fields(f.field("a", x.a), f.field("b", x.b), f.field("c", x.c));
}

/// Contains itself.
struct tree {
  int value = 0;
  std::vector<tree> children;
  std::map<std::string, tree> named;
  std::unique_ptr<tree> next;
  bool operator==(const tree& other) const {
    return value == other.value && children == other.children && named == other.named
           && !next == !other.next && (!next || *next == *other.next);
  }
};
template <class Inspector>
auto inspect(Inspector& f, tree& x) {
  return f(x.value, x.children, x.named, x.next);
}

/// Getters, setters, an invariant and a fallback.
class percentage {
public:
  percentage() = default;
  explicit percentage(int value) : value_{value} {}
  int value() const { return value_; }
  bool set(int value) {
    value_ = value;
    return value >= 0;
  }
  bool operator==(const percentage&) const = default;

  template <class Inspector>
  friend bool inspect(Inspector& f, percentage& x) {
    return f.object(x).fields(
        f.field(
             "value", [&x] { return x.value(); }, [&x](int v) { return x.set(v); })
            .fallback(1000)
            .invariant([](int v) { return v <= 100; }));
  }

private:
  int value_ = 0;
};

/// No members: it takes no bytes.
struct token {
  bool operator==(const token&) const = default;
};
template <class Inspector>
auto inspect(Inspector& f, token&) {
  return f();
}

/// Sent as it is in memory.
struct point {
  float x = 0, y = 0, z = 0;
  bool operator==(const point&) const = default;
};

/// Cannot be copied.
struct handle {
  std::unique_ptr<int> id;
  bool operator==(const handle& other) const {
    return !id == !other.id && (!id || *id == *other.id);
  }
};
template <class Inspector>
auto inspect(Inspector& f, handle& x) {
  return f(x.id);
}

/// What does not travel.
struct plain {
  int a = 0;
};

}  // namespace testing
