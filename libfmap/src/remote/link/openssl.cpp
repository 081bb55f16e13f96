// SPDX-License-Identifier: BSD-3-Clause
// What the files that use OpenSSL share.

#include "src/remote/link/openssl.hpp"

#include <cerrno>
#include <cstdint>
#include <string_view>

#include <arpa/inet.h>
#include <sys/socket.h>

namespace fmap::remote::openssl {

namespace {

std::string text_of(const ASN1_STRING* s) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(s)),
          static_cast<std::size_t>(ASN1_STRING_length(s))};
}

std::string number_of(const ASN1_STRING* s) {
  char text[INET6_ADDRSTRLEN] = "";
  const int family = ASN1_STRING_length(s) == 4 ? AF_INET : AF_INET6;
  ::inet_ntop(family, ASN1_STRING_get0_data(s), text, sizeof text);
  return text;
}

int fd_of(BIO* b) { return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(b))); }

int write_to(BIO* b, const char* from, std::size_t size, std::size_t* done) {
  BIO_clear_retry_flags(b);
  const ssize_t n = ::send(fd_of(b), from, size, MSG_NOSIGNAL | MSG_DONTWAIT);
  *done = n > 0 ? static_cast<std::size_t>(n) : 0;
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) BIO_set_retry_write(b);
  return n > 0 ? 1 : 0;
}

int read_from(BIO* b, char* to, std::size_t size, std::size_t* done) {
  BIO_clear_retry_flags(b);
  const ssize_t n = ::recv(fd_of(b), to, size, MSG_DONTWAIT);
  *done = n > 0 ? static_cast<std::size_t>(n) : 0;
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) BIO_set_retry_read(b);
  if (n == 0) BIO_set_flags(b, BIO_FLAGS_IN_EOF);
  return n > 0 ? 1 : 0;
}

long control(BIO* b, int what, long, void*) {
  if (what == BIO_CTRL_EOF) return BIO_test_flags(b, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return what == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* socket_method() {
  // Never destroyed: nodes may end after everything else.
  static BIO_METHOD* const result = [] {
    BIO_METHOD* const m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "fmap socket");
    if (m == nullptr) return m;
    BIO_meth_set_write_ex(m, write_to);
    BIO_meth_set_read_ex(m, read_from);
    BIO_meth_set_ctrl(m, control);
    return m;
  }();
  return result;
}

}  // namespace

bio_ptr over_socket(int fd) {
  bio_ptr result{BIO_new(socket_method())};
  if (!result) return result;
  const auto number = static_cast<std::intptr_t>(fd);
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  BIO_set_data(result.get(), reinterpret_cast<void*>(number));
  BIO_set_init(result.get(), 1);
  return result;
}

std::string last_error() {
  const unsigned long first = ERR_get_error();
  ERR_clear_error();
  const char* const reason = ERR_reason_error_string(first);
  return reason != nullptr ? reason : "unknown error";
}

std::vector<std::string> names_in(X509* certificate) {
  std::vector<std::string> result;
  auto* const all = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(all); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(all, i);
    if (name->type == GEN_DNS) result.push_back(text_of(name->d.dNSName));
    if (name->type == GEN_IPADD) result.push_back(number_of(name->d.iPAddress));
  }
  GENERAL_NAMES_free(all);
  if (!result.empty()) return result;
  const X509_NAME* const subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at >= 0)
    result.push_back(text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))));
  return result;
}

bool is_like(std::string_view name, std::string_view pattern) {
  const std::size_t star = pattern.find('*');
  if (star == pattern.npos) return name == pattern;
  const std::string_view before = pattern.substr(0, star), after = pattern.substr(star + 1);
  if (!name.starts_with(before)) return false;
  for (name.remove_prefix(star);; name.remove_prefix(1)) {
    if (is_like(name, after)) return true;
    if (name.empty()) return false;
  }
}

std::string why_refused(long code) {
  switch (code) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE: return "certificate of another CA";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return "self-signed certificate";
    case X509_V_ERR_CERT_HAS_EXPIRED: return "expired certificate";
    case X509_V_ERR_CERT_NOT_YET_VALID: return "certificate that is not valid yet";
    case X509_V_ERR_INVALID_PURPOSE: return "certificate for another purpose";
    case X509_V_ERR_CERT_REVOKED: return "revoked certificate";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "certificate for another name: use the one that is in it, or --fmap-pool-name";
    default: return X509_verify_cert_error_string(code);
  }
}

}  // namespace fmap::remote::openssl
