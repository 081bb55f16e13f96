// SPDX-License-Identifier: BSD-3-Clause
// The launcher's thread.
#include "tool/launch/launcher.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool/command/shell_context.hpp"
#include "tool/launch/child.hpp"
#include "tool/ui/messages.hpp"
#include "tool/ui/signals.hpp"

namespace fmap::tool {

namespace {

using namespace std::chrono_literals;

int checked(int descriptor, const char* what) {
  if (descriptor < 0) throw std::system_error{errno, std::generic_category(), what};
  return descriptor;
}

constexpr clock::duration group_poll =
    50ms;  // looks for what is left of a group that was told to end
constexpr clock::duration start_pause = 100ms;  // before a start is tried again

}  // namespace

struct launcher::running {
  job_ptr what;
  promise<job_ptr> promised;
  bool handed = false;

  std::uint64_t serial = 0;
  std::size_t slot = 0;
  pid_t process = -1;
  int handle = -1;          // a pidfd
  int pipes[2] = {-1, -1};  // out, err
  bool refused[2] = {false, false};
  bool reaped = false;
  ending end;
  ladder end_it;
  clock::time_point began;
  clock::time_point last_sign;  // of the last byte, or of the end of the process
  std::optional<clock::time_point> look_at_group;

  int& pipe(stream_of which) { return pipes[which == stream_of::out ? 0 : 1]; }
  bool is_open() const { return pipes[0] >= 0 || pipes[1] >= 0; }
};

launcher::launcher(launch_options options, make_command command, outputs& to,
                   std::function<void()> no_more_input, guard* watched)
    : options_{std::move(options)}, command_{std::move(command)}, to_{to},
      no_more_input_{std::move(no_more_input)}, guard_{watched} {
  epoll_ = checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  wake_ = checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
  signals_ = checked(::signalfd(-1, &options_.signals, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd");
  null_ = checked(::open("/dev/null", O_RDONLY | O_CLOEXEC), "/dev/null");
  watch(wake_, tag(0, about::wake));
  watch(signals_, tag(0, about::signals));
  to_.on_room([this] {
    room_.store(true);
    wake();
  });
  thread_ = std::thread{[this] { loop(); }};
}

launcher::~launcher() {
  {
    std::lock_guard guard{mutex_};
    stop_ = terminate_ = leave_ = true;
  }
  wake();
  thread_.join();
  for (const int descriptor : {epoll_, wake_, signals_, null_}) ::close(descriptor);
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

void launcher::stop() {
  {
    std::lock_guard guard{mutex_};
    stop_ = true;
  }
  wake();
}

void launcher::terminate() {
  {
    std::lock_guard guard{mutex_};
    stop_ = terminate_ = true;
  }
  wake();
}

void launcher::wake() const {
  const std::uint64_t one = 1;
  while (::write(wake_, &one, sizeof one) < 0 && errno == EINTR) {}
}

// -- the thread -------------------------------------------------------------------------------------

void launcher::watch(int descriptor, std::uint64_t tag) const {
  epoll_event event{};
  event.events = EPOLLIN;
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
      if (leave_ && running_.empty() && orders_.empty() && waiting_.empty()) return;
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
  const auto found = running_.find(serial);
  if (found == running_.end()) return;  // an event of one that is over
  running& r = *found->second;
  if (what == about::process)
    reap(r);
  else
    read_some(r, what == about::out ? stream_of::out : stream_of::err);
  finish_if_over(r);
}

void launcher::take_orders() {
  std::uint64_t count = 0;
  (void)!::read(wake_, &count, sizeof count);
  bool stopped = false, terminated = false;
  {
    std::lock_guard guard{mutex_};
    for (order& o : orders_) waiting_.push_back(std::move(o));
    orders_.clear();
    stopped = stop_;
    terminated = terminate_;
  }
  if (stopped) drain();
  if (terminated && !terminating_) terminate_all(false);
  // In input order the output of the first flows; alone, too.
  if (room_.exchange(false)) resume_refused();
}

// -- starting -----------------------------------------------------------------------------------------

void launcher::start_some() {
  if (start_again_ && clock::now() < *start_again_) return;
  start_again_.reset();
  while (!waiting_.empty() && (draining_ || running_.size() < options_.jobs)) {
    order o = std::move(waiting_.front());
    waiting_.pop_front();
    if (draining_) {
      skip(o.what, o.promised);
    } else if (!start_one(o.what, o.promised)) {
      waiting_.push_front(std::move(o));
      return;
    }
  }
}

void launcher::skip(const job_ptr& j, promise<job_ptr>& promised) {
  to_.ended(*j, {});
  handed_.fetch_add(1);
  std::exchange(promised, {}).set_value(j);
}

/// False: there is no process to be had now.
bool launcher::start_one(const job_ptr& j, promise<job_ptr>& promised) {
  auto made = std::make_unique<running>();
  running& r = *made;
  r.what = j;
  r.slot = slots_.take();
  r.began = r.last_sign = clock::now();

  std::vector<std::string> arguments;
  r.end.how = ending::kind::not_run;
  r.end.why = j->what.problem;
  if (r.end.why.empty()) {
    try {
      arguments = command_(j->what, r.slot);
    } catch (const not_runnable& e) {
      r.end.why = e.what();
    }
  }
  bool again = false;
  int theirs[2] = {-1, -1};
  if (r.end.why.empty()) {
    started s;
    for (int at = 0; at < 2 && !options_.ungrouped && s.error == 0; ++at) {
      int ends[2];
      if (::pipe2(ends, O_CLOEXEC) < 0) {
        s.error = errno;
        break;
      }
      r.pipes[at] = ends[0];
      theirs[at] = ends[1];
      ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    }
    if (s.error == 0) {
      if (options_.verbose) say_command(arguments);
      const std::vector<std::string> environment = environment_for(j->what, r.slot);
      child_options o;
      o.arguments = &arguments;
      o.environment = &environment;
      o.in = null_;
      o.out = theirs[0];
      o.err = theirs[1];
      o.dies_with_us = guard_ != nullptr;
      if (guard_ != nullptr && r.slot <= guard_->size()) o.seat = &guard_->of(r.slot);
      if (options_.files) o.files = &*options_.files;
      s = tool::start(o);
    }
    r.process = s.process;
    for (const int end : theirs)
      if (end >= 0) ::close(end);
    if (s.error == E2BIG) {
      r.end.why = "it is too long for an argument";
    } else if (s.error == EAGAIN || s.error == ENOMEM || s.error == EMFILE || s.error == ENFILE) {
      again = true;
    } else if (s.error != 0) {
      r.end = {ending::kind::not_started, s.error, false, false, arguments.front()};
    }
  }
  if (r.process < 0) {
    for (const int end : r.pipes)
      if (end >= 0) ::close(end);
    slots_.give_back(r.slot);
    if (again) {  // another job's end, or some time, helps
      start_again_ = clock::now() + start_pause;
      return false;
    }
    if (r.end.how == ending::kind::not_started) drain();
    to_.ended(*j, std::move(r.end));
    handed_.fetch_add(1);
    std::exchange(promised, {}).set_value(j);
    ++finished_;
    return true;
  }

  r.serial = ++serial_;
  r.promised = std::move(promised);
  r.handle = static_cast<int>(::syscall(SYS_pidfd_open, r.process, 0));
  running_.emplace(r.serial, std::move(made));
  watch(r.handle, tag(r.serial, about::process));
  if (r.pipes[0] >= 0) watch(r.pipes[0], tag(r.serial, about::out));
  if (r.pipes[1] >= 0) watch(r.pipes[1], tag(r.serial, about::err));
  if (options_.ordered || options_.jobs == 1) hand_over(r);
  return true;
}

std::vector<std::string> launcher::environment_for(const item& i, std::size_t slot) const {
  std::vector<std::string> all = options_.environment;
  all.push_back("FMAP_SEQ=" + std::to_string(i.number));
  all.push_back("FMAP_SLOT=" + std::to_string(slot));
  return all;
}

// -- outputs ------------------------------------------------------------------------------------------

void launcher::read_some(running& r, stream_of which) {
  const int at = which == stream_of::out ? 0 : 1;
  static thread_local std::string bytes(65536, '\0');
  int& end = r.pipe(which);
  if (end < 0) return;
  const std::size_t most = to_.may_read(*r.what, which);
  if (most == 0) {
    if (!std::exchange(r.refused[at], true)) unwatch(end);
    help_out();
    return;
  }
  const ssize_t got = ::read(end, bytes.data(), std::min(most, bytes.size()));
  if (got > 0) {
    to_.put(*r.what, which, {bytes.data(), static_cast<std::size_t>(got)});
    r.last_sign = clock::now();
  } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
    close_stream(r, which);
  }
}

void launcher::resume_refused() {
  for (const auto& [serial, r] : running_) {
    for (const stream_of which : {stream_of::out, stream_of::err}) {
      const int at = which == stream_of::out ? 0 : 1;
      if (!std::exchange(r->refused[at], false) || r->pipe(which) < 0) continue;
      watch(r->pipe(which), tag(serial, which == stream_of::out ? about::out : about::err));
    }
  }
}

void launcher::hand_over(running& r) {
  if (std::exchange(r.handed, true)) return;
  handed_.fetch_add(1);
  std::exchange(r.promised, {}).set_value(r.what);
}

/// When all outputs wait for room and nobody has one to write, the oldest job's output flows.
void launcher::help_out() {
  room_.store(true);  // written() wakes us: then there may be nobody else
  if (handed_.load() != 0) return;
  for (const auto& [serial, r] : running_) {
    if (r->handed) continue;
    hand_over(*r);
    return;
  }
}

void launcher::close_stream(running& r, stream_of which) {
  int& end = r.pipe(which);
  if (end < 0) return;
  unwatch(end);
  ::close(std::exchange(end, -1));
}

// -- the end of a job ---------------------------------------------------------------------------------

void launcher::reap(running& r) {
  if (r.reaped) return;
  int status = 0;
  if (::waitpid(r.process, &status, WNOHANG) != r.process) return;
  r.reaped = true;
  r.last_sign = clock::now();
  unwatch(r.handle);
  ::close(std::exchange(r.handle, -1));
  if (WIFSIGNALED(status)) {
    r.end.how = ending::kind::signalled;
    r.end.code = WTERMSIG(status);
  } else {
    r.end.how = ending::kind::exited;
    r.end.code = WEXITSTATUS(status);
  }
  if (r.end_it.begun()) r.look_at_group = r.last_sign;
}

/// Others of the group may go on when its first process has ended; those that were told to end are seen out.
void launcher::finish_if_over(running& r) {
  if (!r.reaped || r.is_open()) return;
  if (r.look_at_group && ::kill(-r.process, 0) == 0) return;
  if (guard_ != nullptr && r.slot <= guard_->size()) guard_->of(r.slot).store(0);
  slots_.give_back(r.slot);
  if (options_.ungrouped && r.end.how == ending::kind::signalled && r.end.code == SIGPIPE) {
    pollfd out{STDOUT_FILENO, 0, 0};
    r.end.output_closed = ::poll(&out, 1, 0) > 0 && (out.revents & POLLERR) != 0;
  }
  ++finished_;
  to_.ended(*r.what, r.end);
  hand_over(r);
  running_.erase(r.serial);
}

void launcher::climb(running& r, ladder::step step) {
  switch (step) {
    case ladder::step::none: return;
    case ladder::step::terminate:
      ::kill(-r.process, SIGTERM);
      ::kill(-r.process, SIGCONT);
      break;
    case ladder::step::kill: ::kill(-r.process, SIGKILL); break;
    case ladder::step::give_up:
      close_stream(r, stream_of::out);
      close_stream(r, stream_of::err);
      r.look_at_group.reset();
      if (!r.reaped) {
        unwatch(r.handle);
        ::close(std::exchange(r.handle, -1));
        r.reaped = true;
        r.end.how = ending::kind::signalled;
        r.end.code = SIGKILL;
      }
      return;
  }
  if (r.reaped) r.look_at_group = clock::now();
}

std::optional<clock::time_point> launcher::next_due() const {
  std::optional<clock::time_point> due;
  const auto consider = [&](std::optional<clock::time_point> at) {
    if (at && (!due || *at < *due)) due = at;
  };
  consider(grace_ends_);
  if (!waiting_.empty()) consider(start_again_);
  for (const auto& [serial, r] : running_) {
    consider(r->end_it.due());
    consider(r->look_at_group);
    if (options_.timeout && !r->end_it.begun() && !r->reaped)
      consider(r->began + *options_.timeout);
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
  std::vector<running*> over;
  for (const auto& [serial, r] : running_) {
    if (options_.timeout && !r->end_it.begun() && !r->reaped
        && now >= r->began + *options_.timeout) {
      r->end.timed_out = true;
      climb(*r, r->end_it.begin(now, options_.kill_after));
    }
    climb(*r, r->end_it.pass(now));
    if (r->look_at_group && now >= *r->look_at_group) r->look_at_group = now + group_poll;
    if (r->reaped && r->is_open() && now >= r->last_sign + options_.linger) {
      if (r->refused[0] || r->refused[1]) {
        r->last_sign = now;  // it may have more to say
      } else if (!r->end_it.begun()) {
        if (!std::exchange(lingered_, true))
          say(name_of(r->what->what)
              + ": has ended, but a process that it left behind holds its output open: given up");
        close_stream(*r, stream_of::out);
        close_stream(*r, stream_of::err);
      } else {
        r->last_sign = now;  // the ladder's turn
      }
    }
    if (r->reaped && !r->is_open()) over.push_back(r.get());
  }
  for (running* r : over) finish_if_over(*r);
}

// -- the end of the run -------------------------------------------------------------------------------

void launcher::drain() {
  if (std::exchange(draining_, true)) return;
  no_more_input_();
}

void launcher::terminate_all(bool kill) {
  drain();
  terminating_ = true;
  const auto now = clock::now();
  for (const auto& [serial, r] : running_)
    climb(*r, r->end_it.begin(now, options_.kill_after, kill));
}

void launcher::signal_all(int signal) {
  for (const auto& [serial, r] : running_) ::kill(-r->process, signal);
}

void launcher::read_signals() {
  signalfd_siginfo info{};
  while (::read(signals_, &info, sizeof info) == sizeof info) {
    const int signal = static_cast<int>(info.ssi_signo);
    switch (signal) {
      case SIGINT:
      case SIGTERM:
      case SIGHUP: asked_to_end(signal); break;
      case SIGTSTP:
        signal_all(SIGTSTP);
        ::kill(::getpid(), SIGSTOP);
        break;
      case SIGCONT: signal_all(SIGCONT); break;
      case SIGUSR1: ++options_.jobs; break;
      case SIGUSR2: options_.jobs = std::max<std::size_t>(options_.jobs - 1, 1); break;
      case SIGQUIT: print_state(); break;
      default: break;
    }
  }
}

void launcher::asked_to_end(int signal) {
  int none = 0;
  signal_.compare_exchange_strong(none, signal);
  switch (++asked_) {
    case 1:
      drain();
      if (signal != SIGINT) grace_ends_ = clock::now() + options_.grace;
      if (!running_.empty())
        say("waiting for " + counted(running_.size(), "running command")
            + "; once more to terminate " + (running_.size() == 1 ? "it" : "them"));
      break;
    case 2:
      grace_ends_.reset();
      terminate_all(false);
      break;
    default:
      terminate_all(true);
      die_of(signal_.load());  // standard output may be blocked: nothing is waited for
  }
}

void launcher::print_state() {
  const auto now = clock::now();
  std::string text = counted(running_.size(), "command") + " running, "
                     + std::to_string(waiting_.size()) + " waiting, " + std::to_string(finished_)
                     + " ended";
  for (const auto& [serial, r] : running_)
    text +=
        "\nfmap:   " + name_of(r->what->what) + " for "
        + std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now - r->began).count())
        + " s";
  say(text);
}

}  // namespace fmap::tool
