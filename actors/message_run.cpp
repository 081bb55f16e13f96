// SPDX-License-Identifier: BSD-3-Clause
// A run whose items arrive in messages, and whose outcomes leave in messages.

#include "actors/message_run.hpp"

#include <utility>

#include <caf/actor_cast.hpp>

#include <fmap/errors.hpp>

namespace fmap::actors {

void weak_bell::ring() noexcept {
  caf::actor to;
  {
    std::lock_guard guard{mutex_};
    to = caf::actor_cast<caf::actor>(who_);
  }
  if (to) post(to, wake{});
}

/// The input of such a run: it has the one item that was brought to it.
class message_run::hand_over final : public detail::input {
public:
  bool pull(chunk& c, std::uint32_t& filled, std::uint32_t /*end*/,
            const std::atomic<std::uint32_t>& /*flush_every*/) override {
    if (const place_item* place = std::exchange(item, nullptr)) {
      try {
        (*place)(c.at(filled));
        c.state(filled).store(detail::slot_state::item, std::memory_order_release);
        ++filled;
      } catch (...) {
        error = std::current_exception();
      }
    }
    return true;
  }

  const place_item* item = nullptr;
  std::exception_ptr error;
};

message_run::message_run(std::shared_ptr<detail::pool_core> pool, bool own_pool,
                         const run_limits& limits, std::shared_ptr<detail::job> work)
    : pool_{std::move(pool)}, own_pool_{own_pool} {
  auto input = std::make_unique<hand_over>();
  input_ = input.get();
  run_ = pool_->box->open(limits, std::move(work), std::move(input), bell_);
  pool_->box->next(*run_, span_);  // there is nothing yet; from now on the bell rings
}

bool message_run::push(const place_item& place) {
  input_->item = &place;
  pool_->box->pull(*run_, true);
  if (input_->error) std::rethrow_exception(std::exchange(input_->error, nullptr));
  return std::exchange(input_->item, nullptr) == nullptr;
}

void message_run::finish() { pool_->box->detach_source(*run_, nullptr); }

caf::error message_run::cut() const {
  try {
    pool_->box->throw_if_cut(*run_);
  } catch (...) {
    return error_of(std::current_exception());
  }
  return {};
}

void message_run::abandon() {
  if (!run_) return;
  shared_mailbox::abandon(pool_->box, std::exchange(run_, nullptr));
  if (own_pool_) pool_->let_run_out();
  pool_.reset();
}

caf::error error_of(const std::exception_ptr& e) {
  return caf::make_error(caf::sec::runtime_error, detail::describe(e));
}

}  // namespace fmap::actors
