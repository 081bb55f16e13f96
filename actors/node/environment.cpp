// SPDX-License-Identifier: BSD-3-Clause
// A copy of this process' environment.

#include "actors/node/environment.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include <sys/uio.h>
#include <unistd.h>

extern char** environ;

namespace fmap::actors {

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

/// None: it was changed meanwhile.
std::optional<std::vector<std::string>> try_copy() {
  char** const begin = *const_cast<char** volatile*>(&environ);
  std::vector<std::string> result;
  if (begin == nullptr) return result;
  for (char** at = begin;; ++at) {
    char* entry = nullptr;
    if (!peek(at, &entry, sizeof entry)) return {};
    if (entry == nullptr) break;
    auto text = text_at(entry);
    if (!text) return {};
    result.push_back(std::move(*text));
  }
  if (*const_cast<char** volatile*>(&environ) != begin) return {};
  return result;
}

std::string_view name_of(std::string_view entry) { return entry.substr(0, entry.find('=')); }

}  // namespace

std::vector<std::string> environment_with(const std::vector<std::string>& more) {
  std::optional<std::vector<std::string>> result;
  for (int tries = 0; !result && tries != 10'000; ++tries) result = try_copy();
  if (!result) result.emplace();
  std::erase_if(*result, [&](const std::string& entry) {
    return entry.find('=') == std::string::npos
           || std::any_of(more.begin(), more.end(),
                          [&](const std::string& m) { return name_of(m) == name_of(entry); });
  });
  result->insert(result->end(), more.begin(), more.end());
  return *result;
}

}  // namespace fmap::actors
