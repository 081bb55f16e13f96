// SPDX-License-Identifier: BSD-3-Clause
// A certificate authority for one pool, in memory.

#include <random>
#include <stdexcept>
#include <string>

#include "src/remote/link/openssl.hpp"
#include "src/remote/link/tls.hpp"

namespace fmap::remote {

namespace {

using namespace openssl;

void check(bool ok) {
  if (!ok) throw std::runtime_error{"fmap: no certificate can be made: " + last_error()};
}

struct made {
  certificate_ptr certificate;
  key_ptr key;
};

void add_extension(X509* to, X509* issuer, int which, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, to, nullptr, nullptr, 0);
  const extension_ptr extension{X509V3_EXT_conf_nid(nullptr, &context, which, value)};
  check(extension != nullptr && X509_add_ext(to, extension.get(), -1) == 1);
}

/// Clocks of hosts differ a bit.
constexpr long tolerance = 300;

/// `issuer`: nobody, for the authority itself.
made make(const std::string& name, const made* issuer, const char* purpose,
          std::chrono::seconds valid_for) {
  made result{certificate_ptr{X509_new()}, key_ptr{EVP_EC_gen("P-256")}};
  X509* const c = result.certificate.get();
  check(c != nullptr && result.key != nullptr);
  std::random_device random;
  X509_set_version(c, X509_VERSION_3);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(c), std::uint64_t{random()} << 31 | random() >> 1);
  X509_gmtime_adj(X509_getm_notBefore(c), -tolerance);
  X509_gmtime_adj(X509_getm_notAfter(c), static_cast<long>(valid_for.count()) + tolerance);
  X509_set_pubkey(c, result.key.get());
  X509_NAME* const subject = X509_get_subject_name(c);
  check(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                   reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0)
        == 1);
  X509* const by = issuer != nullptr ? issuer->certificate.get() : c;
  X509_set_issuer_name(c, X509_get_subject_name(by));
  add_extension(c, by, NID_basic_constraints,
                issuer == nullptr ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE");
  add_extension(c, by, NID_key_usage,
                issuer == nullptr ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
  if (issuer != nullptr) {
    add_extension(c, by, NID_ext_key_usage, purpose);
    add_extension(c, by, NID_subject_alt_name, ("DNS:" + name).c_str());
  }
  check(X509_sign(c, issuer != nullptr ? issuer->key.get() : result.key.get(), EVP_sha256()) != 0);
  return result;
}

template <class Write>
std::string text_of(Write write) {
  const bio_ptr out{BIO_new(BIO_s_mem())};
  check(out != nullptr && write(out.get()) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string text_of(const certificate_ptr& c) {
  return text_of([&](BIO* out) { return PEM_write_bio_X509(out, c.get()); });
}

std::string text_of(const key_ptr& k) {
  return text_of([&](BIO* out) {
    return PEM_write_bio_PrivateKey(out, k.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}

/// Nobody else has it.
std::string some_name() {
  static constexpr char digits[] = "0123456789abcdef";
  std::random_device random;
  std::string result = "fmap-pool-";
  for (int i = 0; i != 16; ++i) result += digits[random() % 16];
  return result;
}

}  // namespace

private_tls make_private_tls(std::chrono::seconds valid_for) {
  private_tls result;
  result.name = some_name();
  const made authority = make(result.name + "-ca", nullptr, "", valid_for);
  const made pool = make(result.name, &authority, "serverAuth", valid_for);
  const made node = make(result.name + "-node", &authority, "clientAuth", valid_for);
  const std::string ca = text_of(authority.certificate);
  result.pool = {text_of(pool.certificate), text_of(pool.key), ca, {}};
  result.node = {text_of(node.certificate), text_of(node.key), ca, {}};
  return result;
}

}  // namespace fmap::remote
