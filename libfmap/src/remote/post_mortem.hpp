// SPDX-License-Identifier: BSD-3-Clause
// What follows from the end of a peer: who is to blame, and which errors say so.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>

#include <fmap/errors.hpp>

#include "src/remote/kernel.hpp"
#include "src/remote/worker_exit.hpp"

namespace fmap::remote {

/// What its session knows of a peer that is gone.
struct peer_life {
  bool started = false;      // there was one
  bool greeted = false;      // it ran this program
  bool ready = false;        // its initializer, if any, had run
  bool proven = false;       // it had sent outcomes
  bool blameless = false;    // its end is our doing
  bool nonsense = false;     // it had sent some
  bool working = false;      // it had begun something that it held, and may have died of it
  bool pool_broken = false;  // nothing will be executed again
  bool out_of_memory = false;
  std::optional<item_id> expired{};  // it was killed for this item's sake
  std::optional<item_range> call{};  // or for another one's of these
  std::optional<std::uint64_t> address_space_limit{};
  std::string program{};  // what was started
};

/// Decides, and does nothing. A value.
class post_mortem {
public:
  /// `death`: what the operating system says of it.
  post_mortem(peer_life life, worker_death death);

  enum class cause : std::uint8_t {
    not_the_pools,  ///< an item is to blame, or it was to end
    not_started,    ///< it could not be started, or found no threads or no memory to start with
    outside         ///< it died outside any item
  };
  cause why() const { return why_; }

  /// With all that is known of its reason.
  const worker_death& death() const { return death_; }

  /// For a pool that cannot go on like this.
  std::exception_ptr cannot_start() const;
  std::exception_ptr keeps_dying() const;

  /// What to think of an item that it held, and of which the witness says this.
  mark judge(const item_id&, mark seen) const;

  /// The error of an item that ends with it; `limit`: its item_timeout.
  std::exception_ptr error_of(const casualty&, mark seen, std::chrono::nanoseconds limit) const;

private:
  std::string reason() const;

  peer_life life_;
  worker_death death_;
  cause why_;
};

}  // namespace fmap::remote
