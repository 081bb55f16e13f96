// SPDX-License-Identifier: BSD-3-Clause
// The ledger, inside: items leave a worker's hands.
#pragma once

#include <utility>

#include "src/kernel/ledger.hpp"

namespace fmap::kernel {

/// Takes the parts of [first, first + count) that the worker holds out of its hands; `each` says where they go.
template <class Each>
std::uint32_t ledger::release(worker_state& w, account& r, std::uint64_t first, std::uint32_t count,
                              Each&& each) {
  std::uint32_t released = 0;
  w.held.remove(r.id, first, count, [&](const held_span& s) {
    released += s.count;
    each(s);
  });
  w.items -= released;
  held_ -= released;
  r.counts.held -= released;
  if (w.items == 0 && w.now != filling::up) fill(w, filling::up);
  return released;
}

}  // namespace fmap::kernel
