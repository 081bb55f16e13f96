// SPDX-License-Identifier: BSD-3-Clause
// Where fmap was built without OpenSSL.

#include <stdexcept>

#include "src/remote/link/tls.hpp"

namespace fmap::remote {

namespace {

constexpr char missing[] = "fmap: this fmap was built without OpenSSL, so it has no tls: install "
                           "libssl-dev and build it again";

}  // namespace

bool has_tls() noexcept { return false; }

std::shared_ptr<tls_context> make_tls(tls_end, const tls_material&) {
  throw std::invalid_argument{missing};
}

private_tls make_private_tls(std::chrono::seconds) { throw std::invalid_argument{missing}; }

}  // namespace fmap::remote
