// SPDX-License-Identifier: BSD-3-Clause
// Actors that a test plays: they note what they are sent, as text, and do what they are told.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/protocol.hpp"
#include "support/caf_testing.hpp"
#include "support/eventually.hpp"

namespace testing {

/// Something for a puppet to do, in its own thread.
struct command {
  std::function<void(caf::event_based_actor*)> what;
};

}  // namespace testing

CAF_BEGIN_TYPE_ID_BLOCK(fmap_tests, caf::first_custom_type_id + 500)
CAF_ADD_TYPE_ID(fmap_tests, (testing::command))
CAF_END_TYPE_ID_BLOCK(fmap_tests)

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(testing::command)

namespace testing {

inline const bool command_is_known = fmap::actors::announce_types<caf::id_block::fmap_tests>();

/// What was heard, a line each.
using lines = std::vector<std::string>;

inline std::string with_reason(const char* what, const caf::error& reason) {
  return reason ? std::string{what} + ": " + text_of(reason) : what;
}

/// "7", "demand 4", "failure 2 boom", "end", "end: the reason", "stop", "refused: why".
inline std::string text_of(const caf::message& m) {
  if (m.empty()) return "nothing";
  if (m.match_elements<int>()) return std::to_string(m.get_as<int>(0));
  if (m.match_elements<std::string>()) return m.get_as<std::string>(0);
  if (m.match_elements<fmap::demand>())
    return "demand " + std::to_string(m.get_as<fmap::demand>(0).n);
  if (m.match_elements<fmap::failure>()) {
    const auto& f = m.get_as<fmap::failure>(0);
    return "failure " + std::to_string(f.index) + ' ' + f.what;
  }
  if (m.match_elements<fmap::end>()) return with_reason("end", m.get_as<fmap::end>(0).reason);
  if (m.match_elements<fmap::stop>()) return with_reason("stop", m.get_as<fmap::stop>(0).reason);
  if (m.match_elements<caf::error>()) return "refused: " + text_of(m.get_as<caf::error>(0));
  if (m.match_elements<fmap::attach_source>()) return "attach_source";
  return "something else";
}

/// Knows whether and why an actor has ended, without keeping it alive.
class obituary {
public:
  explicit obituary(const caf::actor& who) {
    at_end_of(who, [n = notes_](const caf::error& reason) {
      std::lock_guard guard{n->mutex};
      n->reason = text_of(reason);
    });
  }

  bool alive() const { return !reason(); }

  /// Empty text: a normal end.
  std::optional<std::string> reason() const {
    std::lock_guard guard{notes_->mutex};
    return notes_->reason;
  }

  /// The same, after its end; "alive" if that does not come.
  std::string awaited() const {
    eventually([this] { return !alive(); });
    return reason().value_or("alive");
  }

private:
  struct notes {
    std::mutex mutex;
    std::optional<std::string> reason;
  };
  std::shared_ptr<notes> notes_ = std::make_shared<notes>();
};

/// What the reason of an end says in addition if it was for want of a handle.
inline const std::string no_handle =
    ": nobody has a handle to it any more, keep one until it has ended";

/// How somebody ends.
enum class death { normal, error, exit_message };

inline void die_now(caf::event_based_actor* self, death how) {
  if (how == death::exit_message)
    caf::anon_send_exit(self, caf::exit_reason::kill);
  else if (how == death::error)
    self->quit(caf::make_error(caf::sec::runtime_error, "ill"));
  else
    self->quit();
}

/// What somebody says who has been told of such an end: a normal one is an error, too, if it was early.
inline std::string reason_of(death how, const std::string& whose) {
  switch (how) {
    case death::normal: return "fmap: " + whose + " ended before its work was done";
    case death::error: return "ill";
    default: return "kill";
  }
}

class puppet {
public:
  explicit puppet(caf::actor_system& system)
      : me_{system.spawn([n = notes_](caf::event_based_actor* self) -> caf::behavior {
          note_unhandled(self, [n](const caf::message& m) { n->add(text_of(m)); });
          return {[self](const command& c) { c.what(self); }};
        })},
        obituary_{me_} {}
  ~puppet() { caf::anon_send_exit(me_, caf::exit_reason::kill); }
  puppet(const puppet&) = delete;
  puppet& operator=(const puppet&) = delete;

  const caf::actor& actor() const { return me_; }
  bool alive() const { return obituary_.alive(); }
  void dies(death how) {
    if (how == death::exit_message)
      caf::anon_send_exit(me_, caf::exit_reason::kill);
    else
      fmap::actors::post(me_, command{[how](caf::event_based_actor* self) { die_now(self, how); }});
  }

  /// Sends in its name, from the calling thread.
  template <class Message>
  void tells(const caf::actor& to, Message m) {
    fmap::actors::send_as(me_, to, caf::make_message(std::move(m)));
  }

  /// Sends a request, and notes the answer.
  template <class Message>
  void asks(const caf::actor& to, Message m) {
    fmap::actors::post(me_, command{[to, m, n = notes_](caf::event_based_actor* self) {
                         fmap::actors::request(self, to, m)
                             .then([n](int answer) { n->add("answer " + std::to_string(answer)); },
                                   [n](caf::error& e) { n->add("refused: " + text_of(e)); });
                       }});
  }

  /// All that has been sent to it since the last call.
  lines heard() {
    std::lock_guard guard{notes_->mutex};
    return std::exchange(notes_->heard, {});
  }

  /// The same after n lines.
  lines heard(std::size_t n) {
    eventually([&] { return lines_so_far() >= n; });
    return heard();
  }

  std::size_t lines_so_far() const {
    std::lock_guard guard{notes_->mutex};
    return notes_->heard.size();
  }

private:
  struct notes {
    void add(std::string line) {
      std::lock_guard guard{mutex};
      heard.push_back(std::move(line));
    }
    std::mutex mutex;
    lines heard;
  };

  std::shared_ptr<notes> notes_ = std::make_shared<notes>();
  caf::actor me_;
  obituary obituary_;
};

}  // namespace testing
