// SPDX-License-Identifier: BSD-3-Clause
// How a worker works: pulls for others, takes, executes, settles, looks.
#pragma once

#include "src/kernel/visit.hpp"

namespace fmap::kernel {

/// Works as long as there is something.
void work_all(worker&, visit&);

/// Works as long as a task waits for something that nobody else is at.
void work_as_reserve(worker&, visit&);

}  // namespace fmap::kernel
