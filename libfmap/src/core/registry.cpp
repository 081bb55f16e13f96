// SPDX-License-Identifier: BSD-3-Clause
// Names of things that a program and its worker processes have in common.

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <typeindex>
#include <utility>

#include <fmap/detail/registry.hpp>

namespace fmap::detail {

namespace {

struct table {
  std::mutex mutex;
  std::map<std::type_index, std::map<std::string, any_function, std::less<>>> families;
};

/// Made when first used, which is before main, and never destroyed: threads may still use it at exit.
table& the_table() {
  static auto* t = new table;
  return *t;
}

}  // namespace

std::string_view register_function(const std::type_info& family, std::string_view name,
                                   any_function function) {
  table& t = the_table();
  std::lock_guard guard{t.mutex};
  auto& drawer = t.families[family];
  for (int i = 0;; ++i) {
    std::string key{name};
    if (i != 0) key += "#" + std::to_string(i);
    const auto [place, added] = drawer.emplace(std::move(key), function);
    if (added || place->second == function) return place->first;
  }
}

any_function registered_function(const std::type_info& family, std::string_view key) noexcept {
  table& t = the_table();
  std::lock_guard guard{t.mutex};
  const auto drawer = t.families.find(family);
  if (drawer == t.families.end()) return nullptr;
  const auto place = drawer->second.find(key);
  return place != drawer->second.end() ? place->second : nullptr;
}

}  // namespace fmap::detail
