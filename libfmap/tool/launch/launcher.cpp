// SPDX-License-Identifier: BSD-3-Clause
// The launcher's thread: what it waits for, and what others ask of it.
#include "tool/launch/launcher.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "tool/ui/messages.hpp"

namespace fmap::tool {

namespace {

int checked(int descriptor, const char* what) {
  if (descriptor < 0) throw std::system_error{errno, std::generic_category(), what};
  return descriptor;
}

}  // namespace

launcher::launcher(launch_options options, make_command command, outputs& to,
                   std::function<void()> no_more_input, guard* watched)
    : options_{std::move(options)}, command_{std::move(command)}, to_{to},
      no_more_input_{std::move(no_more_input)}, guard_{watched}, random_{std::random_device{}()} {
  epoll_ = checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  wake_ = checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
  signals_ = checked(::signalfd(-1, &options_.signals, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd");
  null_ = options_.tty ? checked(::open("/dev/tty", O_RDWR | O_CLOEXEC), "--tty")
                       : checked(::open("/dev/null", O_RDONLY | O_CLOEXEC), "/dev/null");
  watch(wake_, tag(0, about::wake));
  watch(signals_, tag(0, about::signals));
  const auto on_room = [this] {
    room_.store(true);
    wake();
  };
  to_.on_room(on_room);
  if (options_.lines != nullptr) options_.lines->on_room(on_room);
  if (!options_.jobs_file.empty()) watch_jobs_file();
  if (options_.deadline) deadline_ = clock::now() + *options_.deadline;
  thread_ = std::thread{[this] { loop(); }};
}

launcher::~launcher() {
  {
    std::lock_guard guard{mutex_};
    terminate_ = leave_ = true;
  }
  wake();
  thread_.join();
  for (const int descriptor : {epoll_, wake_, signals_, null_}) ::close(descriptor);
  if (notified_ >= 0) ::close(notified_);
}

// -- called by other threads ------------------------------------------------------------------------

future<job_ptr> launcher::run(item i) {
  order o{std::make_shared<job>(std::move(i)), {}};
  future<job_ptr> result = o.promised.get_future();
  {
    std::lock_guard guard{mutex_};
    orders_.push_back(std::move(o));
  }
  wake();
  return result;
}

void launcher::written() {
  handed_.fetch_sub(1);
  if (room_.load()) wake();
}

void launcher::terminate() {
  {
    std::lock_guard guard{mutex_};
    terminate_ = true;
  }
  wake();
}

overview launcher::look() const {
  std::lock_guard guard{mutex_};
  return overview_;
}

void launcher::wake() const {
  const std::uint64_t one = 1;
  while (::write(wake_, &one, sizeof one) < 0 && errno == EINTR) {}
}

// -- the thread -------------------------------------------------------------------------------------

void launcher::watch(int descriptor, std::uint64_t tag, bool to_write) const {
  epoll_event event{};
  event.events = to_write ? EPOLLOUT : EPOLLIN;
  event.data.u64 = tag;
  checked(::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event), "epoll_ctl");
}

/// To be called before the descriptor is closed: a child that is being started may still hold a copy.
void launcher::unwatch(int descriptor) const {
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr);
}

void launcher::loop() {
  std::vector<epoll_event> events(64);
  for (;;) {
    {
      std::lock_guard guard{mutex_};
      if (leave_ && running_.empty() && orders_.empty() && waiting_.empty() && later_.empty())
        return;
    }
    int wait = -1;
    if (const auto due = next_due()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*due - clock::now()).count();
      wait = static_cast<int>(std::clamp<long long>(left, 0, 3'600'000));
    }
    const int many = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait);
    for (int e = 0; e < many; ++e) {
      const std::uint64_t tagged = events[static_cast<std::size_t>(e)].data.u64;
      handle(tagged >> 3, static_cast<about>(tagged & 7));
    }
    tick();
    start_some();
    show_overview();
  }
}

void launcher::handle(std::uint64_t serial, about what) {
  if (what == about::wake) {
    take_orders();
    return;
  }
  if (what == about::signals) {
    read_signals();
    return;
  }
  if (what == about::jobs_file) {
    read_jobs_file();
    return;
  }
  const auto found = running_.find(serial);
  if (found == running_.end()) return;  // an event of one that is over
  running& r = *found->second;
  if (what == about::process)
    reap(r);
  else if (what == about::in)
    feed(r);
  else
    read_some(r, what == about::out ? stream_of::out : stream_of::err);
  finish_if_over(r);
}

void launcher::take_orders() {
  std::uint64_t count = 0;
  (void)!::read(wake_, &count, sizeof count);
  bool terminated = false;
  {
    std::lock_guard guard{mutex_};
    for (order& o : orders_) waiting_.push_back(std::move(o));
    orders_.clear();
    terminated = terminate_;
  }
  if (terminated && !terminating_) terminate_all(false);
  if (room_.exchange(false)) resume_refused();
}

std::optional<clock::time_point> launcher::next_due() const {
  std::optional<clock::time_point> due;
  const auto consider = [&](std::optional<clock::time_point> at) {
    if (at && (!due || *at < *due)) due = at;
  };
  consider(grace_ends_);
  consider(deadline_);
  if (!waiting_.empty() && running_.size() < options_.jobs) consider(start_again_);
  if (!later_.empty()) consider(later_.begin()->first);
  const auto limit = options_.limit.value();
  for (const auto& [serial, r] : running_) {
    consider(r->end_it.due());
    consider(r->look_at_group);
    if (limit && !r->end_it.begun() && !r->reaped) consider(r->began + *limit);
    if (r->reaped && r->is_open()) consider(r->last_sign + options_.linger);
  }
  return due;
}

void launcher::tick() {
  const auto now = clock::now();
  if (grace_ends_ && now >= *grace_ends_) {
    grace_ends_.reset();
    asked_ = std::max(asked_, 2);
    terminate_all(false);
  }
  if (deadline_ && now >= *deadline_) stop_for(stop::deadline);
  while (!later_.empty() && (draining_ || now >= later_.begin()->first)) {
    put_back(std::move(later_.begin()->second));
    later_.erase(later_.begin());
  }
  std::vector<running*> over;
  for (const auto& [serial, r] : running_) {
    look_at(*r, now);
    if (r->reaped && !r->is_open()) over.push_back(r.get());
  }
  for (running* r : over) finish_if_over(*r);
}

void launcher::show_overview() {
  if (!options_.watched) return;
  overview now;
  now.running = running_.size();
  now.jobs = options_.jobs;
  if (!running_.empty()) {
    const running& oldest = *running_.begin()->second;
    now.oldest = name_of(oldest.runs());
    now.oldest_began = oldest.began;
  }
  std::lock_guard guard{mutex_};
  overview_ = std::move(now);
}

}  // namespace fmap::tool
