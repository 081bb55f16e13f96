// SPDX-License-Identifier: BSD-3-Clause
// Where nodes dial in.

#include "src/remote/door/door.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <utility>

#include <fmap/errors.hpp>

#include "src/kernel/pool_port.hpp"
#include "src/kernel/remote_port.hpp"
#include "src/kernel/supervisor_port.hpp"
#include "src/remote/door/objection.hpp"
#include "src/remote/plain_text.hpp"

namespace fmap::remote {

namespace {

/// It looks so often whether the pool has a use for nodes.
constexpr std::chrono::milliseconds look_every{50};

/// From the call to the end of the handshake.
constexpr std::chrono::seconds time_to_shake{5};

/// So many may be waiting to be let in, and so many of one host.
constexpr std::size_t most_callers = 512, most_of_a_host = 64;

/// Calls that are taken in one turn.
constexpr int most_at_once = 64;

constexpr std::chrono::seconds files_looked_at_every{1};

}  // namespace

door::door(std::shared_ptr<shared_mailbox> box, std::shared_ptr<node_shared> shared)
    : box_{std::move(box)}, shared_{std::move(shared)}, listener_{std::move(shared_->door)} {}

void door::run() {
  while (!kernel::remote_port{*box_}.may_leave()) {
    wait();
    now_ = clock::now();
    for (caller& c : callers_) answer(c);
    end_late_ones();
    look_after_files();
    look_after_nodes();
  }
}

/// Hears what callers say, and takes calls.
void door::wait() {
  fds_.assign(1, {listener_->fd(), POLLIN, 0});
  for (const caller& c : callers_) fds_.push_back(c.wants());
  const bool something = ::poll(fds_.data(), fds_.size(), static_cast<int>(look_every.count())) > 0;
  if (!something) return;
  std::size_t i = 1;
  for (caller& c : callers_)
    if (fds_[i++].revents != 0) c.go_on();
  if (fds_[0].revents != 0) accept();
}

void door::accept() {
  for (int i = 0; i != most_at_once; ++i) {
    auto next = listener_->accept();
    if (!next) return;
    make_room(next->host);
    try {
      callers_.emplace_back(std::move(*next), shared_->settings.tls.get(), clock::now());
    } catch (const std::exception&) {
      // There is no memory for it: it finds the connection closed, and comes again.
    }
  }
}

/// When there are too many, whoever has said nothing for the longest time has to go: of that host if it has too many.
void door::make_room(const std::string& host) {
  const auto of_host = [&](const caller& c) { return c.host() == host; };
  const bool crowd =
      static_cast<std::size_t>(std::count_if(callers_.begin(), callers_.end(), of_host))
      >= most_of_a_host;
  if (!crowd && callers_.size() < most_callers) return;
  const auto may_go = [&](const caller& c) { return !crowd || of_host(c); };
  auto victim = std::find_if(callers_.begin(), callers_.end(),
                             [&](const caller& c) { return may_go(c) && !c.has_spoken(); });
  if (victim == callers_.end()) victim = std::find_if(callers_.begin(), callers_.end(), may_go);
  tell_refused(*victim, "too many at once", "too many who dial in have not said who they are");
  callers_.erase(victim);
}

void door::answer(caller& c) {
  if (c.now() != caller::state::waiting) return;
  if (std::string why = objection(c.who(), shared_->settings); !why.empty())
    return refuse(c, why.starts_with("it runs another program") ? "another program" : "impossible",
                  {std::move(why)});
  const auto& names = c.names();
  if (shared_->settings.bind_names
      && std::find(names.begin(), names.end(), c.who().name) == names.end())
    return refuse(c, "name not in its certificate",
                  {"its certificate is not for the name " + c.who().name});
  std::string certificate;
  for (const std::string& name : names) certificate += (certificate.empty() ? "" : ", ") + name;
  const auto& who = c.who();
  const auto admitted = shared_->roster.admit({.name = who.name,
                                               .host = who.host,
                                               .from = c.from(),
                                               .certificate = std::move(certificate),
                                               .pid = who.pid,
                                               .incarnation = who.incarnation});
  using kind = node_roster::admission::kind;
  switch (admitted.what) {
    case kind::ghost: return;  // its last life ends, and then it is let in
    case kind::taken: return refuse(c, "name taken", {name_taken(who.name)});
    case kind::full:
      return refuse(c, "too many nodes",
                    {"there are " + std::to_string(shared_->settings.most_nodes)
                         + " nodes here already, as many as may be",
                     true});
    case kind::let_in: break;
  }
  shared_->guests.push({admitted.place, c.leave(), who, c.from()});
  if (kernel::supervisor_port{*box_}.add_worker()) return;
  shared_->guests.take_back();
  shared_->roster.ends(admitted.place, node_event_kind::lost, "the pool has ended");
}

void door::refuse(caller& c, const std::string& kind, const frames::refused& answer) {
  c.refuse(answer);
  tell_refused(c, kind, answer.why);
}

/// Those who are over, and those who take too long.
void door::end_late_ones() {
  for (auto it = callers_.begin(); it != callers_.end();) {
    const auto age = now_ - it->begun();
    const bool late = it->now() == caller::state::shaking ? age > time_to_shake
                                                          : age > shared_->settings.join_timeout;
    if (!it->why().empty()) tell_refused(*it, it->why(), it->why());
    if (late && it->now() != caller::state::over)
      tell_refused(*it, "silent",
                   "it has not said who it is within "
                       + in_seconds(std::chrono::duration_cast<std::chrono::nanoseconds>(age)));
    if (late || it->now() == caller::state::over)
      it = callers_.erase(it);
    else
      ++it;
  }
}

void door::tell_refused(const caller& c, const std::string& kind, const std::string& why) {
  shared_->roster.refused(
      kind, c.host(),
      {node_event_kind::refused, plain_text(c.who().name, 256), {}, plain_text(why), c.from()});
}

/// Certificates are renewed while the pool runs.
void door::look_after_files() {
  if (shared_->settings.tls == nullptr || now_ - files_looked_at_ < files_looked_at_every) return;
  files_looked_at_ = now_;
  if (const std::string wrong = shared_->settings.tls->refresh(); !wrong.empty())
    std::fprintf(stderr, "%s; the ones before stay\n", wrong.c_str());
}

/// Without a node for too long the pool is broken.
void door::look_after_nodes() {
  const auto& most = shared_->settings.no_nodes_timeout;
  if (!most) return;
  if (shared_->roster.ready() != 0) nodes_seen_ = now_;
  if (now_ - nodes_seen_ <= *most) return;
  const std::string why = shared_->roster.troubles();
  kernel::pool_port{*box_}.break_up(std::make_exception_ptr(
      error{"fmap: no node was ready for " + in_seconds(*most) + (why.empty() ? "" : ": ") + why}));
}

}  // namespace fmap::remote
