// SPDX-License-Identifier: BSD-3-Clause
// How workers are spoken to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "tool/worker/protocol.hpp"

namespace fmap::tool {

struct worker_options {
  protocol_kind kind = protocol_kind::lines;
  std::string answer_end;            // the line that ends an answer; empty: each line is one
  std::size_t depth = 0;             // items that are given ahead; 0: what lasts a millisecond
  std::uint64_t items = 0;           // after which a worker is replaced; 0: never
  std::uint64_t memory = 0;          // that it may take before it is; 0: any
  std::optional<std::string> ready;  // the line that it begins with
  unsigned deaths = 3;               // alone, after which an item is given up
  bool retries_timeouts = false;     // they are not final
  bool json_items = false;
  std::uint64_t buffer_bytes = 64u << 20;  // of answers that wait, before no more is asked
};

}  // namespace fmap::tool
