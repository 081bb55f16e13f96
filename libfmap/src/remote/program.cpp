// SPDX-License-Identifier: BSD-3-Clause
// Where this program's executable is, for worker processes to run.

#include "src/remote/program.hpp"

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>

#include <link.h>
#include <sys/auxv.h>
#include <sys/stat.h>

namespace fmap::remote {

namespace {

constexpr const char* self = "/proc/self/exe";

program& found() {
  // Never destroyed: static pools start processes while the program ends.
  static auto& result = *new program{self, "fmap"};
  return result;
}

/// Some address in the program's own file.
std::uintptr_t own_address() {
  std::uintptr_t result = 0;
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* into) {
        *static_cast<std::uintptr_t*>(into) = reinterpret_cast<std::uintptr_t>(info->dlpi_phdr);
        return 1;  // the program is the first
      },
      &result);
  return result;
}

struct mapped_file {
  std::uint64_t inode = 0;
  std::string path;
};

/// The file that the program was loaded from.
mapped_file own_file() {
  const std::uintptr_t here = own_address();
  std::ifstream maps{"/proc/self/maps"};
  for (std::string line; std::getline(maps, line);) {
    std::istringstream fields{line};
    std::uintptr_t begin = 0, end = 0;
    char dash = 0;
    std::string permissions, offset, device;
    mapped_file file;
    fields >> std::hex >> begin >> dash >> end >> permissions >> offset >> device >> std::dec
        >> file.inode >> std::ws;
    std::getline(fields, file.path);
    if (begin <= here && here < end) return file;
  }
  return {};
}

std::string absolute(const char* path) {
  const std::unique_ptr<char, void (*)(void*)> result{path ? ::realpath(path, nullptr) : nullptr,
                                                      std::free};
  return result ? result.get() : "";
}

std::string path_of(const char* name) {
  const mapped_file own = own_file();
  struct stat running {};
  const bool there = ::stat(self, &running) == 0;
  if (there && (own.inode == 0 || own.inode == running.st_ino)) return self;
  if (own.path.starts_with('/')) return own.path;
  // The kernel gives the address of the name as a number.
  const auto* started_as =
      reinterpret_cast<const char*>(::getauxval(AT_EXECFN));  // NOLINT(performance-no-int-to-ptr)
  std::string path = absolute(started_as);
  if (path.empty()) path = absolute(name);
  return path.empty() ? self : path;
}

}  // namespace

void find_this_program(const char* name) {
  found() = {path_of(name), name != nullptr ? name : "fmap"};
}

const program& this_program() { return found(); }

}  // namespace fmap::remote
