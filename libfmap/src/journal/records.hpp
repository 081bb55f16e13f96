// SPDX-License-Identifier: BSD-3-Clause
// What the records of a journal say.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "src/journal/digest.hpp"

namespace fmap::journals {

/// A map has begun to use the journal.
struct beginning {
  std::string item_type, value_type, function, host;
  std::uint32_t pid = 0;
  std::int64_t time = 0;  // in nanoseconds since the epoch, in UTC
};
template <class Inspector>
auto inspect(Inspector& f, beginning& x) {
  return f(x.item_type, x.value_type, x.function, x.host, x.pid, x.time);
}

/// What became of an item.
struct ending {
  std::uint64_t index = 0;
  digest item;
  bool failed = false;
  bool again = false;  // the item is recorded before, with an error
  std::uint32_t attempts = 1;
  std::int64_t time = 0;
};
template <class Inspector>
auto inspect(Inspector& f, ending& x) {
  return f(x.index, x.item.first, x.item.second, x.failed, x.again, x.attempts, x.time);
}

using record = std::variant<beginning, ending>;

/// Puts a record into `to`, which is emptied before; behind an ending stands the encoded value or error.
void encode(std::string& to, const record&, std::string_view outcome = {});

/// The other way round. `outcome` is a part of `payload`. Throws wire::error.
struct decoded {
  record what;
  std::string_view outcome;
};
decoded decode(std::string_view payload);

}  // namespace fmap::journals
