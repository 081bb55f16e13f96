// SPDX-License-Identifier: BSD-3-Clause
// Hashes files with OpenSSL: each worker has one hasher and uses it for one file after the other.
#pragma once

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "found_paths.hpp"

namespace checksum {

/// What became of one file: its hash, or why it has none.
struct checked_file {
  std::string path;
  std::string hash;
  std::string error;
  std::uint64_t bytes = 0;
};

/// How it travels back from a process.
template <class Inspector>
auto inspect(Inspector& f, checked_file& x) {
  return f(x.path, x.hash, x.error, x.bytes);
}

class hasher {
public:
  hasher() : context_{EVP_MD_CTX_new()}, chunk_(std::size_t{128} * 1024) {
    if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1)
      throw std::runtime_error("OpenSSL offers no SHA-256");
  }

  checked_file operator()(found_path found) {
    checked_file file;
    file.path = std::move(found.path);
    file.error = std::move(found.error);
    if (file.error.empty() && !hash(file)) file.error = std::generic_category().message(errno);
    return file;
  }

private:
  struct open_file {
    explicit open_file(const std::string& path)
        : descriptor{::open(path.c_str(), O_RDONLY | O_CLOEXEC)} {}
    open_file(const open_file&) = delete;
    open_file& operator=(const open_file&) = delete;
    ~open_file() {
      int error = errno;
      if (descriptor >= 0) ::close(descriptor);
      errno = error;
    }

    int descriptor;
  };

  struct free_context {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };

  /// False if the file cannot be opened or read; errno tells why.
  bool hash(checked_file& file) {
    open_file input{file.path};
    if (input.descriptor < 0) return false;
    require(EVP_DigestInit_ex(context_.get(), nullptr, nullptr));  // the same algorithm again
    for (;;) {
      auto count = ::read(input.descriptor, chunk_.data(), chunk_.size());
      if (count == 0) break;
      if (count < 0) {
        if (errno == EINTR) continue;
        return false;
      }
      require(EVP_DigestUpdate(context_.get(), chunk_.data(), static_cast<std::size_t>(count)));
      file.bytes += static_cast<std::uint64_t>(count);
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned size = 0;
    require(EVP_DigestFinal_ex(context_.get(), digest.data(), &size));
    for (unsigned i = 0; i < size; ++i) {
      file.hash += "0123456789abcdef"[digest[i] >> 4];
      file.hash += "0123456789abcdef"[digest[i] & 15];
    }
    return true;
  }

  static void require(int success) {
    if (success != 1) throw std::runtime_error("OpenSSL cannot compute a hash");
  }

  std::unique_ptr<EVP_MD_CTX, free_context> context_;
  std::vector<unsigned char> chunk_;
};

}  // namespace checksum
