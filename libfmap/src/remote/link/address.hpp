// SPDX-License-Identifier: BSD-3-Clause
// Where a pool listens, and where a node finds it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fmap::remote {

/// "HOST:PORT", "[HOST]:PORT" or "unix:/path". A value.
struct address {
  std::string host;  ///< or the path of a Unix socket; empty: every interface of this machine
  std::string port;  ///< a number; empty: it is a Unix socket

  bool is_unix() const { return port.empty(); }

  bool operator==(const address&) const = default;
};

/// Throws std::invalid_argument, whose text says what is wrong and what to write.
address parse_address(std::string_view text);

/// Several, with commas between them.
std::vector<address> parse_addresses(std::string_view text);

std::string to_string(const address&);

}  // namespace fmap::remote
