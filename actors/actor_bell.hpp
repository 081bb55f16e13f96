// SPDX-License-Identifier: BSD-3-Clause
// The doorbell of an actor: a small message.
#pragma once

#include <caf/actor.hpp>

#include "actors/kernel_names.hpp"
#include "actors/protocol.hpp"
#include "src/kernel/doorbell.hpp"

namespace fmap::actors {

template <class Message>
class actor_bell final : public doorbell {
public:
  explicit actor_bell(caf::actor who) : who_{std::move(who)} {}
  void ring() noexcept override {
    patiently([this] { post(who_, Message{}); });
  }

private:
  caf::actor who_;
};

}  // namespace fmap::actors
