// SPDX-License-Identifier: BSD-3-Clause
// A worker process as its pool sees it: the loop.

#include "src/remote/session.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <poll.h>

namespace fmap::remote {

namespace {

/// Items in the hands of one thread of a peer, at most.
constexpr std::uint64_t capacity_per_thread = 8192;

/// A peer for which so many bytes wait is sent no more items.
constexpr std::size_t enough_waiting = 4u << 20;

}  // namespace

session::session(std::shared_ptr<shared_mailbox> box, std::shared_ptr<process_shared> shared,
                 std::unique_ptr<peer> other)
    : box_{std::move(box)}, shared_{std::move(shared)}, peer_{std::move(other)},
      watchdog_{shared_->settings.threads, now()} {
  self_.supervised = true;
  const std::uint32_t threads = shared_->settings.threads;
  port_.join(bell_, threads,
             static_cast<std::uint32_t>(
                 std::min<std::uint64_t>(peer_->capacity(), capacity_per_thread * threads)));
}

session::~session() = default;

void session::live() {
  std::exception_ptr not_started;
  try {
    start();
  } catch (...) {
    not_started = std::current_exception();
  }
  try {
    while (!not_started && exchange()) {}
  } catch (...) {
    life_.blameless = true;
    port_.break_up(std::current_exception());
  }
  conclude(not_started);
}

void session::start() {
  const process_settings& s = shared_->settings;
  started_at_ = clock::now();
  line_.emplace(peer_->start(), other_end::peer);
  started_at_ = clock::now();  // that may have waited for other starts
  life_.started = true;
  transfer_.emplace(port_, *line_, in_transit{peer_->seen_by(), suspects{s.threads}});
  line_->send(frames::setup{s.threads, s.initializer, s.nice, s.address_space_limit});
}

/// One turn: waits for something to do and does it. False: the peer has ended.
bool session::exchange() {
  const heard what = wait();
  if (what != heard::something) return what == heard::nothing;
  if (port_.broken()) {
    life_.blameless = true;
    return false;
  }
  transfer_->tidy_up();
  take();
  watch();
  finish_in_time();
  return line_->flush();
}

/// Waits until there may be something to do, and reads what the peer has said.
session::heard session::wait() {
  pollfd fds[] = {{line_->bytes().read_fd(), POLLIN, 0},
                  {bell_->fd(), POLLIN, 0},
                  {peer_->end_fd(), POLLIN, 0},
                  {-1, POLLOUT, 0}};
  if (line_->waiting() != 0) {
    const int out = line_->bytes().write_fd();
    if (out == fds[0].fd)
      fds[0].events |= POLLOUT;
    else
      fds[3].fd = out;
  }
  const int longest = watchdog_.pause(held());
  const bool there = spin_.wait([&] { return ::poll(fds, 4, 0) > 0; });
  const bool failed = !there && ::poll(fds, 4, longest) < 0;
  watched_.look(clock::now(), std::chrono::milliseconds{std::max(longest, 0)});
  if (failed) return errno == EINTR ? heard::nothing : heard::the_end;
  if (fds[1].revents != 0) bell_->reset();
  if (fds[2].revents != 0) {
    read_all();
    return heard::the_end;
  }
  if ((fds[0].revents & ~POLLOUT) != 0) {
    const bool more = line_->fill();
    if (!read() || !more) return heard::the_end;
  }
  return heard::something;
}

/// After its end, what it had sent is still there to be read.
void session::read_all() {
  for (;;) {
    const std::size_t before = line_->arrived();
    const bool more = line_->fill();
    const bool something = line_->arrived() != before;
    if (!read() || !more || !something) return;
  }
}

/// False: what the peer sent makes no sense, and it is not to be trusted any more.
bool session::read() {
  const bool sane =
      line_->each([this](frames::kind kind, wire::reader& r) { return receive(kind, r); });
  life_.nonsense = life_.nonsense || !sane;
  return sane;
}

watchdog::moment session::now() const { return {clock::now(), watched_.now()}; }

void session::take() {
  const auto& most = shared_->settings.max_items;
  while (life_.greeted && !watchdog_.quitting() && !watchdog_.expired() && !watchdog_.stalled()
         && !port_.retired() && line_->waiting() < enough_waiting) {
    has_slot_ = has_slot_ || shared_->slots.acquire(bell_, port_.capacity());
    const parcel p = port_.take(!has_slot_ ? 0 : most ? *most - sent_ : any_number);
    if (!p && port_.retired())
      transfer_->recall_all();  // there are to be fewer workers: others take what has not begun
    if (!p) return;
    if (held().empty()) watchdog_.progress(now());
    sent_ += transfer_->send(p);
    if (most && sent_ == *most) port_.retire();
  }
}

/// Does what the watchdog says.
void session::watch() {
  const watch_order order = watchdog_.look(now(), held(), life_.ready);
  switch (order.what) {
    case watch_order::kind::nothing: break;
    case watch_order::kind::recall: transfer_->recall_all(); break;
    case watch_order::kind::kill_item:
    case watch_order::kind::kill: peer_->kill(); break;
  }
  if (watchdog_.stalled()) port_.rest();
}

/// Tells the peer to finish when there is nothing for it any more.
void session::finish_in_time() {
  if (!held().empty()) return;
  if (port_.retired()) release_slot();
  if (watchdog_.quitting() || !(port_.retired() || port_.may_leave())) return;
  watchdog_.quit(now());
  life_.blameless = true;
  line_->send(frames::quit{});
}

void session::release_slot() {
  if (std::exchange(has_slot_, false)) shared_->slots.release();
}

}  // namespace fmap::remote
