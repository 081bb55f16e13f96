// SPDX-License-Identifier: BSD-3-Clause
// Certificates and keys, read and checked.
#pragma once

#include <string>
#include <vector>

#include "src/remote/link/openssl.hpp"
#include "src/remote/link/tls.hpp"

namespace fmap::remote::openssl {

/// One end's certificates, in memory.
struct loaded {
  certificate_ptr certificate;
  std::vector<certificate_ptr> chain;  ///< between it and the CA
  key_ptr key;
  std::vector<certificate_ptr> ca;
  revocation_ptr revoked;
};

/// Reads all of it, and checks that it can be used by that end. Throws std::invalid_argument.
loaded load(tls_end, const tls_material&);

/// Whether a text is content itself, and no file's name.
inline bool is_content(const std::string& text) { return text.starts_with("-----BEGIN"); }

}  // namespace fmap::remote::openssl
