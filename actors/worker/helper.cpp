// SPDX-License-Identifier: BSD-3-Clause
// What happens while the task that a worker runs waits for something.

#include "actors/worker/helper.hpp"

#include <utility>

#include "src/kernel/worker_port.hpp"

namespace fmap::actors {

bool pool_helper::help_until(detail::parking& place, const deadline& until) {
  if (place.rung()) return true;
  worker_port port{*box_};
  port.block();
  const bool rung = place.wait(until);
  port.unblock();
  return rung;
}

helping::helping(pool_helper& h)
    : helper_before_{std::exchange(detail::current_helper, &h)}, inside_{h.box()} {}

helping::~helping() { detail::current_helper = helper_before_; }

}  // namespace fmap::actors
