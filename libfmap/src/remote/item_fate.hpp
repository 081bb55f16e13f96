// SPDX-License-Identifier: BSD-3-Clause
// What a node says of an item that has neither a value nor an exception.
#pragma once

#include <cstdint>
#include <exception>

#include <fmap/errors.hpp>

#include "src/remote/kernel.hpp"

namespace fmap::remote {

/// The first byte of an outcome.
enum class outcome_kind : std::uint8_t {
  value,
  exception,
  died,    ///< the process that ran it; it is to blame
  lost,    ///< with its process, and is not to blame
  expired  ///< it ran for too long
};

/// The last three as they lie in an outcome.
struct item_fate {
  outcome_kind kind = outcome_kind::lost;
  mark seen = mark::unseen;  // of a lost one: how far it got
  worker_death death{};

  /// What the pool's ledger is told.
  mark judged() const {
    switch (kind) {
      case outcome_kind::died: return mark::running;
      case outcome_kind::expired: return mark::expired;
      default: break;
    }
    switch (seen) {
      case mark::finished:
      case mark::interrupted:
      case mark::unknown: return seen;  // the last one in a call with others, and tried alone next
      default: return mark::unseen;
    }
  }
};

template <class Inspector>
auto inspect(Inspector& f, item_fate& x) {
  worker_death& d = x.death;
  return f(x.kind, x.seen, d.signal, d.exit_code, d.host, d.pid, d.reason);
}

/// How an item of a relayed run ends with its process: thrown instead of the error, which it holds.
struct relayed_end {
  casualty::reason why;
  mark seen;
  std::exception_ptr error;
};

}  // namespace fmap::remote
