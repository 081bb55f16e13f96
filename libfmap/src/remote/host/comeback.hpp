// SPDX-License-Identifier: BSD-3-Clause
// A node that has lost its pool begins anew: the same process, the same program, nothing else.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

namespace fmap::remote {

/// All that one life of a node leaves to the next. A value.
struct heritage {
  using clock = std::chrono::steady_clock;

  std::array<std::uint64_t, 2> incarnation{};
  clock::time_point begun{};  ///< the first life
  clock::time_point alone{};  ///< since then it has been without a pool
  std::uint32_t tries = 0;    ///< to find one, in vain, since then

  bool operator==(const heritage&) const = default;
};

std::string to_text(const heritage&);
/// What makes no sense is nobody's: a new one.
heritage parse_heritage(const std::string& text);

/// How long to wait before the next try: twice as long each time, up to 30 s; of that a random part, `random` being from
/// 0 to 1, so that nodes that have lost their pool together do not come together.
std::chrono::milliseconds pause_before(std::uint32_t tries, double random);

/// What a life before this one has left; called once, first. Ends what that has left running. `argv` is main's; `leaves`
/// is not 0 once this node has been asked to leave.
heritage& inherit(char** argv, const std::atomic<int>& leaves);

/// Executes this program again, with what is in inherit() now, or exits if the node has been asked to leave. For any
/// thread; the others end where they are.
[[noreturn]] void begin_anew();

/// The same, when the pool has been lost just now; and when it has asked this node to come later.
[[noreturn]] void come_again();
[[noreturn]] void come_later();

}  // namespace fmap::remote
