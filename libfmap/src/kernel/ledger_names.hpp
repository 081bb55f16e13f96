// SPDX-License-Identifier: BSD-3-Clause
// The ledger's words, as the rest of the kernel uses them; and what the kernel and the typed edge share.
#pragma once

#include <chrono>

#include <fmap/detail/job.hpp>

#include "src/kernel/ledger.hpp"

namespace fmap::kernel {

using detail::chunk;
using detail::input;
using detail::job;
using detail::progress;
using clock = std::chrono::steady_clock;

/// As many items as there are.
inline constexpr std::uint32_t any_number = 1u << 30;

}  // namespace fmap::kernel

namespace fmap::actors {

using namespace kernel;

}  // namespace fmap::actors
