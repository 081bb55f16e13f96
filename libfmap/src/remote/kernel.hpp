// SPDX-License-Identifier: BSD-3-Clause
// The names of the kernel that the remote side uses.
#pragma once

#include "actors/shared_mailbox.hpp"

namespace fmap::remote {

using actors::casualty;
using actors::chunk;
using actors::doorbell;
using actors::doorbell_ptr;
using actors::job;
using actors::mark;
using actors::outcome_span;
using actors::parcel;
using actors::run;
using actors::run_id;
using actors::run_ptr;
using actors::shared_mailbox;
using actors::spinner;
using clock = actors::clock;

/// An item of a run.
struct item_id {
  run_id run = 0;
  std::uint64_t index = 0;

  auto operator<=>(const item_id&) const = default;
};

}  // namespace fmap::remote
