// SPDX-License-Identifier: BSD-3-Clause
// Names of things that a program and its worker processes have in common.
#pragma once

#include <string_view>
#include <type_traits>
#include <typeinfo>

#include <fmap/detail/api.hpp>

namespace fmap::detail {

using any_function = void (*)();

/// Files `function` in the drawer of `family`. Returns its key, which lives as long as the program: `name`,
/// or `name#1`, `name#2` ... if that is taken by another function. The same one again gets its old key.
FMAP_API std::string_view register_function(const std::type_info& family, std::string_view name,
                                            any_function function);

/// What is filed there; null if nothing is.
FMAP_API any_function registered_function(const std::type_info& family,
                                          std::string_view key) noexcept;

/// Factories by the name of the type that they make something for. Factory is a pointer to a function.
/// To be filled before main, by a static data member of a template, so that using the template is all
/// it takes:
///
///     template <class Job>
///     inline const std::string_view key_of = registry<make_job>::add(typeid(Job), &Job::make);
///
/// The same program registers in the same order, so both sides of a connection agree on the keys even
/// where types of several files have the same name. Types of libraries opened at run time do not.
template <class Factory>
class registry {
  static_assert(std::is_pointer_v<Factory> && std::is_function_v<std::remove_pointer_t<Factory>>);

public:
  /// Returns the key of `type`.
  static std::string_view add(const std::type_info& type, Factory make) {
    return register_function(typeid(Factory), type.name(), reinterpret_cast<any_function>(make));
  }

  /// The factory of the type with this key; null if there is none.
  static Factory find(std::string_view key) noexcept {
    return reinterpret_cast<Factory>(registered_function(typeid(Factory), key));
  }
};

}  // namespace fmap::detail
