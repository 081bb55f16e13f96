// SPDX-License-Identifier: BSD-3-Clause
// Encrypted streams whose ends have shown certificates.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "src/remote/descriptor.hpp"
#include "src/remote/stream.hpp"

namespace fmap::remote {

/// A stream over TLS. Reading and writing may be done by two threads, each with a stream of its own.
class tls_stream : public stream {
public:
  enum class handshake { done, reads, writes, failed };

  /// Goes on with the handshake as far as that is possible now; tells what it waits for.
  virtual handshake shake_hands() = 0;

  /// Why the handshake failed, or the other end closed the connection; empty: it did not say.
  virtual std::string failure() const = 0;

  /// Whether that is about certificates: to try again is no use.
  virtual bool refused() const = 0;

  /// The names in the other end's certificate; after the handshake.
  virtual std::vector<std::string> names() const = 0;

  /// The same connection, for another thread.
  virtual std::unique_ptr<stream> for_other_thread() = 0;
};

/// What one end needs. Each text is a file's name, or the content itself if it begins with "-----BEGIN".
struct tls_material {
  std::string certificate, key, ca, passphrase;
  std::string revoked{};             ///< a list of revoked certificates; empty: none are
  std::vector<std::string> allow{};  ///< of a pool: what a node's name must be like; empty: any
};

/// One end's certificate, and what is demanded of others'. Thread-safe.
class tls_context {
public:
  tls_context() = default;
  virtual ~tls_context() = default;
  tls_context(const tls_context&) = delete;
  tls_context& operator=(const tls_context&) = delete;

  /// Takes over a connected socket that does not block. `name`: of a node's, what the pool's certificate must be for, a
  /// host's name or its number.
  virtual std::unique_ptr<tls_stream> over(descriptor socket, const std::string& name) = 0;

  /// Reads files again that have changed. What is wrong with them, if they cannot be used; then the old ones stay.
  virtual std::string refresh() = 0;
};

enum class tls_end { pool, node };

/// Whether this fmap was built with TLS.
bool has_tls() noexcept;

/// Checks all of it. Throws std::invalid_argument, which says what is wrong with which file.
std::shared_ptr<tls_context> make_tls(tls_end, const tls_material&);

/// A certificate authority that nobody else knows, and what it has made; the texts are contents.
struct private_tls {
  tls_material pool, node;
  std::string name;  ///< what the pool's certificate is for
};

/// Certificates are valid for that time. Throws std::runtime_error.
private_tls make_private_tls(std::chrono::seconds valid_for);

}  // namespace fmap::remote
