// SPDX-License-Identifier: BSD-3-Clause
// A command whose standard input and output are the connection.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "src/remote/hearsay.hpp"
#include "src/remote/peer.hpp"
#include "src/remote/spawned_process.hpp"

namespace fmap::remote {

/// Runs `/bin/sh -c COMMAND` in a process group of its own, which is ended with it. Nobody sees how far it gets with
/// an item. Its standard error is this program's. Meant for nodes: their agent survives what an item does.
class command_peer final : public peer {
public:
  /// `environment` is all of it.
  command_peer(std::string command, std::vector<std::string> environment)
      : command_{std::move(command)}, environment_{std::move(environment)} {}

  std::unique_ptr<stream> start() override;
  witness& seen_by() override { return nobody_; }
  std::uint32_t capacity() const noexcept override { return any_number; }
  int end_fd() const noexcept override { return process_ ? process_->end_fd() : -1; }
  void kill() noexcept override;
  void terminate() noexcept override;
  worker_death reap() override;
  std::string description() const override { return command_; }

private:
  const std::string command_;
  const std::vector<std::string> environment_;
  hearsay nobody_{mark::unseen};
  std::optional<spawned_process> process_;
};

}  // namespace fmap::remote
