// SPDX-License-Identifier: BSD-3-Clause
// A run whose items arrive in messages, and whose outcomes leave in messages.

#include "actors/message_run.hpp"

#include <utility>

#include <caf/actor_cast.hpp>

#include <fmap/errors.hpp>

#include "src/kernel/pool_port.hpp"

namespace fmap::actors {

void weak_bell::ring() noexcept {
  caf::actor to;
  {
    std::lock_guard guard{mutex_};
    to = caf::actor_cast<caf::actor>(who_);
  }
  if (to) patiently([&] { post(to, wake{}); });
}

namespace {

/// Items are brought to such a run; but they come, and go, as those that are pulled.
class nothing_to_pull final : public detail::input {
public:
  bool pull(chunk&, std::uint32_t&, std::uint32_t, const std::atomic<std::uint32_t>&) override {
    return true;
  }
};

}  // namespace

message_run::message_run(std::shared_ptr<detail::pool_core> pool, bool own_pool,
                         const run_limits& limits, std::shared_ptr<detail::job> work)
    : pool_{std::move(pool)}, own_pool_{own_pool}, run_{pool_port{*pool_->box}.open(
                                                       limits, std::move(work),
                                                       std::make_unique<nothing_to_pull>(),
                                                       bell_)} {
  sink_port{*pool_->box}.next(*run_, span_);  // there is nothing yet; from now on the bell rings
}

bool message_run::borrow_slots() {
  brought_ = source_port{*pool_->box}.lend(*run_);
  if (brought_.in == nullptr) return false;
  bell_->ring();
  return true;
}

void message_run::queue() {
  if (brought_.in != nullptr)
    source_port{*pool_->box}.give_back(*run_, std::exchange(brought_, {}));
}

void message_run::finish() {
  queue();
  source_port{*pool_->box}.detach(*run_, nullptr);
}

caf::error message_run::cut() const {
  try {
    sink_port{*pool_->box}.throw_if_cut(*run_);
  } catch (...) {
    return error_of(std::current_exception());
  }
  return {};
}

void message_run::abandon(const doorbell_ptr& left) {
  if (!run_) return;
  sink_port::abandon(pool_->box, run_, left);
  queue();  // what has been brought is dropped, too
  run_.reset();
  if (own_pool_) pool_->let_run_out();
  pool_.reset();
}

caf::error error_of(const std::exception_ptr& e) {
  return caf::make_error(caf::sec::runtime_error, detail::describe(e));
}

}  // namespace fmap::actors
