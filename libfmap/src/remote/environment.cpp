// SPDX-License-Identifier: BSD-3-Clause
// A copy of this process' environment.

#include "src/remote/environment.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string_view>

#include <sys/uio.h>
#include <unistd.h>

extern char** environ;

namespace fmap::remote {

namespace {

/// Memory is read in pieces that do not cross a page.
constexpr std::size_t page = 4096;

/// setenv() of another thread may move what is being read, so the kernel reads it: that never crashes. False: there
/// is no such memory.
bool peek(const void* from, void* to, std::size_t size) {
  const iovec here{to, size}, there{const_cast<void*>(from), size};
  const ssize_t n = ::process_vm_readv(::getpid(), &here, 1, &there, 1, 0);
  if (n >= 0) return static_cast<std::size_t>(n) == size;
  if (errno == EFAULT) return false;
  std::memcpy(to, from, size);  // the kernel may not do that here
  return true;
}

std::size_t left_of_page(const void* at) {
  return page - reinterpret_cast<std::uintptr_t>(at) % page;
}

std::optional<std::string> text_at(const char* at) {
  std::string result;
  char piece[page];
  for (;;) {
    const std::size_t size = left_of_page(at);
    if (!peek(at, piece, size)) return {};
    const std::size_t length = ::strnlen(piece, size);
    result.append(piece, length);
    if (length != size) return result;
    at += size;
  }
}

/// The pointers to all entries. None: they were moved meanwhile.
std::optional<std::vector<char*>> entries() {
  char** const begin = *const_cast<char** volatile*>(&environ);
  std::vector<char*> result;
  char* piece[page / sizeof(char*)];
  for (char** at = begin; at != nullptr;) {
    const std::size_t size = left_of_page(at) / sizeof(char*);
    if (!peek(at, piece, size * sizeof(char*))) return {};
    char** const end = std::find(piece, piece + size, nullptr);
    result.insert(result.end(), piece, end);
    at = end == piece + size ? at + size : nullptr;
  }
  if (*const_cast<char** volatile*>(&environ) != begin) return {};
  return result;
}

/// The same when nobody has moved one while they were read, if such a moment can be had.
std::vector<char*> entries_at_rest() {
  std::optional<std::vector<char*>> last;
  for (int tries = 0; tries != 10'000; ++tries) {
    auto now = entries();
    if (now && now == last) break;
    if (now) last = std::move(now);
  }
  if (last) return *last;
  throw std::runtime_error{"fmap: the environment cannot be read: other threads keep changing it"};
}

std::string_view name_of(std::string_view entry) { return entry.substr(0, entry.find('=')); }

}  // namespace

std::vector<std::string> environment_with(const std::vector<std::string>& more) {
  std::vector<std::string> result;
  for (const char* entry : entries_at_rest()) {
    auto text = text_at(entry);
    if (!text || text->find('=') == std::string::npos) continue;
    const bool replaced = std::any_of(more.begin(), more.end(), [&](const std::string& m) {
      return name_of(m) == name_of(*text);
    });
    if (!replaced) result.push_back(std::move(*text));
  }
  result.insert(result.end(), more.begin(), more.end());
  return result;
}

}  // namespace fmap::remote
