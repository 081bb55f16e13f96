// SPDX-License-Identifier: BSD-3-Clause
// The handle: a pool as an actor that answers requests.
#pragma once

#include <deque>
#include <memory>
#include <unordered_map>

#include <caf/response_promise.hpp>

#include <fmap/detail/stage_types.hpp>

#include "actors/message_run.hpp"

namespace fmap::actors {

/// Has a pool work on the items that it is sent, at most so many at a time, and answers each with the
/// result. It lives as long as somebody has a handle to it or waits for an answer.
class handle final : public caf::event_based_actor {
public:
  /// `patient`: a request for which there is no room waits for it.
  handle(caf::actor_config&, std::unique_ptr<message_run>,
         std::shared_ptr<const detail::stage_types>, bool patient);

  const char* name() const override { return "fmap.handle"; }
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  struct waiting {
    std::shared_ptr<detail::arrival> item;
    caf::response_promise answer;
  };

  void receive(detail::arrival&);
  void push(detail::arrival&, caf::response_promise);
  void work();
  void refuse_all(const caf::error&);
  void stay_alive();

  std::unique_ptr<message_run> run_;
  const std::shared_ptr<const detail::stage_types> types_;
  const std::uint64_t buffersize_;
  const bool patient_;
  std::uint64_t next_ = 0;                                            // index of the next item
  std::unordered_map<std::uint64_t, caf::response_promise> answers_;  // by index
  std::deque<waiting> waiting_;
  caf::actor self_;  // as long as somebody waits for an answer
};

}  // namespace fmap::actors
