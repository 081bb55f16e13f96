// SPDX-License-Identifier: BSD-3-Clause
// The kernel's words, as the actors use them.
#pragma once

namespace fmap::kernel {}

namespace fmap::actors {

using namespace kernel;

}  // namespace fmap::actors
