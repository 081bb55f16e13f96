// SPDX-License-Identifier: BSD-3-Clause
// What one end demands of the other's certificate, by OpenSSL.

#include <algorithm>
#include <exception>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <sys/stat.h>

#include "src/remote/link/tls_files.hpp"
#include "src/remote/link/tls_stream.hpp"

namespace fmap::remote {

namespace openssl {

namespace {

/// ALPN: a length, and the name of what is spoken.
constexpr unsigned char protocol[] = "\x06"
                                     "fmap/2";
constexpr unsigned protocol_size = sizeof protocol - 1;

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* length,
                    const unsigned char* offered, unsigned size, void*) {
  unsigned char* out = nullptr;
  const int found = SSL_select_next_proto(&out, length, protocol, protocol_size, offered, size);
  *chosen = out;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

void check(bool ok) {
  if (!ok) throw std::invalid_argument{"fmap: no certificate: " + last_error()};
}

context_ptr make_context(tls_end end, const loaded& l) {
  context_ptr result{SSL_CTX_new(end == tls_end::pool ? TLS_server_method() : TLS_client_method())};
  SSL_CTX* const c = result.get();
  check(c != nullptr);
  SSL_CTX_set_min_proto_version(c, TLS1_3_VERSION);
  SSL_CTX_set_num_tickets(c, 0);
  SSL_CTX_set_options(c, SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                          | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  check(SSL_CTX_use_certificate(c, l.certificate.get()) == 1);
  for (const auto& between : l.chain) check(SSL_CTX_add1_chain_cert(c, between.get()) == 1);
  check(SSL_CTX_use_PrivateKey(c, l.key.get()) == 1);
  X509_STORE* const trusted = SSL_CTX_get_cert_store(c);
  for (const auto& ca : l.ca) check(X509_STORE_add_cert(trusted, ca.get()) == 1);
  if (l.revoked) {
    check(X509_STORE_add_crl(trusted, l.revoked.get()) == 1);
    X509_STORE_set_flags(trusted, X509_V_FLAG_CRL_CHECK);
  }
  if (end == tls_end::pool)
    SSL_CTX_set_alpn_select_cb(c, choose_protocol, nullptr);
  else
    check(SSL_CTX_set_alpn_protos(c, protocol, protocol_size) == 0);
  return result;
}

bool is_number(const std::string& host) {
  unsigned char bytes[16];
  return ::inet_pton(AF_INET, host.c_str(), bytes) == 1
         || ::inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

class openssl_context final : public tls_context {
public:
  openssl_context(tls_end end, const tls_material& m)
      : end_{end}, material_{m}, context_{make_context(end, load(end, m))}, seen_{changes()} {}

  std::unique_ptr<tls_stream> over(descriptor socket, const std::string& name) override {
    std::lock_guard guard{mutex_};
    connection_ptr ssl{SSL_new(context_.get())};
    bio_ptr bytes = over_socket(socket.get());
    if (!ssl || !bytes) throw std::runtime_error{"fmap: no TLS connection: " + last_error()};
    BIO* const both_ways = bytes.release();
    SSL_set_bio(ssl.get(), both_ways, both_ways);  // takes it over
    if (end_ == tls_end::pool) {
      SSL_set_accept_state(ssl.get());
    } else {
      X509_VERIFY_PARAM* const demanded = SSL_get0_param(ssl.get());
      X509_VERIFY_PARAM_set_hostflags(demanded, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
      if (is_number(name))
        X509_VERIFY_PARAM_set1_ip_asc(demanded, name.c_str());
      else
        X509_VERIFY_PARAM_set1_host(demanded, name.c_str(), 0);
      SSL_set_connect_state(ssl.get());
    }
    return std::make_unique<openssl_stream>(
        std::make_shared<tls_connection>(std::move(socket), std::move(ssl)));
  }

  std::string refresh() override {
    auto now = changes();
    std::lock_guard guard{mutex_};
    if (now == seen_) return {};
    seen_ = std::move(now);
    try {
      context_ = make_context(end_, load(end_, material_));
      return {};
    } catch (const std::exception& e) {
      return e.what();
    }
  }

private:
  using times = std::map<std::string, std::pair<std::int64_t, std::int64_t>>;

  /// When each file was changed last.
  times changes() const {
    times result;
    for (const std::string* file :
         {&material_.certificate, &material_.key, &material_.ca, &material_.revoked}) {
      struct stat about {};
      if (file->empty() || is_content(*file) || ::stat(file->c_str(), &about) != 0) continue;
      result[*file] = {about.st_mtim.tv_sec, about.st_mtim.tv_nsec};
    }
    return result;
  }

  const tls_end end_;
  const tls_material material_;
  std::mutex mutex_;
  context_ptr context_;
  times seen_;
};

}  // namespace

}  // namespace openssl

bool has_tls() noexcept { return true; }

std::shared_ptr<tls_context> make_tls(tls_end end, const tls_material& m) {
  return std::make_shared<openssl::openssl_context>(end, m);
}

}  // namespace fmap::remote
