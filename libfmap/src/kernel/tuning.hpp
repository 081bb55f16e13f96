// SPDX-License-Identifier: BSD-3-Clause
// The numbers of the policies, in one place.
#pragma once

#include <chrono>
#include <cstdint>

namespace fmap::kernel::tuning {

// -- the ledger --------------------------------------------------------------------

/// A batch of a run in which nothing has been measured yet: if nothing is expected either, or at most if something
/// is; and how fast batches may grow from there.
inline constexpr std::uint32_t first_batch = 1, first_expected = 256, growth = 4,
                               largest_batch = 1u << 16;

/// A worker's batches last about this long, unless it says otherwise.
inline constexpr std::chrono::microseconds batch{75};

/// What an item is charged at most in ns while nothing has been measured: it may fill a batch.
inline constexpr double assumed_cost = 75'000;

/// For less than so many nanoseconds of work nobody is to visit; nor for less than so many where there is enough.
inline constexpr double least_batch = 10'000, least_batch_roomy = 20'000;

/// A message should be worth so many nanoseconds; and to be sent takes an item some time, too.
inline constexpr double message_worth = 20'000, least_cost = 50;

/// Of a run's tiny items a message waits at most for this part of the bound.
inline constexpr std::uint64_t message_share = 8;

/// An item that fills so much more than what a worker may hold goes there alone: a second one would only wait.
inline constexpr double lone_from = 10;

/// The measured cost follows changes within about this many items. A lower cost that was expected counts as so many.
inline constexpr double cost_memory = 512, expectation_weight = 8;

/// No cost is lower, in ns.
inline constexpr double lowest_cost = 0.1;

/// An item that may have run is innocent when its worker is lost, until that has happened to it so often.
inline constexpr std::uint32_t innocent_losses = 2;

// -- the ledger: nodes -------------------------------------------------------------

/// A node holds work for at least so long for each of its threads.
inline constexpr std::chrono::microseconds least_hold{600};

/// What a node has finished waits for so long, or for the pool's time for a message times the nodes.
inline constexpr std::chrono::microseconds least_report{500}, report_each{10};

/// An automatic bound follows the nodes up to this.
inline constexpr std::uint64_t largest_bound = 1u << 20;

}  // namespace fmap::kernel::tuning
