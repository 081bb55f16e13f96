// SPDX-License-Identifier: BSD-3-Clause
// The way back from a worker process.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include <fmap/detail/remote_job.hpp>

#include "actors/node/connection.hpp"
#include "actors/node/recorder.hpp"
#include "src/kernel/shared_mailbox.hpp"

namespace fmap::actors {

/// An exception for the other side, which learns where it was thrown.
std::string encode_here(const std::exception_ptr&);

/// Writes frames to the pool, for all threads of a worker process. Once the pool is gone the process ends.
class way_back {
public:
  explicit way_back(int fd);

  /// Gathers frames; they leave with the next flush() at the latest.
  void post(frame kind, std::string_view head, std::string_view body);
  void flush();

  void send(frame kind, std::string_view content) {
    post(kind, content, {});
    flush();
  }

private:
  const pid_t process_ = ::getpid();
  std::mutex mutex_;
  connection line_;
};

/// The sink of a run: sends its outcomes as they become ready, in the thread that rings.
class outcome_sender final : public doorbell {
public:
  /// `there`: the run's id in the pool.
  outcome_sender(way_back& back, recorder& flight, std::shared_ptr<shared_mailbox> box,
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

  way_back& back_;
  recorder& flight_;
  const std::shared_ptr<shared_mailbox> box_;
  const run_id there_;
  std::mutex mutex_;
  run_ptr run_;
  detail::remote_job* work_ = nullptr;
  std::string bytes_;  // outcomes that are about to be sent
  std::vector<std::uint32_t> sizes_;
};

}  // namespace fmap::actors
