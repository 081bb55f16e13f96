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
#include <fmap/errors.hpp>

#include "actors/node/program.hpp"
#include "actors/node/standard_streams.hpp"
#include "src/kernel/pool_port.hpp"
#include "src/kernel/remote_port.hpp"
#include "src/kernel/supervisor_port.hpp"

namespace fmap::actors {

namespace {

/// Items in the hands of one process, at most.
constexpr std::uint32_t capacity_per_thread = 8192, largest_capacity = recorder::size / 4;
constexpr std::size_t enough_waiting = 4u << 20;
constexpr int buffer_size = 1 << 20;

/// An item that takes longer than this does not keep others waiting that have been sent after it.
constexpr std::chrono::milliseconds slow_item{10};

/// A process that has nothing to do any more and does not end (somebody has stopped it, say).
constexpr std::chrono::seconds time_to_quit{5};

std::pair<int, int> socket_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw std::system_error{errno, std::generic_category(), "fmap: no socket for a worker process"};
  for (const int end : ends)
    ::setsockopt(end, SOL_SOCKET, SO_SNDBUF, &buffer_size, sizeof buffer_size);
  return {ends[0], ends[1]};
}

}  // namespace

bool restart_budget::spend(clock::time_point started, bool was_ready) {
  constexpr std::chrono::seconds moment{1};
  std::lock_guard guard{mutex_};
  const auto now = clock::now();
  while (!deaths_.empty() && now - deaths_.front() > window_) deaths_.pop_front();
  if (!last_ || started > *last_ || now - *last_ > moment) {
    last_ = now;
    deaths_.push_back(now);
    if (!was_ready) ++never_ready_;
  }
  return deaths_.size() <= restarts_ && never_ready_ <= restarts_;
}

void restart_budget::ready() {
  std::lock_guard guard{mutex_};
  never_ready_ = 0;
}

/// Wakes a thread that polls.
class stub::bell final : public doorbell {
public:
  bell() : fd_{make()} {
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
  static int make() {
    const standard_streams kept;
    return ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  }

  const int fd_;
};

stub::stub(std::shared_ptr<shared_mailbox> box, std::shared_ptr<node_commons> commons)
    : box_{std::move(box)}, commons_{std::move(commons)}, settings_{commons_->settings},
      bell_{std::make_shared<bell>()} {
  place_.supervised = true;
  remote_port{*box_}.join_remote(
      place_, bell_, settings_.threads,
      static_cast<std::uint32_t>(std::min<std::uint64_t>(
          largest_capacity, std::uint64_t{capacity_per_thread} * settings_.threads)));
}

stub::~stub() = default;

// -- life -------------------------------------------------------------------------

void stub::live() {
  std::exception_ptr not_started;
  try {
    start();
  } catch (...) {
    not_started = std::current_exception();
  }
  try {
    while (!not_started && exchange()) {}
  } catch (...) {
    blameless_ = true;
    pool_port{*box_}.break_up(std::current_exception());
  }
  bury(not_started);
}

void stub::start() {
  const standard_streams streams;
  const auto [ours, theirs] = socket_pair();
  line_.emplace(ours, peer::worker_process);
  try {
    held_.emplace(*box_, place_, *line_);
    started_at_ = clock::now();
    child_.emplace(theirs, held_->flight().fd(), settings_.environment, streams);
  } catch (...) {
    ::close(theirs);
    throw;
  }
  ::close(theirs);
  held_->flight().close_fd();
  line_->send(frame::setup, [&](wire::writer& w) {
    w.apply(settings_.threads);
    w.apply(settings_.initializer);
    w.apply(settings_.nice);
    w.apply(settings_.address_space_limit);
  });
}

/// One turn: waits for something to do and does it. False: the process has ended.
bool stub::exchange() {
  pollfd fds[] = {
      {line_->fd(), POLLIN, 0}, {bell_->fd(), POLLIN, 0}, {child_->end_fd(), POLLIN, 0}};
  if (line_->waiting() != 0) fds[0].events |= POLLOUT;
  const int longest = patience();
  const bool there = spin_.wait([&] { return ::poll(fds, 3, 0) > 0; });
  const bool failed = !there && ::poll(fds, 3, longest) < 0;
  watched_.look(clock::now(), std::chrono::milliseconds{std::max(longest, 0)});
  if (failed) return errno == EINTR;
  if (fds[1].revents != 0) bell_->reset();
  if (fds[2].revents != 0) return read_all(), false;
  if ((fds[0].revents & ~POLLOUT) != 0) {
    const bool more = line_->fill();
    if (!read() || !more) return false;
  }
  if (pool_port{*box_}.broken()) {
    blameless_ = true;
    return false;
  }
  held_->tidy_up();
  take();
  unburden();
  watch();
  if (held_->empty()) {
    if (place_.retired) get_up();
    if (!quitting_ && (place_.retired || remote_port{*box_}.may_leave())) {
      quitting_ = watched_.now();
      blameless_ = true;
      line_->send(frame::quit);
    }
  }
  return line_->flush();
}

/// After its end, what it had sent is still there to be read.
bool stub::read_all() {
  for (;;) {
    const std::size_t before = line_->arrived();
    const bool more = line_->fill();
    const bool something = line_->arrived() != before;
    if (!read()) return false;
    if (!more || !something) return true;
  }
}

/// False: what the process sent makes no sense, and it is not to be trusted any more.
bool stub::read() {
  const bool sane = line_->each([this](frame kind, wire::reader& r) { return receive(kind, r); });
  nonsense_ = nonsense_ || !sane;
  return sane;
}

/// Milliseconds until something has to be looked after; -1: never.
int stub::patience() const {
  using std::chrono::milliseconds;
  if (quitting_) return 100;
  const int soon = crowded() ? static_cast<int>(milliseconds{slow_item}.count()) : -1;
  const auto least = held_->timeouts().least;
  if (least.count() == 0) return soon;
  const auto ms =
      std::clamp<std::int64_t>(std::chrono::duration_cast<milliseconds>(least / 8).count(), 1, 100);
  return soon < 0 ? static_cast<int>(ms) : std::min(soon, static_cast<int>(ms));
}

/// As the pool's owner wants its processes to end.
void stub::end_child() {
  switch (commons_->how_to_end) {
    case node_commons::ending::in_order:
      if (!quitting_) child_->kill_if_alive();
      break;
    case node_commons::ending::terminate:
      child_->terminate();
      ::shutdown(line_->fd(), SHUT_RDWR);
      child_->kill_if_alive(time_to_quit);
      break;
    case node_commons::ending::kill: child_->kill();
  }
}

/// What is known of a process' end beyond its signal or exit code.
std::string stub::reason_of(const worker_death& death) {
  const auto& limit = settings_.address_space_limit;
  if (nonsense_)
    return "it had sent what is no message: perhaps something wrote to a descriptor that it does "
           "not own";
  if (limit && (held_->flight().out_of_memory() || !greeted_ || death.exit_code == no_resources))
    return "it had run into its address-space limit of " + std::to_string(*limit) + " bytes";
  if (death.exit_code == no_resources) return "it found no threads or no memory to start with";
  if (!greeted_)
    return "it never got as far as fmap::init of this program, which was started as "
           + this_program().path;
  return death.reason;
}

/// Collects the process, which has ended or is about to.
worker_death stub::end() {
  if (!child_) return {};
  if (nonsense_)
    child_->kill();
  else
    end_child();
  worker_death death = child_->reap();
  death.reason = reason_of(death);
  child_.reset();
  return death;
}

/// The process is gone: decides on all it held.
void stub::bury(std::exception_ptr not_started) {
  const bool started = child_.has_value();
  const worker_death death = end();
  const bool broken = pool_port{*box_}.broken() != nullptr;
  // What it had begun is to blame. One that had proved to work, and had something to do, was just between two items.
  const bool working = held_ && !held_->empty() && (held_->delivered() || held_->begun());
  if (proven_) --commons_->proven;
  const bool out_of_order = started && !broken && !blameless_ && !working && !expired_;
  if (out_of_order && death.exit_code == no_resources)
    not_started = std::make_exception_ptr(
        error{"fmap: worker processes cannot be started; the last: " + detail::describe(death)});
  if (not_started)
    start_failed(not_started);
  else if (out_of_order && !commons_->budget.spend(started_at_, ready_))
    pool_port{*box_}.break_up(std::make_exception_ptr(
        error{"fmap: worker processes keep dying outside any item; the last: "
              + detail::describe(death)}));
  // Whoever learns that this worker has left finds nothing of it.
  line_.reset();
  if (held_) held_->flight().close_fd();
  get_up();
  commons_->places.forget(bell_);
  bell_.reset();
  remote_port{*box_}.lost(
      place_,
      [&](run_id run, std::uint64_t index) {
        return broken ? mark::waiting : state_of({run, index});
      },
      [&](const casualty& c) { return error_of(c, death); });
}

/// That there was no descriptor, no process or no memory may pass; meanwhile others work.
void stub::start_failed(std::exception_ptr why) {
  if (supervisor_port{*box_}.start_failed(settings_.restarts, commons_->proven))
    pool_port{*box_}.break_up(std::move(why));
}

/// It can do what it is there for.
void stub::prove() {
  if (std::exchange(proven_, true)) return;
  ++commons_->proven;
  supervisor_port{*box_}.start_succeeded();
}

mark stub::state_of(const custody::item& item) const {
  if (!held_) return mark::waiting;
  if (expired_ == item) return mark::expired;
  const mark m = held_->state_of(item);
  return expired_ && m != mark::waiting ? mark::interrupted : m;
}

std::exception_ptr stub::error_of(const casualty& c, const worker_death& death) const {
  if (c.why == casualty::reason::expired)
    return std::make_exception_ptr(item_timeout{c.item.first, held_->timeout_of(c.item.run)});
  worker_death d = death;
  const mark m = state_of({c.item.run, c.item.first});
  if (m == mark::interrupted || m == mark::finished)
    d.reason +=
        std::string{d.reason.empty() ? "" : "; "}
        + (m == mark::interrupted ? "it was killed because another item ran for too long"
                                  : "the item had finished, but its result had not arrived");
  return std::make_exception_ptr(worker_lost{c.item.first, c.attempts, std::move(d)});
}

/// False: it makes no sense.
bool stub::receive(frame kind, wire::reader& r) {
  progress_at_ = clock::now();
  advanced_ = watched_.now();
  switch (kind) {
    case frame::hello: return greet(r);
    case frame::started:
      if (!greeted_ || ready_) return false;
      commons_->budget.ready();
      return ready_ = true;
    case frame::outcomes:
      stalled_ = false;
      prove();
      return held_->outcomes(r);
    case frame::returned:
      if (!held_->returned(r)) return false;
      if (held_->empty()) stalled_ = false;
      return true;
    case frame::broken: {
      const std::exception_ptr why = detail::decode_exception(r);
      if (!why) return false;
      blameless_ = true;
      pool_port{*box_}.break_up(why);
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
  if (!r.ok() || greeted_) return false;
  const std::string& ours = detail::program_fingerprint();
  if (version != detail::protocol_version || fingerprint != ours) {
    blameless_ = true;
    pool_port{*box_}.break_up(std::make_exception_ptr(
        error{"fmap: a worker process runs another program: its protocol is "
              + std::to_string(version) + " and its fingerprint " + fingerprint + ", ours are "
              + std::to_string(detail::protocol_version) + " and " + ours}));
    return true;
  }
  return greeted_ = true;
}

void stub::take() {
  while (greeted_ && !quitting_ && !expired_ && !stalled_ && !place_.retired
         && line_->waiting() < enough_waiting) {
    if (!seated_ && !(seated_ = commons_->places.sit(bell_))) return;
    const std::uint64_t left = settings_.max_items ? *settings_.max_items - sent_ : any_number;
    const parcel p = remote_port{*box_}.take(
        place_, static_cast<std::uint32_t>(std::min<std::uint64_t>(left, any_number)));
    if (!p) return;
    if (held_->empty()) {
      progress_at_ = clock::now();
      advanced_ = watched_.now();
    }
    sent_ += held_->send(p);
    if (settings_.max_items && sent_ == *settings_.max_items) remote_port{*box_}.retire(place_);
  }
}

/// Whether it holds items that may have to wait for others.
bool stub::crowded() const { return !stalled_ && held_->size() > settings_.threads; }

/// What has not begun behind a slow item is for somebody else.
void stub::unburden() {
  if (crowded() && clock::now() - progress_at_ >= slow_item && held_->at_work()) {
    stalled_ = true;
    held_->recall_all();
  }
  if (stalled_) remote_port{*box_}.rest(place_);
}

void stub::get_up() {
  if (std::exchange(seated_, false)) commons_->places.get_up();
}

/// Looks for items that run for too long, for a process that does nothing with what it has, and for one
/// that does not end.
void stub::watch() {
  const auto now = watched_.now();
  if (quitting_ && now - *quitting_ > time_to_quit) return child_->kill();
  const auto limits = held_->timeouts();
  if (limits.least.count() == 0 || expired_) return;
  std::map<custody::item, watched_time::duration> running;
  held_->each_running([&](const custody::item& item, std::chrono::nanoseconds limit) {
    const auto seen = running_since_.find(item);
    const auto since = running[item] = seen != running_since_.end() ? seen->second : now;
    if (now - since < limit) return false;
    expired_ = item;
    return true;
  });
  running_since_.swap(running);
  // (An item_timeout may be the longest there is.)
  if (expired_
      || (ready_ && running_since_.empty()
          && now - advanced_ - std::chrono::seconds{1} > limits.most))
    child_->kill();
}

}  // namespace fmap::actors
