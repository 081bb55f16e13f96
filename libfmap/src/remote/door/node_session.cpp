// SPDX-License-Identifier: BSD-3-Clause
// A node as its pool sees it: the loop.

#include "src/remote/door/node_session.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <utility>

#include <poll.h>

#include "src/remote/door/guest_peer.hpp"
#include "src/remote/link/link_stream.hpp"
#include "src/remote/link/sockets.hpp"
#include "src/remote/plain_text.hpp"

namespace fmap::remote {

namespace {

/// A node for which so many bytes wait is sent no more items.
constexpr std::size_t enough_waiting = 4u << 20;

/// Of what a login shell prints so much is borne.
constexpr std::size_t most_noise = 1u << 16;

/// Until it has joined it is looked after so often whether it is wanted at all.
constexpr int longest_until_joined = 100;

/// A node that was let go and does not end is killed after so long.
constexpr std::chrono::seconds time_to_quit{10};

}  // namespace

node_session::node_session(std::shared_ptr<shared_mailbox> box, std::shared_ptr<node_shared> shared,
                           std::size_t place, std::unique_ptr<peer> other)
    : box_{std::move(box)}, shared_{std::move(shared)}, place_{place}, peer_{std::move(other)},
      time_to_join_{shared_->settings.launch[place].boot_timeout} {}

node_session::node_session(std::shared_ptr<shared_mailbox> box, std::shared_ptr<node_shared> shared,
                           guest g)
    : box_{std::move(box)}, shared_{std::move(shared)}, place_{g.place},
      peer_{std::make_unique<guest_peer>(g.from)}, line_{std::move(g.line)},
      time_to_join_{shared_->settings.join_timeout}, who_{std::move(g.who)} {}

node_session::~node_session() = default;

node_end node_session::live() {
  try {
    start();
    while (exchange()) {}
  } catch (const std::exception& e) {
    end(node_end::kind::lost, e.what());
  }
  conclude();
  return end_;
}

void node_session::start() {
  started_ = true;
  if (line_) {
    tune(line_->bytes().read_fd(), std::chrono::nanoseconds{shared_->settings.welcome.silence});
    let_in();
    return;
  }
  const auto tell = [name = "fmap: node " + std::to_string(place_ + 1)](const std::string& line) {
    std::fprintf(stderr, "%s: %s\n", name.c_str(), plain_text(line).c_str());
  };
  line_ = std::make_unique<connection>(
      std::make_unique<link_stream>(peer_->start(), most_noise, tell), other_end::peer);
  line_->limit(frames::longest_hello);
}

/// One turn: waits for something to do and does it. False: this life is over.
bool node_session::exchange() {
  if (!wait()) return false;
  if (end_.how != node_end::kind::open) return false;
  if (port_.broken()) return end(node_end::kind::left, "the pool is broken");
  if (!look() || !obey()) return false;
  if (transfer_) {
    transfer_->tidy_up();
    take();
    finish_in_time();
    report();
  }
  if (line_->flush()) return true;
  read_all();
  return connection_ended();
}

int node_session::pause() { return beats_ ? beats_->pause(now()) : longest_until_joined; }

/// Waits until there may be something to do, and reads what the node has said. False: it has ended.
bool node_session::wait() {
  pollfd fds[] = {{line_->bytes().read_fd(), POLLIN, 0},
                  {bell_->fd(), POLLIN, 0},
                  {peer_->end_fd(), POLLIN, 0},
                  {-1, POLLOUT, 0}};
  if (line_->waiting() != 0) fds[3].fd = line_->bytes().write_fd();
  const int longest = transfer_ ? pause() : std::min(pause(), longest_until_joined);
  const int n = ::poll(fds, 4, longest);
  const int error = n < 0 ? errno : 0;
  watched_.look(clock::now(), std::chrono::milliseconds{longest});
  if (error == EINTR) return true;
  if (error != 0) return end(node_end::kind::lost, "it cannot be waited for");
  if (fds[1].revents != 0) bell_->reset();
  if (fds[2].revents != 0) {
    read_all();
    return connection_ended();
  }
  if (fds[0].revents == 0) return true;
  const std::size_t before = line_->arrived();
  const bool more = line_->fill();
  if (beats_ && line_->arrived() != before) beats_->heard(now());
  if (!read()) return end(node_end::kind::lost, "it sent what is no message");
  return more || connection_ended();
}

/// After its end, what it had sent is still there to be read.
void node_session::read_all() {
  for (;;) {
    const std::size_t before = line_->arrived();
    const bool more = line_->fill();
    const bool something = line_->arrived() != before;
    if (!read() || !more || !something) return;
  }
}

bool node_session::read() {
  return line_->each([this](frames::kind kind, wire::reader& r) { return receive(kind, r); });
}

/// Signs of life, and what follows when there are none. False: this life is over.
bool node_session::look() {
  if (!transfer_) {
    if (port_.may_leave()) return end(node_end::kind::left, "the pool has no use for it any more");
    if (now() > time_to_join_)
      return end(node_end::kind::not_started,
                 "it has not joined within " + in_seconds(time_to_join_));
  }
  if (!beats_) return true;
  if (beats_->silent(now()))
    return end(node_end::kind::lost,
               "it was silent for "
                   + in_seconds(beat::duration{shared_->settings.welcome.silence}));
  if (quitting_ && now() - *quitting_ > time_to_quit)
    return end(node_end::kind::left, "it was let go, and did not end");
  if (beats_->due(now())) line_->send(beats_->next(now()));
  return true;
}

/// Does what the pool's user has asked for. False: this life is over.
bool node_session::obey() {
  const node_roster::wish wish = shared_->roster.wished(place_);
  if (wish.drop) return end(node_end::kind::left, "it was dropped");
  if (wish.cut) return end(node_end::kind::lost, "it has lost its connection, and comes again");
  if (wish.leave && beats_)
    line_->send(frames::leave{
        static_cast<std::uint64_t>(std::max(*wish.leave, std::chrono::nanoseconds{0}).count())});
  return true;
}

void node_session::take() {
  const bool quiet = beats_->quiet(now());
  if (std::exchange(quiet_, quiet) != quiet) shared_->roster.quiet(place_, quiet);
  if (quiet || leaving_) return port_.rest();
  while (!quitting_ && line_->waiting() < enough_waiting) {
    const parcel p = port_.take(any_number);
    if (!p) return;
    transfer_->send(p);
  }
}

/// Lets the node go when there is nothing for it any more.
void node_session::finish_in_time() {
  if (quitting_ || !held().empty() || !(leaving_ || port_.may_leave())) return;
  quitting_ = now();
  line_->send(frames::quit{!leaving_ && !shared_->send_home});
}

void node_session::report() {
  shared_->roster.tells(
      place_, {beats_->round_trip(), held().size(), transfer_->done(), transfer_->deaths()});
}

bool node_session::connection_ended() {
  gone_ = end_.how == node_end::kind::open;
  return end(node_end::kind::lost, "its connection ended");
}

/// False, for who returns it. Only the first reason counts.
bool node_session::end(node_end::kind how, std::string why) {
  if (end_.how == node_end::kind::open) {
    end_ = {quitting_ || leaving_ ? node_end::kind::left : how, std::move(why)};
    if (leaving_) end_.why = why_it_leaves_ + (held().empty() ? "" : "; " + end_.why);
    if (!transfer_ && end_.how == node_end::kind::lost) end_.how = node_end::kind::not_started;
  }
  return false;
}

}  // namespace fmap::remote
