// SPDX-License-Identifier: BSD-3-Clause
// What the files that use OpenSSL share.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace fmap::remote::openssl {

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* x) const noexcept {
    Free(x);
  }
};

using bio_ptr = std::unique_ptr<BIO, freed_by<&BIO_free>>;
using certificate_ptr = std::unique_ptr<X509, freed_by<&X509_free>>;
using context_ptr = std::unique_ptr<SSL_CTX, freed_by<&SSL_CTX_free>>;
using extension_ptr = std::unique_ptr<X509_EXTENSION, freed_by<&X509_EXTENSION_free>>;
using key_ptr = std::unique_ptr<EVP_PKEY, freed_by<&EVP_PKEY_free>>;
using connection_ptr = std::unique_ptr<SSL, freed_by<&SSL_free>>;
using revocation_ptr = std::unique_ptr<X509_CRL, freed_by<&X509_CRL_free>>;

/// Bytes of a socket, for OpenSSL. Its own way to write them would end the program with SIGPIPE when the other end is gone.
bio_ptr over_socket(int fd);

/// The first error that OpenSSL has noted in this thread, as a text; forgets all of them.
std::string last_error();

/// The DNS names and numbers in a certificate; where there are none, its subject's name.
std::vector<std::string> names_in(X509*);

/// Whether a name is like a pattern, in which a star stands for any bytes.
bool is_like(std::string_view name, std::string_view pattern);

/// The other end's certificate is refused with that code: in a few words, why.
std::string why_refused(long verify_result);

}  // namespace fmap::remote::openssl
