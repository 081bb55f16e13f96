// SPDX-License-Identifier: BSD-3-Clause
// Every number of the kernel's policies: its unit, and why it is what it is.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace fmap::kernel::tuning {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// -- the machine --------------------------------------------------------------

/// To wake a thread costs about this much of its time and its waker's together.
inline constexpr microseconds wake_up{20};

// -- calling ------------------------------------------------------------------

/// A source or consumer is called for this many times what the call costs: a fortieth of the time goes into calls.
inline constexpr int call_share = 40;

/// A worker that was called, or took its batch, longer ago than this may be at a slow item: nobody counts on it.
inline constexpr microseconds soon{100};

// -- the tick -----------------------------------------------------------------

/// The pause between two ticks; the longest one while workers that come by do its work; and the longest one where
/// nothing relies on the tick.
inline constexpr microseconds tick{500}, tick_rare{2000}, tick_longest{16000};

/// The longest pause between two looks for items that are to be tried again.
inline constexpr microseconds retry_look{50'000};

/// A tick leaves alone what has been withheld for less than this.
inline constexpr microseconds withhold_at_most{200};

// -- numbers of workers ------------------------------------------------------

/// A pool that may grow gets one worker more at a time, this long after the one before.
inline constexpr milliseconds adapt_look{5};

/// It grows if this many processors have been idle, on average over a window: the kernel counts their time in
/// hundredths of a second.
inline constexpr double idle_enough = 0.5;
inline constexpr milliseconds idle_window{50};

/// While nothing waits it is looked this many times in an idle_timeout how many workers sleep.
inline constexpr int idle_looks = 8;

/// But at least once in this time: a look that is to come keeps a pool's supervisor in memory.
inline constexpr milliseconds longest_look{1000};

// -- inputs -------------------------------------------------------------------

/// An input at hand is as good as a queue: no more is pulled at a time than lasts the workers for this long.
inline constexpr microseconds look_ahead{200};

/// A source that fills its share of a chunk faster than the first publishes less often, one that takes longer than
/// the second more often.
inline constexpr microseconds quick_fill{20}, slow_fill{50};

/// A visit to an input of fine-grained items is worth while for this part of all tokens.
inline constexpr std::uint64_t enough_tokens_share = 4;

// -- chunks -------------------------------------------------------------------

/// A chunk holds a large batch and no more, in items and in bytes: one item that stays for long keeps its whole
/// chunk from being used again.
inline constexpr std::uint32_t largest_chunk = 256;
inline constexpr std::size_t largest_chunk_bytes = std::size_t{64} * 1024;

/// Of the chunks that a burst of tasks needed this many are kept. A run with a bound keeps all of its own.
inline constexpr std::size_t chunks_kept = 8;

// -- looking ------------------------------------------------------------------

/// A worker looks for this long: by then the threads that share its processor have had their turn. A consumer does
/// not look that long: where it has a processor of its own the workers share the other one, and that must not look
/// busy to the kernel.
inline constexpr microseconds others_turn{25};

/// The long way to look: at least this many looks and at least this much time, which is what a wake-up takes.
inline constexpr int looks = 64;
inline constexpr microseconds look{50};

/// The short way to look: on a processor that nobody else wants it takes hardly any time.
inline constexpr int brief_looks = 4;

/// After long looks in vain the next 1, 3, 7, 15 are skipped, and never more.
inline constexpr int skip_at_most = 15;

/// A looker that was away for longer than a slice, and a turn for each other looker on its processor, has lost the
/// processor to another program.
inline constexpr microseconds slice{1000}, turn{100};

/// Then it does not look for this many times as long, so at most a sixteenth of the time is lost to others.
inline constexpr int keep_for = 16;

/// Whoever was away for longer than this was stopped, and that says nothing about others.
inline constexpr milliseconds longest_slice{100};

/// A mutex is tried this often before its thread sleeps: whoever holds it is done before a sleeper is up.
inline constexpr int mutex_tries = 100;

// -- measuring ----------------------------------------------------------------

/// To items that cost this much one full fence each is nothing, and nobody else need be interrupted for it.
inline constexpr microseconds full_fence_from{1};

/// Items that cost less than this are not worth more than a look at the clock.
inline constexpr microseconds watch_from{10};

/// Of the batches of others the first ones are watched, and later one of so many: to watch an item that sleeps
/// takes a good part of the processor time that it needs.
inline constexpr unsigned watched_first = 64, watch_every = 7;

// -- the bound ----------------------------------------------------------------

/// A bound that the user left open keeps each worker busy for this many batches.
inline constexpr std::uint64_t bound_batches = 4;

/// What this many items cost says little: it is never taken back that a bound was raised.
inline constexpr std::uint64_t first_items = 16;

/// A bound that the user left open begins with this many items for each worker and at least the second number, and
/// grows up to the third.
inline constexpr std::uint64_t items_per_worker = 4, least_automatic_bound = 16,
                               automatic_bound = 1024;

/// A consumer gives tokens back in groups of this part of all.
inline constexpr std::uint64_t token_group_share = 8;

// -- workers ------------------------------------------------------------------

/// This many tasks of a pool may wait at a time, each at the cost of a thread.
inline constexpr std::uint32_t most_blocked = 1000;

/// Where no worker has come by for this long while a task waits for a run that nobody is at, all workers may be at
/// items that wait for that task: the pool gets a reserve.
inline constexpr milliseconds stuck{100};

/// After a failed start the next one is tried after the first pause, and after twice the last one each time up to
/// the longest.
inline constexpr milliseconds first_pause{25}, longest_pause{1000};

/// This many starts in a row in vain, with nobody left who could work, break a pool of threads.
inline constexpr std::size_t starts_in_vain = 5;

// -- processes ----------------------------------------------------------------

/// Messages cost more than visits, so batches that go elsewhere last longer, and some are under way while others
/// are being executed.
inline constexpr microseconds batch_remote{150};
inline constexpr std::uint32_t depth_remote = 4;

// -- guards against overflow --------------------------------------------------

/// This many tokens are worth a call, whatever the items cost; and a bound of more than twice the second number is
/// never filled by fine-grained items.
inline constexpr std::uint64_t most_of_interest = 1u << 20, most_fine = 1u << 20;

// -- the ledger --------------------------------------------------------------------

/// A batch of a run in which nothing has been measured yet: if nothing is expected either, or at most if something
/// is; and how fast batches may grow from there.
inline constexpr std::uint32_t first_batch = 1, first_expected = 256, growth = 4,
                               largest_batch = 1u << 16;

/// A worker's batches last about this long, unless it says otherwise.
inline constexpr microseconds batch{75};

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
inline constexpr microseconds least_hold{600};

/// What a node has finished waits for so long, or for the pool's time for a message times the nodes.
inline constexpr microseconds least_report{500}, report_each{10};

/// What a message to a node has at least: this part of the room that the node has, and nothing is sent for less than
/// this part of what it holds ahead.
inline constexpr std::uint32_t node_message_share = 2, refill_share = 3;

/// An automatic bound follows the nodes up to this.
inline constexpr std::uint64_t largest_bound = 1u << 20;

}  // namespace fmap::kernel::tuning
