// SPDX-License-Identifier: BSD-3-Clause
// A stream to another machine: it begins with a preamble in both directions.

#include "src/remote/link/link_stream.hpp"

#include <cstring>
#include <utility>

namespace fmap::remote {

std::size_t preamble_search::feed(std::string_view bytes) {
  const std::size_t before = text_.size();
  text_.append(bytes);
  const std::size_t at = text_.find(preamble);
  if (at == std::string::npos) {
    noise_ += bytes.size();
    return bytes.size();
  }
  found_ = true;
  text_.resize(at);
  return at + preamble.size() - before;
}

// A line has an end, which the beginning of a preamble has not.
bool preamble_search::next_line(std::string& line) {
  const std::size_t end = text_.find('\n');
  if (end != std::string::npos) {
    line = text_.substr(0, end);
    text_.erase(0, end + 1);
    return true;
  }
  if (text_.empty() || !(found_ || hopeless())) return false;
  line = std::exchange(text_, {});
  return true;
}

stream::moved link_stream::read_some(char* to, std::size_t size) {
  const moved n = bytes_->read_some(to, size);
  if (n <= 0 || search_.found()) return n;
  const std::size_t used = search_.feed({to, static_cast<std::size_t>(n)});
  for (std::string line; search_.next_line(line);)
    if (tell_) tell_(line);
  if (search_.hopeless()) return gone;
  std::memmove(to, to + used, static_cast<std::size_t>(n) - used);
  return n - static_cast<moved>(used);
}

stream::moved link_stream::write_some(const char* from, std::size_t size) {
  while (!to_write_.empty()) {
    const moved n = bytes_->write_some(to_write_.data(), to_write_.size());
    if (n <= 0) return n;
    to_write_.remove_prefix(static_cast<std::size_t>(n));
  }
  return bytes_->write_some(from, size);
}

}  // namespace fmap::remote
