// SPDX-License-Identifier: BSD-3-Clause
// The differences between the CAF versions that fmap supports, 0.17.6 and 1.1 or newer.
#pragma once

#include <chrono>
#include <mutex>
#include <utility>

#include <caf/actor_registry.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/attachable.hpp>
#include <caf/config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/init_global_meta_objects.hpp>
#include <caf/logger.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/send.hpp>
#include <caf/type_id.hpp>

#ifdef CAF_VERSION_MAJOR
#  define FMAP_CAF_1 1
#  include <caf/anon_mail.hpp>
#else
#  define FMAP_CAF_1 0
#endif

#if !FMAP_CAF_1
#  include <caf/atom.hpp>
#  include <caf/detail/private_thread.hpp>
#  include <caf/meta/type_name.hpp>
#endif

namespace fmap::actors {

/// The base of actors that are spawned with threads of their own. In CAF 0.17 an actor that ends leaves its
/// system's registry first and then puts an order into the clock's queue, which has 64 places and, when the
/// last actor has left the registry, soon nobody who empties it: many that end at once could fill it, and the
/// system would wait for the rest for ever. These end one by one.
class detached_actor : public caf::event_based_actor {
public:
  using caf::event_based_actor::event_based_actor;

#if !FMAP_CAF_1
  /// Where its thread cannot be created, CAF leaves behind an actor that counts as running for ever. This one
  /// ends (on_exit() is called) before the exception is passed on.
  void launch(caf::execution_unit* host, bool lazy, bool hide) override {
    try {
      caf::event_based_actor::launch(host, lazy, hide);
    } catch (...) {
      if (private_thread_ == nullptr) throw;
      on_exit();
      cleanup(caf::exit_reason::unreachable, host);
      delete std::exchange(private_thread_, nullptr);
      system().dec_detached_threads();
      caf::intrusive_ptr_release(ctrl());  // the thread's
      throw;
    }
  }

  bool cleanup(caf::error&& reason, caf::execution_unit* host) override {
    // Recursive: an actor may hold the last reference to another. Never destroyed: actors end at exit, too.
    static auto& one_by_one = *new std::recursive_mutex;
    std::lock_guard guard{one_by_one};
    return caf::event_based_actor::cleanup(std::move(reason), host);
  }
#endif
};

/// What CAF passes along while an actor runs.
#if FMAP_CAF_1
using executing_unit = caf::scheduler;
using enqueued = bool;
#else
using executing_unit = caf::execution_unit;
using enqueued = void;
#endif

/// What is to be done when an actor ends.
class epilogue : public caf::attachable {
public:
  virtual void at_end(const caf::error& reason) = 0;
  void actor_exited(const caf::error& reason, executing_unit*) final { at_end(reason); }
};

/// The base of actors that have something to do when nobody has a handle to them any more, before others
/// are told of their end.
class droppable_actor : public caf::event_based_actor {
public:
  using caf::event_based_actor::event_based_actor;

#if FMAP_CAF_1
  void on_unreachable() override {
    dropped();
    caf::event_based_actor::on_unreachable();
  }
#else
  void on_destroy() override {
    if (!getf(is_cleaned_up_flag)) dropped();
    caf::event_based_actor::on_destroy();
  }
#endif

protected:
  virtual void dropped() = 0;
};

/// From now on an actor drops messages that it has no handler for, as one that has ended does.
inline void drop_the_rest(caf::event_based_actor* self) {
#if FMAP_CAF_1  // which would have everybody handle these among the other messages
#  pragma GCC diagnostic push
#  pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  self->set_default_handler([](caf::scheduled_actor* me, caf::message&) -> caf::skippable_result {
    if (me->current_message_id().is_request())
      return caf::make_error(caf::sec::request_receiver_down);
    return caf::message{};
  });
#  pragma GCC diagnostic pop
#else
  self->set_default_handler([](caf::scheduled_actor* me, caf::message_view&) {
    return me->current_message_id().is_request()
               ? caf::result<caf::message>{caf::sec::request_receiver_down}
               : caf::result<caf::message>{caf::message{}};
  });
#endif
}

inline caf::mailbox_element_ptr element_of(caf::strong_actor_ptr sender, caf::message_id id,
                                           caf::message content) {
#if FMAP_CAF_1
  return caf::make_mailbox_element(std::move(sender), id, std::move(content));
#else
  return caf::make_mailbox_element(std::move(sender), id, {}, std::move(content));
#endif
}

/// Gives no answer to a message that is no request. In CAF 1 a promise that is dropped counts as broken, and the
/// sender gets an error message.
inline void answer_nothing([[maybe_unused]] caf::response_promise& promise) {
#if FMAP_CAF_1
  promise.deliver();
#endif
}

/// Sends a message from nobody.
template <class Handle, class Message>
void post(const Handle& to, Message message) {
#if FMAP_CAF_1
  caf::anon_mail(std::move(message)).send(to);
#else
  caf::anon_send(to, std::move(message));
#endif
}

/// Sends a message whose type is only known at run time, in the name of an actor.
inline void send_as(const caf::actor& from, const caf::actor& to, caf::message content) {
  auto sender = caf::actor_cast<caf::strong_actor_ptr>(from);
#if FMAP_CAF_1
  to->enqueue(
      caf::make_mailbox_element(std::move(sender), caf::make_message_id(), std::move(content)),
      nullptr);
#else
  to->enqueue(std::move(sender), caf::make_message_id(), std::move(content), nullptr);
#endif
}

inline void send(caf::event_based_actor* self, const caf::actor& to, caf::message content) {
  send_as(caf::actor{self}, to, std::move(content));
}

template <class Message>
void send(caf::event_based_actor* self, const caf::actor& to, Message content) {
  send(self, to, caf::make_message(std::move(content)));
}

/// Sends a request, which fails when there is no answer within the limit, if there is one; the result has a
/// member `then(on_value, on_error)`.
template <class Handle, class Message>
auto request(caf::event_based_actor* self, const Handle& to, Message content,
             std::chrono::nanoseconds limit = {}) {
  const bool limited = limit > limit.zero() && limit < std::chrono::hours{24 * 365 * 100};
#if FMAP_CAF_1
  return self->mail(std::move(content))
      .request(to, limited ? caf::timespan{limit} : caf::timespan{caf::infinite});
#else
  return self->request(to, limited ? caf::duration{limit} : caf::duration{caf::infinite},
                       std::move(content));
#endif
}

/// Sends an actor a message to itself after a while.
template <class Message>
void post_later(caf::event_based_actor* self, std::chrono::nanoseconds delay, Message message) {
#if FMAP_CAF_1
  self->mail(std::move(message)).delay(delay).send(self);
#else
  self->delayed_send(self, delay, std::move(message));
#endif
}

/// Drops what CAF leaves behind in a thread that spawned an actor: a reference to the system's logger. CAF
/// 0.17's system would wait in its destructor until the thread ends; CAF 1.1's, if it is destroyed after the
/// main thread's thread-locals, would drop that reference a second time.
inline void forget_logger() {
#if FMAP_CAF_1
  caf::logger::current_logger(nullptr);
#else
  caf::logger::set_current_actor_system(nullptr);
#endif
}

/// Settings for an actor system of fmap's own: its pools have threads of their own, so the scheduler
/// hardly has anything to do, and it must not poll.
inline void configure(caf::actor_system_config& config) {
#if FMAP_CAF_1
  config.set("caf.scheduler.policy", "sharing");
  config.set("caf.scheduler.max-threads", 1);
#else
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", 1);
#endif
}

/// Makes a block of message types known where that must happen before the first configuration exists.
template <class Block>
bool announce_types() {
#if FMAP_CAF_1
  caf::core::init_global_meta_objects();
  caf::init_global_meta_objects<Block>();
#endif
  return true;
}

/// Makes a block of message types known to a configuration.
template <class Block>
void add_types([[maybe_unused]] caf::actor_system_config& config) {
#if FMAP_CAF_1
  announce_types<Block>();
#else
  config.add_message_types<Block>();
#endif
}

/// For `inspect` overloads: a type's name and its members, in either dialect.
template <class Inspector, class T, class... Member>
auto inspect_members(Inspector& f, T& x, const char* name, Member T::*... members) {
#if FMAP_CAF_1
  return f.object(x).pretty_name(name).fields(f.field("", x.*members)...);
#else
  (void)name;
  return f(x.*members...);
#endif
}

}  // namespace fmap::actors
