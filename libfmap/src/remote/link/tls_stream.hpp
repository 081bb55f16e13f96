// SPDX-License-Identifier: BSD-3-Clause
// Streams over TLS, by OpenSSL.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "src/remote/link/openssl.hpp"
#include "src/remote/link/tls.hpp"

namespace fmap::remote::openssl {

/// One connection, for several streams. Thread-safe: OpenSSL's is not.
class tls_connection {
public:
  tls_connection(descriptor socket, connection_ptr ssl);
  ~tls_connection();
  tls_connection(const tls_connection&) = delete;
  tls_connection& operator=(const tls_connection&) = delete;

  tls_stream::handshake shake_hands();
  stream::moved read_some(char* to, std::size_t size);
  stream::moved write_some(const char* from, std::size_t size);
  int fd() const noexcept { return socket_.get(); }
  bool intact() const;
  void cut() noexcept;

  std::string failure() const;
  bool refused() const;
  std::vector<std::string> names() const;

private:
  enum class outcome { reads, writes, gone };

  outcome judge(int result);
  void note_failure();

  const descriptor socket_;
  const std::uint64_t inode_;
  mutable std::mutex mutex_;
  const connection_ptr ssl_;
  bool shaken_ = false, broken_ = false, refused_ = false;
  std::string failure_;
};

class openssl_stream final : public tls_stream {
public:
  explicit openssl_stream(std::shared_ptr<tls_connection> of) : of_{std::move(of)} {}

  handshake shake_hands() override { return of_->shake_hands(); }
  std::string failure() const override { return of_->failure(); }
  bool refused() const override { return of_->refused(); }
  std::vector<std::string> names() const override { return of_->names(); }
  std::unique_ptr<stream> for_other_thread() override {
    return std::make_unique<openssl_stream>(of_);
  }

  moved read_some(char* to, std::size_t size) override { return of_->read_some(to, size); }
  moved write_some(const char* from, std::size_t size) override {
    return of_->write_some(from, size);
  }
  int read_fd() const override { return of_->fd(); }
  int write_fd() const override { return of_->fd(); }
  bool intact() const override { return of_->intact(); }
  void cut() noexcept override { of_->cut(); }

private:
  const std::shared_ptr<tls_connection> of_;
};

}  // namespace fmap::remote::openssl
