// SPDX-License-Identifier: BSD-3-Clause
// Outcomes of one run, from a node to its pool.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "src/remote/kernel.hpp"
#include "src/remote/uplink.hpp"

namespace fmap::remote {

/// The sink of a run on a node: passes its outcomes on as they become ready, in the thread that rings.
class relay_sender final : public doorbell {
public:
  /// `there`: the run's id in the pool. `largest`: bytes of an outcome. `broken` is called when the pool here is.
  relay_sender(uplink& back, std::shared_ptr<shared_mailbox> box, run_id there,
               std::uint64_t largest, std::function<void()> broken)
      : back_{back}, box_{std::move(box)}, there_{there}, largest_{largest}, broken_{std::move(
                                                                                 broken)} {}

  void serve(run_ptr);

  /// Returns when nobody is sending any more.
  void stop();
  void ring() noexcept override;

private:
  void send(const outcome_span&);
  bool append(const std::string& outcome);
  void post(std::uint64_t first, std::chrono::nanoseconds each);

  uplink& back_;
  const std::shared_ptr<shared_mailbox> box_;
  const run_id there_;
  const std::uint64_t largest_;
  const std::function<void()> broken_;
  std::mutex mutex_;
  run_ptr run_;
  std::string bytes_;  // outcomes that are about to be sent
  std::vector<std::uint32_t> sizes_;
};

}  // namespace fmap::remote
