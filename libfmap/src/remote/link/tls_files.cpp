// SPDX-License-Identifier: BSD-3-Clause
// Certificates and keys, read and checked.

#include "src/remote/link/tls_files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

#include <sys/stat.h>

namespace fmap::remote::openssl {

namespace {

[[noreturn]] void refuse(const std::string& why) {
  ERR_clear_error();
  throw std::invalid_argument{"fmap: no certificate: " + why};
}

/// How errors call it.
std::string called(const std::string& text, const char* otherwise) {
  return is_content(text) ? otherwise : text;
}

std::string content_of(const std::string& text, const char* what) {
  if (text.empty()) refuse(std::string{"tls has no "} + what);
  if (is_content(text)) return text;
  std::ifstream in{text, std::ios::binary};
  if (!in) refuse(text + " cannot be read: " + std::generic_category().message(errno));
  return {std::istreambuf_iterator<char>{in}, {}};
}

bio_ptr reader_of(const std::string& content) {
  return bio_ptr{BIO_new_mem_buf(content.data(), static_cast<int>(content.size()))};
}

std::vector<certificate_ptr> certificates_in(const std::string& text, const char* what) {
  const std::string content = content_of(text, what);
  const bio_ptr in = reader_of(content);
  std::vector<certificate_ptr> result;
  while (X509* const next = PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr))
    result.emplace_back(next);
  ERR_clear_error();
  if (result.empty()) refuse(called(text, what) + " holds no certificate in PEM format");
  return result;
}

int give_passphrase(char* to, int size, int, void* passphrase) {
  const auto& text = *static_cast<const std::string*>(passphrase);
  if (text.empty() || text.size() > static_cast<std::size_t>(size)) return -1;
  std::copy(text.begin(), text.end(), to);
  return static_cast<int>(text.size());
}

/// A key that others can read is no secret.
void check_mode(const std::string& path) {
  struct stat about {};
  if (is_content(path) || ::stat(path.c_str(), &about) != 0 || (about.st_mode & 07) == 0) return;
  char mode[8];
  std::snprintf(mode, sizeof mode, "%o", static_cast<unsigned>(about.st_mode & 0777));
  refuse(path + " may be read by everybody (mode " + mode + "): chmod 600 it");
}

key_ptr key_in(const tls_material& m) {
  const std::string content = content_of(m.key, "key");
  check_mode(m.key);
  const bio_ptr in = reader_of(content);
  std::string passphrase = m.passphrase;
  key_ptr result{PEM_read_bio_PrivateKey(in.get(), nullptr, give_passphrase, &passphrase)};
  const std::string name = called(m.key, "the key");
  if (!result && content.find("ENCRYPTED") != content.npos)
    refuse(m.passphrase.empty() ? name + " is encrypted: give tls.passphrase"
                                : name + " is encrypted, and tls.passphrase is not its passphrase");
  if (!result) refuse(name + " holds no private key in PEM format");
  ERR_clear_error();
  return result;
}

revocation_ptr revoked_in(const std::string& text) {
  const std::string content = content_of(text, "list of revoked certificates");
  const bio_ptr in = reader_of(content);
  revocation_ptr result{PEM_read_bio_X509_CRL(in.get(), nullptr, nullptr, nullptr)};
  if (!result)
    refuse(called(text, "tls.revoked") + " holds no list of revoked certificates in PEM format");
  return result;
}

/// "2026-11-01"
std::string day_of(const ASN1_TIME* time) {
  std::tm t{};
  ASN1_TIME_to_tm(time, &t);
  char text[16];
  std::strftime(text, sizeof text, "%Y-%m-%d", &t);
  return text;
}

void check_time(X509* certificate, const std::string& name) {
  if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0)
    refuse(name + " has expired on " + day_of(X509_get0_notAfter(certificate)));
  if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0)
    refuse(name + " is not valid before " + day_of(X509_get0_notBefore(certificate)));
}

void check_purpose(tls_end end, X509* certificate, const std::string& name) {
  const bool pool = end == tls_end::pool;
  const int purpose = pool ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT;
  if (X509_check_purpose(certificate, purpose, 0) == 1) return;
  refuse(name
         + (pool ? " is for clients only: a pool needs one for serverAuth"
                 : " is for servers only: a node needs one for clientAuth"));
}

/// Whether the certificate leads to one of the CA's.
void check_chain(const loaded& l, const std::string& name, const std::string& ca) {
  std::unique_ptr<X509_STORE, freed_by<&X509_STORE_free>> trusted{X509_STORE_new()};
  for (const auto& c : l.ca) X509_STORE_add_cert(trusted.get(), c.get());
  STACK_OF(X509)* const between = sk_X509_new_null();
  for (const auto& c : l.chain) sk_X509_push(between, c.get());
  std::unique_ptr<X509_STORE_CTX, freed_by<&X509_STORE_CTX_free>> check{X509_STORE_CTX_new()};
  X509_STORE_CTX_init(check.get(), trusted.get(), l.certificate.get(), between);
  const bool leads = X509_verify_cert(check.get()) == 1;
  const int error = X509_STORE_CTX_get_error(check.get());
  sk_X509_free(between);
  if (!leads)
    refuse(name + " is not signed by " + ca + " (" + X509_verify_cert_error_string(error) + ")");
}

}  // namespace

loaded load(tls_end end, const tls_material& m) {
  loaded result;
  auto shown = certificates_in(m.certificate, "certificate");
  result.certificate = std::move(shown.front());
  shown.erase(shown.begin());
  result.chain = std::move(shown);
  result.key = key_in(m);
  result.ca = certificates_in(m.ca, "ca");
  if (!m.revoked.empty()) result.revoked = revoked_in(m.revoked);
  const std::string name = called(m.certificate, "the certificate");
  if (X509_check_private_key(result.certificate.get(), result.key.get()) != 1)
    refuse(called(m.key, "the key") + " does not belong to " + name);
  check_time(result.certificate.get(), name);
  check_purpose(end, result.certificate.get(), name);
  check_chain(result, name, called(m.ca, "the CA"));
  ERR_clear_error();
  return result;
}

}  // namespace fmap::remote::openssl
