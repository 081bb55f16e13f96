// SPDX-License-Identifier: BSD-3-Clause
// What holds whenever the mailbox's mutex is let go; see visit.
#pragma once

#include "src/kernel/shared_mailbox.hpp"

namespace fmap::kernel {

/// V5 and V6. (V2 holds as outside() unlocks before it rings; V3, V4 and V7 are asserted where somebody goes to sleep,
/// where something is put off, and where tokens are granted.)
void assert_invariants(const mailbox_parts&);

}  // namespace fmap::kernel
