// SPDX-License-Identifier: BSD-3-Clause
// The handle: a pool as an actor that answers requests.
#pragma once

#include <deque>
#include <memory>
#include <unordered_map>

#include <caf/response_promise.hpp>

#include <fmap/detail/stage_types.hpp>

#include "actors/lingering_actor.hpp"
#include "actors/message_run.hpp"

namespace fmap::actors {

/// Has a pool work on the items that it is sent, at most `buffersize` at a time, and answers each with the
/// result. It lives as long as somebody has a handle to it or waits for an answer, and does not mind error
/// messages: it belongs to all who use it. A message that is no request gets no answer if the function
/// returns nothing.
class handle final : public lingering_actor {
public:
  /// `patient`: a request for which there is no room waits for it.
  handle(caf::actor_config&, std::unique_ptr<message_run>,
         std::shared_ptr<const detail::stage_types>, bool patient);

  const char* name() const override { return "fmap.handle"; }
  caf::behavior make_behavior() override;

private:
  /// Who waits for what has become of an item.
  struct asker {
    caf::response_promise promise;
    bool requested = true;  // not a plain message
  };

  struct waiting {
    std::shared_ptr<detail::arrival> item;
    asker from;
  };

  void let_go(const caf::error&, doorbell_ptr left) override;
  bool obeys(const caf::actor_addr&) const override { return false; }
  bool at_work() const override { return false; }
  void receive(detail::arrival&);
  void push(detail::arrival&, asker);
  void answer(asker&, detail::chunk&, std::uint32_t offset);
  void fail(asker&, const caf::error&);
  void work();
  void stay_alive();

  std::unique_ptr<message_run> run_;
  const std::shared_ptr<const detail::stage_types> types_;
  const std::uint64_t buffersize_;
  const bool patient_;
  const bool answers_nothing_;
  std::uint64_t next_ = 0;                           // index of the next item
  std::unordered_map<std::uint64_t, asker> askers_;  // by index
  std::deque<waiting> waiting_;
  caf::actor self_;  // as long as somebody waits for an answer
};

}  // namespace fmap::actors
