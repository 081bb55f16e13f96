// SPDX-License-Identifier: BSD-3-Clause
// A worker process of this machine: this program, started again.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "src/remote/flight_recorder.hpp"
#include "src/remote/peer.hpp"
#include "src/remote/spawned_process.hpp"

namespace fmap::remote {

/// What a worker process is told on its command line: `--fmap-worker=SOCKET,RECORDER`, descriptors.
inline constexpr const char worker_flag[] = "--fmap-worker=";

/// Runs this program's executable, with one end of a socket pair and a flight recorder. It has descriptors 0 to 2 and
/// these two, and no others.
class child_process final : public peer {
public:
  /// `environment` is all of it, and lives longer.
  explicit child_process(const std::vector<std::string>& environment) : environment_{environment} {}

  std::unique_ptr<stream> start() override;
  witness& seen_by() override { return *recorder_; }
  std::uint32_t capacity() const noexcept override { return flight_recorder::size / 4; }
  int end_fd() const noexcept override { return process_ ? process_->end_fd() : -1; }
  void kill() noexcept override;
  void terminate() noexcept override;
  worker_death reap() override;
  std::string description() const override;

private:
  const std::vector<std::string>& environment_;
  std::optional<flight_recorder> recorder_;
  std::optional<spawned_process> process_;
};

}  // namespace fmap::remote
