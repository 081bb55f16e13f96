// SPDX-License-Identifier: BSD-3-Clause
// All that a node needs to find its pool and to be let in, as one text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/remote/link/address.hpp"
#include "src/remote/link/tls.hpp"

namespace fmap::remote {

/// A value. Without a certificate it is about addresses alone.
struct join_file {
  std::vector<address> addresses;
  std::string name{};   ///< that the pool's certificate is for; empty: the host that is dialled
  tls_material node{};  ///< contents

  bool has_certificate() const { return !node.certificate.empty(); }
};

std::string to_text(const join_file&);

/// Throws std::invalid_argument for what is no join file.
join_file parse_join_file(std::string_view text);

/// Reads a file. Throws std::invalid_argument.
join_file read_join_file(const std::string& path);

/// Writes a file that its owner alone can read (mode 600), as a whole: who reads meanwhile finds the old one or this one.
/// Throws std::system_error.
void write_join_file(const join_file&, const std::string& path);

}  // namespace fmap::remote
