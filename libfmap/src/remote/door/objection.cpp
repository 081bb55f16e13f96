// SPDX-License-Identifier: BSD-3-Clause
// Why somebody may not be a node of the pool's.

#include "src/remote/door/objection.hpp"

#include <algorithm>
#include <cstdint>

#include <fmap/detail/program_fingerprint.hpp>

#include "src/remote/plain_text.hpp"

namespace fmap::remote {

namespace {

constexpr std::size_t longest_name = 256;

bool printable(const std::string& text) {
  return text.size() <= longest_name
         && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 127; });
}

}  // namespace

std::string objection(const frames::hello& who, const node_settings& s) {
  const std::string& ours = detail::program_fingerprint();
  if (who.version != detail::protocol_version || who.fingerprint != ours)
    return "it runs another program (here " + ours + ", there "
           + plain_text(who.fingerprint, longest_name) + "): copy the same executable to all hosts";
  if (!printable(who.name) || !printable(who.host))
    return "its name or its host's is too long, or not printable";
  if (who.workers == 0 || std::uint64_t{who.workers} * s.welcome.threads > s.most_threads)
    return "it has " + std::to_string(who.workers) + " workers of "
           + std::to_string(s.welcome.threads) + " threads, and a node has from 1 to "
           + std::to_string(s.most_threads) + " threads";
  return {};
}

std::string name_taken(const std::string& name) {
  return "a node with the name " + name + " is here already: give it another one, --fmap-name";
}

}  // namespace fmap::remote
