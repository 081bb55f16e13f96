// SPDX-License-Identifier: BSD-3-Clause
// A node that has dialled in.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "src/remote/hearsay.hpp"
#include "src/remote/peer.hpp"

namespace fmap::remote {

/// Somebody else has started it: it can be cut off, but neither killed nor waited for.
class guest_peer final : public peer {
public:
  explicit guest_peer(std::string from) : from_{std::move(from)} {}

  std::unique_ptr<stream> start() override {
    throw std::logic_error{"fmap: a guest comes by itself"};
  }
  witness& seen_by() override { return nobody_; }
  std::uint32_t capacity() const noexcept override { return any_number; }
  int end_fd() const noexcept override { return -1; }
  void kill() noexcept override {}
  void terminate() noexcept override {}
  worker_death reap() override { return {}; }
  std::string description() const override { return from_; }

private:
  const std::string from_;
  hearsay nobody_{mark::unseen};
};

}  // namespace fmap::remote
