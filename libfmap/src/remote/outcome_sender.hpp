// SPDX-License-Identifier: BSD-3-Clause
// Outcomes of one run, from a worker process to its pool.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <fmap/detail/remote_job.hpp>

#include "src/remote/flight_recorder.hpp"
#include "src/remote/uplink.hpp"

namespace fmap::remote {

/// The sink of a run: sends its outcomes as they become ready, in the thread that rings.
class outcome_sender final : public doorbell {
public:
  /// `there`: the run's id in the pool.
  outcome_sender(uplink& back, flight_recorder& flight, std::shared_ptr<shared_mailbox> box,
                 run_id there)
      : back_{back}, flight_{flight}, box_{std::move(box)}, there_{there} {}

  void serve(run_ptr, detail::remote_job&);

  /// Returns when nobody is sending any more; goes before the run's close.
  void stop();
  void ring() noexcept override;

  /// An item at this place in the recorder ends with this error.
  void refuse(std::uint64_t index, std::uint32_t place, std::exception_ptr);

private:
  void send(const outcome_span&);
  void append(chunk&, std::uint32_t i);
  void encode(chunk&, std::uint32_t i, detail::slot_state held);
  void encode_error(const std::exception_ptr&);
  void post(std::uint64_t first, std::chrono::nanoseconds each);

  uplink& back_;
  flight_recorder& flight_;
  const std::shared_ptr<shared_mailbox> box_;
  const run_id there_;
  std::mutex mutex_;
  run_ptr run_;
  detail::remote_job* work_ = nullptr;
  std::string bytes_;  // outcomes that are about to be sent
  std::vector<std::uint32_t> sizes_;
};

}  // namespace fmap::remote
