// SPDX-License-Identifier: BSD-3-Clause
// The names of the kernel that the remote side uses.
#pragma once

#include "src/kernel/remote_port.hpp"
#include "src/kernel/spinner.hpp"

namespace fmap::remote {

using kernel::any_number;
using kernel::casualty;
using kernel::chunk;
using kernel::doorbell;
using kernel::doorbell_ptr;
using kernel::job;
using kernel::mark;
using kernel::outcome_span;
using kernel::parcel;
using kernel::run;
using kernel::run_id;
using kernel::run_ptr;
using kernel::shared_mailbox;
using kernel::spinner;
using clock = kernel::clock;

/// An item of a run.
struct item_id {
  run_id run = 0;
  std::uint64_t index = 0;

  auto operator<=>(const item_id&) const = default;
};

/// The items [first, end) of a run.
struct item_range {
  run_id run = 0;
  std::uint64_t first = 0, end = 0;

  bool holds(const item_id& i) const { return i.run == run && first <= i.index && i.index < end; }
};

}  // namespace fmap::remote
