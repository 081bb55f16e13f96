// SPDX-License-Identifier: BSD-3-Clause
// A worker process as its pool sees it: like one worker with a larger capacity.

#include "actors/node/stub.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fmap/detail/exception_codec.hpp>
#include <fmap/detail/program_fingerprint.hpp>
#include <fmap/detail/remote_job.hpp>
#include <fmap/errors.hpp>

namespace fmap::actors {

namespace {

using detail::remote_job;
using detail::slot_state;

/// Items in the hands of one process, at most.
constexpr std::uint32_t capacity_per_thread = 8192, largest_capacity = recorder::size / 4;
constexpr std::size_t frame_size = 1u << 20, enough_waiting = 4u << 20;
constexpr int buffer_size = 1 << 20;

remote_job& remote(job& work) { return dynamic_cast<remote_job&>(work); }

std::pair<int, int> socket_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw std::system_error{errno, std::generic_category(), "fmap: no socket for a worker process"};
  for (const int end : ends)
    ::setsockopt(end, SOL_SOCKET, SO_SNDBUF, &buffer_size, sizeof buffer_size);
  return {ends[0], ends[1]};
}

}  // namespace

bool restart_budget::spend() {
  std::lock_guard guard{mutex_};
  const auto now = clock::now();
  while (!deaths_.empty() && now - deaths_.front() > window_) deaths_.pop_front();
  deaths_.push_back(now);
  return deaths_.size() <= restarts_;
}

/// Wakes a thread that polls.
class stub::bell final : public doorbell {
public:
  bell() : fd_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
    if (fd_ < 0)
      throw std::system_error{errno, std::generic_category(),
                              "fmap: no eventfd for a worker process"};
  }
  ~bell() override { ::close(fd_); }
  bell(const bell&) = delete;
  bell& operator=(const bell&) = delete;

  void ring() noexcept override {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t n = ::write(fd_, &one, sizeof one);
  }
  void reset() noexcept {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t n = ::read(fd_, &count, sizeof count);
  }
  int fd() const noexcept { return fd_; }

private:
  const int fd_;
};

stub::stub(std::shared_ptr<shared_mailbox> box, std::shared_ptr<const node_settings> settings,
           std::shared_ptr<restart_budget> budget)
    : box_{std::move(box)}, settings_{std::move(settings)}, budget_{std::move(budget)},
      bell_{std::make_shared<bell>()} {
  place_.supervised = true;
  box_->join_remote(place_, bell_, settings_->threads,
                    std::min(largest_capacity, capacity_per_thread * settings_->threads));
}

stub::~stub() = default;

// -- life -------------------------------------------------------------------------

void stub::live() {
  try {
    const auto [ours, theirs] = socket_pair();
    line_.emplace(ours);
    try {
      child_.emplace(theirs, recorder_.fd(), settings_->environment);
    } catch (...) {
      ::close(theirs);
      throw;
    }
    ::close(theirs);
    line_->send(frame::setup, [&](wire::writer& w) {
      w.apply(settings_->threads);
      w.apply(settings_->initializer);
      w.apply(settings_->nice);
      w.apply(settings_->address_space_limit);
    });
  } catch (...) {
    box_->break_up(std::current_exception());
    bury();
    return;
  }
  while (exchange()) {}
  bury();
}

/// One turn: waits for something to do and does it. False: the process has ended.
bool stub::exchange() {
  pollfd fds[] = {
      {line_->fd(), POLLIN, 0}, {bell_->fd(), POLLIN, 0}, {child_->end_fd(), POLLIN, 0}};
  if (line_->waiting() != 0) fds[0].events |= POLLOUT;
  if (::poll(fds, child_->end_fd() >= 0 ? 3 : 2, patience()) < 0 && errno != EINTR) return false;
  const bool ended = fds[2].revents != 0;
  if (fds[1].revents != 0) bell_->reset();
  if (fds[0].revents != 0 || ended) {
    // After its end, what it had sent is still there to be read.
    bool more = true;
    do {
      const std::size_t before = line_->arrived();
      more = line_->fill();
      const bool something = line_->arrived() != before;
      if (!line_->each([this](frame kind, wire::reader& r) { return receive(kind, r); }))
        return false;
      if (!something) break;
    } while (more && ended);
    if (!more || ended) return false;
  }
  if (box_->broken()) {
    blameless_ = true;
    return false;
  }
  recall_stopped();
  take();
  watch();
  if (!quitting_ && holdings_.empty() && (place_.retired || box_->may_leave())) {
    quitting_ = blameless_ = true;
    line_->send(frame::quit);
  }
  return line_->flush();
}

/// Milliseconds until something has to be looked after; -1: never.
int stub::patience() const {
  std::chrono::nanoseconds least = std::chrono::nanoseconds::max();
  for (const holding& h : holdings_)
    if (h.of->limits.item_timeout.count() != 0) least = std::min(least, h.of->limits.item_timeout);
  if (least == std::chrono::nanoseconds::max()) return -1;
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(least / 8).count();
  return static_cast<int>(std::clamp<std::int64_t>(ms, 1, 100));
}

/// The process is gone: decides on all it held.
void stub::bury() {
  worker_death death;
  bool blamed = false;
  if (child_) {
    if (!quitting_) child_->kill_if_alive();
    death = child_->reap();
    blamed = anything_running();
  }
  const bool broken = box_->broken() != nullptr;
  if (child_ && !broken && !blameless_ && !blamed && !expired_ && !budget_->spend())
    box_->break_up(std::make_exception_ptr(
        error{"fmap: worker processes keep dying outside any item; the last: "
              + detail::describe(death)}));
  const auto limit = [&](const casualty& c) {
    for (const holding& h : holdings_)
      if (h.of->id == c.item.run) return h.of->limits.item_timeout;
    return std::chrono::nanoseconds{};
  };
  box_->lose(
      place_,
      [&](run_id run, std::uint64_t index) {
        return broken ? mark::waiting : state_of(run, index);
      },
      [&](const casualty& c) -> std::exception_ptr {
        if (c.why == casualty::reason::expired)
          return std::make_exception_ptr(item_timeout{c.item.first, limit(c)});
        worker_death d = death;
        if (c.why == casualty::reason::result_lost)
          d.reason += std::string{d.reason.empty() ? "" : "; "}
                      + "the item had finished, but its result had not arrived";
        return std::make_exception_ptr(worker_lost{c.item.first, c.attempts, std::move(d)});
      });
  holdings_.clear();
}

mark stub::state_of(run_id run, std::uint64_t index) {
  if (expired_ && *expired_ == std::pair{run, index}) return mark::expired;
  const holding* h = find(run, index);
  if (h == nullptr) return mark::waiting;
  const auto offset = static_cast<std::uint32_t>(index - h->first);
  switch (recorder_.at(h->place + offset)->load(std::memory_order_acquire)) {
    case slot_state::item: return mark::waiting;
    case slot_state::running: return mark::running;
    default: return mark::finished;
  }
}

bool stub::anything_running() const {
  return std::any_of(holdings_.begin(), holdings_.end(), [&](const holding& h) {
    for (std::uint32_t i = 0; i != h.count; ++i)
      if (h.is_open[i] && *recorder_.at(h.place + i) == slot_state::running) return true;
    return false;
  });
}

// -- what comes in ----------------------------------------------------------------

/// False: it makes no sense, and the process is not to be trusted any more.
bool stub::receive(frame kind, wire::reader& r) {
  progress_at_ = clock::now();
  switch (kind) {
    case frame::hello: return greet(r);
    case frame::outcomes: return outcomes(r);
    case frame::returned: return returned(r);
    case frame::broken: {
      const std::exception_ptr why = detail::decode_exception(r);
      if (!why) return false;
      blameless_ = true;
      box_->break_up(why);
      return true;
    }
    default: return false;
  }
}

bool stub::greet(wire::reader& r) {
  std::uint32_t version = 0;
  std::string fingerprint;
  r.apply(version);
  r.apply(fingerprint);
  if (!r.ok() || ready_) return false;
  const std::string& ours = detail::program_fingerprint();
  if (version != detail::protocol_version || fingerprint != ours) {
    blameless_ = true;
    box_->break_up(std::make_exception_ptr(
        error{"fmap: a worker process runs another program: its protocol is "
              + std::to_string(version) + " and its fingerprint " + fingerprint + ", ours are "
              + std::to_string(detail::protocol_version) + " and " + ours}));
    return true;
  }
  return ready_ = true;
}

bool stub::outcomes(wire::reader& r) {
  run_id id = 0;
  std::uint64_t first = 0, ns_each = 0;
  std::uint32_t count = 0;
  r.apply(id);
  r.apply(first);
  r.apply(count);
  r.apply(ns_each);
  if (!r.ok()) return false;
  for (std::uint64_t index = first; index != first + count;) {
    holding* h = find(id, index);
    if (h == nullptr) return false;
    const run_ptr run = h->of;  // not closed as long as the mailbox knows that we hold the item
    remote_job& work = remote(*run->work);
    std::uint32_t n = 0;
    for (; index + n != first + count && index + n != h->end(); ++n) {
      const std::uint64_t at = index + n;
      const std::uint32_t slot = h->in->offset(at);
      if (!h->is_open[at - h->first]) return false;
      try {
        bool failed = false;
        if (!r.apply(failed)) r.throw_if_failed();
        if (failed) {
          const std::exception_ptr error = detail::decode_exception(r);
          if (!error) r.throw_if_failed();
          run->work->fail(*h->in, slot, error);
        } else {
          work.load_value(r, *h->in, slot);
        }
      } catch (...) {
        run->work->fail(*h->in, slot, std::current_exception());
      }
      close_item(*h, at);
    }
    box_->finished(*run, place_.id, index, n, std::chrono::nanoseconds{ns_each} * n);
    index += n;
  }
  forget_empty();
  return true;
}

bool stub::returned(wire::reader& r) {
  run_id id = 0;
  std::uint64_t first = 0;
  std::uint32_t count = 0;
  r.apply(id);
  r.apply(first);
  r.apply(count);
  if (!r.ok()) return false;
  for (std::uint64_t index = first; index != first + count; ++index) {
    holding* h = find(id, index);
    if (h == nullptr || !h->is_open[index - h->first]) return false;
    close_item(*h, index);
    box_->give_back(*h->of, place_.id, index, 1);
  }
  forget_empty();
  return true;
}

stub::holding* stub::find(run_id run, std::uint64_t index) {
  for (holding& h : holdings_)
    if (h.of->id == run && h.first <= index && index < h.end()) return &h;
  return nullptr;
}

void stub::close_item(holding& h, std::uint64_t index) {
  const auto offset = static_cast<std::uint32_t>(index - h.first);
  h.is_open[offset] = false;
  --h.open;
  recorder_.free(h.place + offset);
  if (!running_since_.empty()) running_since_.erase({h.of->id, index});
}

void stub::forget_empty() {
  std::erase_if(holdings_, [](const holding& h) { return h.open == 0; });
}

// -- what goes out ----------------------------------------------------------------

void stub::take() {
  while (ready_ && !quitting_ && !place_.retired && line_->waiting() < enough_waiting) {
    const std::uint64_t left =
        settings_->max_items ? *settings_->max_items - sent_ : shared_mailbox::any_number;
    const parcel p = box_->take(place_, static_cast<std::uint32_t>(std::min<std::uint64_t>(
                                            left, shared_mailbox::any_number)));
    if (!p) return;
    send(p);
    if (settings_->max_items && sent_ == *settings_->max_items) box_->retire(place_);
  }
}

void stub::open(const run_ptr& r) {
  std::erase_if(opened_, [this](const auto& o) {
    if (!o.second.expired()) return false;
    line_->send(frame::close, [&](wire::writer& w) { w.apply(o.first); });
    return true;
  });
  opened_[r->id] = r;
  const remote_job& work = remote(*r->work);
  line_->send(frame::open, [&](wire::writer& w) {
    w.apply(r->id);
    w.apply(std::string{work.key()});
    work.save_function(w);
  });
}

void stub::send(const parcel& p) {
  if (holdings_.empty()) progress_at_ = clock::now();
  if (!opened_.contains(p.of->id)) open(p.of);
  remote_job& work = remote(*p.of->work);
  const std::uint64_t end = p.items.end();
  for (std::uint64_t index = p.items.first; index != end;) {
    // As many as fit into one frame.
    scratch_.clear();
    wire::writer w{scratch_};
    const std::uint64_t first = index;
    for (; index != end && scratch_.size() < frame_size; ++index) {
      const std::size_t before = scratch_.size();
      const std::uint32_t slot = p.in->offset(index);
      try {
        if (work.save_item(w, *p.in, slot)) {
          w.throw_if_failed();
          continue;
        }
      } catch (...) {
        p.of->work->fail(*p.in, slot, std::current_exception());
      }
      scratch_.resize(before);
      break;
    }
    const auto count = static_cast<std::uint32_t>(index - first);
    if (count != 0) {
      const auto place = recorder_.reserve(count);
      if (!place) {
        box_->give_back(*p.of, place_.id, first, static_cast<std::uint32_t>(end - first));
        return;
      }
      line_->send(frame::batch, [&](wire::writer& out) {
        out.apply(p.of->id);
        out.apply(first);
        out.apply(count);
        out.apply(*place);
        out.apply(scratch_);
      });
      holdings_.push_back(
          {p.of, p.in, first, count, count, *place, std::vector<bool>(count, true)});
      sent_ += count;
    }
    if (index != end && scratch_.size() < frame_size) {
      box_->finished(*p.of, place_.id, index, 1);  // this one need not travel, or cannot
      ++index;
    }
  }
}

void stub::recall_stopped() {
  for (holding& h : holdings_) {
    if (h.recalled || !h.of->stopped) continue;
    for (holding& other : holdings_) other.recalled = other.recalled || other.of == h.of;
    line_->send(frame::recall, [&](wire::writer& w) { w.apply(h.of->id); });
  }
}

/// Looks for items that run for too long, and for a process that does nothing with what it has.
void stub::watch() {
  if (patience() < 0 || expired_) return;
  const auto now = clock::now();
  bool running = false;
  std::chrono::nanoseconds limit{};
  for (const holding& h : holdings_) {
    if (h.of->limits.item_timeout.count() == 0) continue;
    limit = std::max(limit, h.of->limits.item_timeout);
    for (std::uint32_t i = 0; i != h.count; ++i) {
      if (!h.is_open[i] || *recorder_.at(h.place + i) != slot_state::running) continue;
      running = true;
      const std::pair item{h.of->id, h.first + i};
      const auto since = running_since_.try_emplace(item, now).first->second;
      if (now - since < h.of->limits.item_timeout) continue;
      expired_ = item;
      child_->kill();
      return;
    }
  }
  if (!running && now - progress_at_ > limit + std::chrono::seconds{1}) child_->kill();
}

}  // namespace fmap::actors
