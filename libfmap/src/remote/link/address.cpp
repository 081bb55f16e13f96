// SPDX-License-Identifier: BSD-3-Clause
// Where a pool listens, and where a node finds it.

#include "src/remote/link/address.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <system_error>

#include <sys/un.h>

namespace fmap::remote {

namespace {

constexpr std::string_view unix_prefix = "unix:";
constexpr std::size_t longest_path = sizeof(sockaddr_un::sun_path) - 1;

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  throw std::invalid_argument{"fmap: \"" + std::string{text} + "\" is no address: " + why};
}

address unix_address(std::string_view text) {
  const std::string path{text.substr(unix_prefix.size())};
  if (path.empty() || path.front() != '/') refuse(text, "write unix: and an absolute path");
  if (path.size() > longest_path)
    refuse(text,
           "the path of a Unix socket has at most " + std::to_string(longest_path) + " bytes");
  return {path, {}};
}

void check_port(std::string_view text, std::string_view port) {
  std::uint16_t number = 0;
  const char* const end = port.data() + port.size();
  const auto [at, error] = std::from_chars(port.data(), end, number);
  if (error != std::errc{} || at != end)
    refuse(text, "a port is a number from 0 to 65535, as in host:4711");
}

}  // namespace

address parse_address(std::string_view text) {
  if (text.starts_with(unix_prefix)) return unix_address(text);
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos) refuse(text, "write HOST:PORT or unix:/path");
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  check_port(text, port);
  if (host.starts_with('[')) {
    if (!host.ends_with(']') || host.size() == 2) refuse(text, "write [IPv6 address]:PORT");
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != host.npos) {
    refuse(text, "an IPv6 address stands in brackets, as in [::1]:4711");
  }
  const bool printable =
      std::all_of(host.begin(), host.end(), [](char c) { return c > ' ' && c < 127; });
  if (!printable) refuse(text, "a host has no blanks and no control characters");
  return {std::string{host}, std::string{port}};
}

std::vector<address> parse_addresses(std::string_view text) {
  std::vector<address> result;
  for (std::size_t begin = 0;;) {
    const std::size_t comma = text.find(',', begin);
    result.push_back(parse_address(text.substr(begin, comma - begin)));
    if (comma == text.npos) return result;
    begin = comma + 1;
  }
}

std::string to_string(const address& a) {
  if (a.is_unix()) return std::string{unix_prefix} + a.host;
  const bool brackets = a.host.find(':') != a.host.npos;
  return (brackets ? "[" + a.host + "]" : a.host) + ":" + a.port;
}

}  // namespace fmap::remote
