// SPDX-License-Identifier: BSD-3-Clause
// Streams over TLS, by OpenSSL.

#include "src/remote/link/tls_stream.hpp"

#include <cerrno>
#include <utility>

#include <sys/socket.h>
#include <sys/stat.h>

namespace fmap::remote::openssl {

namespace {

/// What fits into one record.
constexpr std::size_t record = 16 * 1024;

/// Whether an alert of the other end's is about this end's certificate.
bool is_about_certificate(int reason) {
  switch (reason) {
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED: return true;
    default: return false;
  }
}

std::uint64_t inode_of(int fd) {
  struct stat about {};
  return ::fstat(fd, &about) == 0 ? about.st_ino : 0;
}

}  // namespace

tls_connection::tls_connection(descriptor socket, connection_ptr ssl)
    : socket_{std::move(socket)}, inode_{inode_of(socket_.get())}, ssl_{std::move(ssl)} {}

tls_connection::~tls_connection() {
  ERR_clear_error();
  if (shaken_ && !broken_) SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

/// What a call of OpenSSL's that moved nothing means.
tls_connection::outcome tls_connection::judge(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ: return outcome::reads;
    case SSL_ERROR_WANT_WRITE: return outcome::writes;
    case SSL_ERROR_ZERO_RETURN: break;
    case SSL_ERROR_SSL: note_failure(); [[fallthrough]];
    default: broken_ = true;
  }
  ERR_clear_error();
  return outcome::gone;
}

void tls_connection::note_failure() {
  const unsigned long error = ERR_peek_error();
  const int reason = ERR_GET_REASON(error);
  const long verified = SSL_get_verify_result(ssl_.get());
  if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED && verified != X509_V_OK) {
    failure_ = why_refused(verified);
    refused_ = true;
  } else if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
    failure_ = "no certificate";
    refused_ = true;
  } else if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST
             || reason == SSL_R_PACKET_LENGTH_TOO_LONG) {
    failure_ = "no TLS";
  } else if (reason == SSL_R_UNSUPPORTED_PROTOCOL || reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION) {
    failure_ = "TLS older than 1.3";
  } else {
    refused_ = is_about_certificate(reason);
    failure_ = last_error();
  }
}

tls_stream::handshake tls_connection::shake_hands() {
  std::lock_guard guard{mutex_};
  ERR_clear_error();
  const int n = SSL_do_handshake(ssl_.get());
  if (n == 1) {
    const unsigned char* protocol = nullptr;
    unsigned length = 0;
    SSL_get0_alpn_selected(ssl_.get(), &protocol, &length);
    shaken_ = true;
    if (length != 0) return tls_stream::handshake::done;
    failure_ = "not fmap's protocol";
    return tls_stream::handshake::failed;
  }
  switch (judge(n)) {
    case outcome::reads: return tls_stream::handshake::reads;
    case outcome::writes: return tls_stream::handshake::writes;
    default: return tls_stream::handshake::failed;
  }
}

// Nothing that has been decrypted stays inside, where poll() does not see it: whoever reads has room for a record, and
// a call takes whole ones.
stream::moved tls_connection::read_some(char* to, std::size_t size) {
  std::lock_guard guard{mutex_};
  std::size_t done = 0;
  do {
    std::size_t n = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(ssl_.get(), to + done, size - done, &n);
    if (result != 1) {
      if (judge(result) == outcome::gone && done == 0) return stream::gone;
      break;
    }
    done += n;
  } while (size - done >= record);
  return static_cast<stream::moved>(done);
}

stream::moved tls_connection::write_some(const char* from, std::size_t size) {
  std::lock_guard guard{mutex_};
  std::size_t n = 0;
  ERR_clear_error();
  const int result = SSL_write_ex(ssl_.get(), from, size, &n);
  if (result == 1) return static_cast<stream::moved>(n);
  return judge(result) == outcome::gone ? stream::gone : 0;
}

bool tls_connection::intact() const { return inode_of(socket_.get()) == inode_; }

void tls_connection::cut() noexcept { ::shutdown(socket_.get(), SHUT_RDWR); }

std::string tls_connection::failure() const {
  std::lock_guard guard{mutex_};
  return failure_;
}

bool tls_connection::refused() const {
  std::lock_guard guard{mutex_};
  return refused_;
}

std::vector<std::string> tls_connection::names() const {
  std::lock_guard guard{mutex_};
  const certificate_ptr shown{SSL_get1_peer_certificate(ssl_.get())};
  return shown ? names_in(shown.get()) : std::vector<std::string>{};
}

}  // namespace fmap::remote::openssl
