// SPDX-License-Identifier: BSD-3-Clause
// Type names as people write them.

#include <cstdlib>
#include <memory>

#include <cxxabi.h>

#include <fmap/detail/demangle.hpp>

namespace fmap {

std::string detail::type_name(const std::type_info& type) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> readable{
      abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), &std::free};
  return readable ? readable.get() : type.name();
}

}  // namespace fmap
