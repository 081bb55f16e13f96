// SPDX-License-Identifier: BSD-3-Clause
// Actors whose user code runs on other threads, and who are seen to end after it.

#include "actors/lingering_actor.hpp"

#include <atomic>
#include <cstdio>
#include <mutex>
#include <utility>

namespace fmap::actors {

namespace {

/// Tells those who watch an actor that is no more of its end, when its user code has returned.
class last_rites final : public doorbell, public std::enable_shared_from_this<last_rites> {
public:
  last_rites(caf::attachable_ptr observers, caf::error reason)
      : observers_{std::move(observers)}, reason_{std::move(reason)} {}

  /// At once if it has been rung; else an actor does it, for which the system waits.
  void proceed(caf::actor_system&);

  void ring() noexcept override {
    caf::actor to;
    {
      std::lock_guard guard{mutex_};
      rung_ = true;
      to = std::exchange(mourner_, nullptr);
    }
    if (to) post(to, wake{});
  }

  void perform() {
    for (auto* o = observers_.get(); o != nullptr; o = o->next.get())
      o->actor_exited(reason_, nullptr);
    observers_.reset();
  }

private:
  caf::attachable_ptr observers_;
  const caf::error reason_;
  std::mutex mutex_;
  bool rung_ = false;
  caf::actor mourner_;
};

class mourner final : public caf::event_based_actor {
public:
  mourner(caf::actor_config& config, std::shared_ptr<last_rites> rites)
      : caf::event_based_actor{config}, rites_{std::move(rites)} {}
  const char* name() const override { return "fmap.mourner"; }
  caf::behavior make_behavior() override {
    return {[this](wake) {
      rites_->perform();
      quit();
    }};
  }

private:
  const std::shared_ptr<last_rites> rites_;
};

void last_rites::proceed(caf::actor_system& system) {
  {
    std::lock_guard guard{mutex_};
    if (!rung_) {
      mourner_ = system.spawn<mourner>(shared_from_this());
      forget_logger();
      return;
    }
  }
  perform();
}

}  // namespace

/// Keeps an actor alive until its user code has returned, and tells it then.
class lingering_actor::return_bell final : public doorbell {
public:
  explicit return_bell(caf::actor who) : who_{std::move(who)} {}
  void ring() noexcept override {
    if (!rung.exchange(true)) post(std::exchange(who_, nullptr), wake{});
  }

  std::atomic<bool> rung{false};

private:
  caf::actor who_;
};

std::string mismatch(const std::string& items, const chain_link& receiver) {
  if (receiver.takes.empty()) return receiver.what + " takes no items: it cannot be a downstream";
  if (items.empty() || items == receiver.takes) return {};
  return "the upstream sends items of type " + items + ", and " + receiver.what + " takes "
         + receiver.takes;
}

caf::error no_sender(const chain_link& x) {
  return caf::make_error(caf::sec::invalid_argument,
                         "fmap: " + x.what + " sends no items: it cannot be an upstream");
}

lingering_actor::lingering_actor(caf::actor_config& config, chain_link link)
    : droppable_actor{config}, link_{std::move(link)} {}

enqueued lingering_actor::enqueue(caf::mailbox_element_ptr m, executing_unit* by) {
  if (const auto& content = m->content(); !m->mid.is_response()) {
    caf::message instead;
    if (content.match_elements<caf::exit_msg>()) {
      const auto& exit = content.get_as<caf::exit_msg>(0);
      instead = caf::make_message(end_order{exit.reason, exit.source, false});
    } else if (content.match_elements<caf::error>()) {
      instead = caf::make_message(end_order{content.get_as<caf::error>(0),
                                            caf::actor_cast<caf::actor_addr>(m->sender), true});
    }
    if (!instead.empty()) {
      auto sender = m->sender;
      const auto id = m->mid;
      m = element_of(std::move(sender), id, std::move(instead));
    }
  }
  return droppable_actor::enqueue(std::move(m), by);
}

caf::behavior lingering_actor::behaves(const caf::message_handler& own) {
  const caf::message_handler all{[this](const end_order& l) {
    if (l.by_error ? !obeys(l.who) : !l.reason) return;
    if (!l.by_error) unlink_from(l.who);
    end_with(l.reason);
  }};
  return caf::behavior{all.or_else(own)};
}

void lingering_actor::end_with(caf::error reason) {
  if (std::exchange(ending_, true)) return;
  reason_ = std::move(reason);
  const auto left = std::make_shared<return_bell>(caf::actor{this});
  left_ = left;
  linger();
  let_go(reason_, left);
}

/// While user code runs, nothing is done any more; but who comes now shall not wait for its end.
void lingering_actor::linger() {
  const auto why = [this] { return end_of(reason_, link_.what); };
  become(caf::behavior{
      [this](wake) {
        const auto left = left_.lock();
        if (!left || left->rung) quit(reason_);
      },
      [this, why](const send_to& x) { actors::send(this, x.downstream, end{why()}); },
      [this, why](const attach_sink&) {
        if (const auto who = sender_of_message(this)) actors::send(this, who, end{why()});
      },
      [this, why](const attach_source&) {
        if (const auto who = sender_of_message(this)) actors::send(this, who, stop{why()});
      },
  });
  drop_the_rest(this);
}

void lingering_actor::dropped() {
  if (ending_) return;
  if (at_work())
    std::fprintf(
        stderr,
        "fmap: %s ended before its work was done, because nobody has a handle to it any more; "
        "keep one until it has ended\n",
        link_.what.c_str());
  give_notice(caf::make_error(caf::exit_reason::unreachable));
}

/// The actor itself cannot wait: its neighbours are told now, others later.
void lingering_actor::give_notice(const caf::error& reason) {
  ending_ = nameless_ = true;
  caf::attachable_ptr observers;
  exclusive_critical_section([&] { observers.swap(attachables_head_); });
  for (auto* o = observers.get(); o != nullptr; o = o->next.get())
    if (auto* w = dynamic_cast<actors::watch*>(o)) w->at_end(reason);
  const auto rites = std::make_shared<last_rites>(std::move(observers), reason);
  let_go(reason, rites);
  rites->proceed(home_system());
}

// An exception of fmap's own may end it, too.
void lingering_actor::on_exit() {
  if (!ending_) give_notice(fail_state());
}

}  // namespace fmap::actors
