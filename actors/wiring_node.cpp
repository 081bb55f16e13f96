// SPDX-License-Identifier: BSD-3-Clause
// The wiring of a worker process: frames from the pool become runs on a thread pool of its own.

#include "actors/wiring_node.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <new>
#include <numeric>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fmap/detail/program_fingerprint.hpp>
#include <fmap/detail/registry.hpp>
#include <fmap/detail/travelling_task.hpp>

#include "actors/node/child_process.hpp"
#include "actors/node/node_main.hpp"
#include "src/kernel/guest_port.hpp"
#include "src/kernel/pool_port.hpp"
#include "src/kernel/sink_port.hpp"

namespace fmap::actors {

namespace {

using detail::made_job;
using detail::remote_job;
using detail::slot_state;

/// Outcomes are sent when there is nothing else to do, or when they took so much of the workers' time.
constexpr std::chrono::microseconds worth_sending{50};

[[noreturn]] void leave() {
  std::cout.flush();
  std::fflush(nullptr);
  ::_exit(0);
}

/// This process ends when the pool's does. The handler does nothing: to ignore a signal would be inherited by
/// programs that items start. What is ignored already stays so.
void disregard_signals() {
  for (const int s : signals_for_the_parent) {
    struct sigaction action {};
    ::sigaction(s, nullptr, &action);
    if (action.sa_handler == SIG_IGN) continue;
    action = {};
    action.sa_handler = [](int) {};
    action.sa_flags = SA_RESTART;
    ::sigaction(s, &action, nullptr);
  }
}

/// Set when operator new finds no memory.
std::atomic<bool>* out_of_memory = nullptr;

template <class... T>
std::string bytes_of(const T&... values) {
  std::string result;
  wire::writer w{result};
  (w.apply(values), ...);
  return result;
}

}  // namespace

node_process::~node_process() {
  for (auto& [id, s] : runs_) {
    s.sender->stop();
    if (s.here) sink_port{*core_->box}.close(*s.here);
  }
}

bool node_process::receive(frame kind, wire::reader& r) {
  if (kind == frame::setup) return setup(r);
  if (!core_) return false;
  switch (kind) {
    case frame::open: return open(r);
    case frame::batch: return batch(r);
    case frame::recall: return recall(r);
    case frame::close: return close(r);
    default: return false;
  }
}

bool node_process::setup(wire::reader& r) {
  std::uint32_t thread_count = 1;
  std::string initializer;
  int niceness = 0;
  std::optional<std::uint64_t> address_space;
  r.apply(thread_count);
  r.apply(initializer);
  r.apply(niceness);
  if (!r.apply(address_space) || core_) return false;
  errno = 0;
  if (niceness != 0 && ::nice(niceness) == -1 && errno != 0) {
    const std::system_error why{errno, std::generic_category(),
                                "fmap: nice = " + std::to_string(niceness)};
    back_.send(frame::broken, encode_here(std::make_exception_ptr(why)));
    leave();
  }
  if (address_space) {
    const rlimit limit{*address_space, *address_space};
    ::setrlimit(RLIMIT_AS, &limit);
    out_of_memory = &recorder_.out_of_memory();
    std::set_new_handler([] {
      out_of_memory->store(true);
      throw std::bad_alloc{};
    });
  }
  back_.send(frame::hello,
             bytes_of(std::uint32_t{detail::protocol_version}, detail::program_fingerprint()));
  if (initializer.empty()) back_.send(frame::started, {});
  auto system = default_system();
  auto& s = *system;
  core_ = std::make_shared<thread_core>(
      s, std::move(system), thread_count, [this, initializer] { initialize(initializer); },
      threads::own, [](const std::exception_ptr&) { ::_exit(no_resources); });
  return true;
}

/// In each worker thread, before its first item; once does it.
void node_process::initialize(const std::string& key) {
  if (key.empty()) return;
  std::call_once(initialized_, [&] {
    try {
      const auto call = detail::registry<void (*)()>::find(key);
      if (call == nullptr)
        throw error{"fmap: a worker process does not know its initializer " + key};
      call();
    } catch (...) {
      back_.send(frame::broken, encode_here(std::current_exception()));
      leave();
    }
    back_.send(frame::started, {});
  });
}

bool node_process::open(wire::reader& r) {
  run_id there = 0;
  r.apply(there);
  const std::string_view key = r.view();
  wire::reader function{r.view()};
  if (!r.ok() || runs_.contains(there)) return false;
  served& s = runs_[there];
  s.sender = std::make_shared<outcome_sender>(back_, recorder_, core_->box, there);
  try {
    made_job made;
    if (key == detail::remote_task_job::name) {
      made = detail::make_call_job(function);
    } else {
      const auto make = detail::registry<detail::job_factory>::find(key);
      if (make == nullptr)
        throw error{"fmap: a worker process does not know the function " + std::string{key}};
      made = make(function);
    }
    s.work = made.work;
    s.remote = made.remote;
    s.here = pool_port{*core_->box}.open({.buffersize = unbounded, .tell_after = worth_sending},
                                         made.work, nullptr, s.sender);
    s.sender->serve(s.here, *made.remote);
  } catch (...) {
    s.unusable = std::current_exception();
  }
  return true;
}

bool node_process::batch(wire::reader& r) {
  batch_head head;
  std::vector<std::uint32_t> sizes;
  r.apply(head.there);
  r.apply(head.first);
  r.apply(head.place);
  r.apply(sizes);
  std::string_view bytes = r.rest();
  served* const s = find(head.there);
  if (!r.ok() || s == nullptr || sizes.empty()) return false;
  if (std::accumulate(sizes.begin(), sizes.end(), std::uint64_t{0}) != bytes.size()) return false;
  if (!recorder_.claim(head.place, sizes.size())) return false;
  for (std::span<const std::uint32_t> left{sizes}, now = left; !left.empty();) {
    std::exception_ptr error = s->unusable;
    std::uint32_t n = error ? 0 : load(*s, head, now, bytes, error);
    if (n == 0) {
      s->sender->refuse(head.first, head.place, std::move(error));
      n = 1;
    } else if (n != now.size()) {
      now = now.first(n);  // up to the one that cannot be read, and then that
      continue;
    }
    for (std::uint32_t i = 0; i != n; ++i) bytes.remove_prefix(left[i]);
    head.first += n;
    head.place += n;
    now = left = left.subspan(n);
  }
  return true;
}

/// Queues a chunk of these items. If one cannot be read, returns how many there are before it; if that is the
/// first, tells why.
std::uint32_t node_process::load(served& s, const batch_head& head,
                                 std::span<const std::uint32_t> sizes, std::string_view bytes,
                                 std::exception_ptr& error) {
  const auto count = static_cast<std::uint32_t>(sizes.size());
  std::uint32_t n = 0;
  std::unique_ptr<chunk> items;
  try {
    items = std::make_unique<chunk>(0, count, s.work->layout, recorder_.at(head.place));
    items->origin = head.first;
    for (; n != count; ++n) {
      wire::reader content{bytes.substr(0, sizes[n])};
      bytes.remove_prefix(sizes[n]);
      // Decoding is the user's code, too.
      items->state(n).store(slot_state::arriving, std::memory_order_relaxed);
      s.remote->load_item(content, *items, n);
    }
  } catch (...) {
    if (n == 0) error = std::current_exception();
  }
  if (n == count) {
    guest_port{*core_->box}.push(*s.here, std::move(items), count);
    return count;
  }
  // What had been read will be read again.
  for (std::uint32_t i = count; i-- != 0;) {
    if (i < n) s.work->clear(*items, i, i + 1);
    recorder_.at(head.place + i)->store(slot_state::item, std::memory_order_release);
  }
  return n;
}

void node_process::blame(std::string_view unfinished_batch) {
  batch_head head;
  wire::reader r{unfinished_batch};
  r.apply(head.there);
  r.apply(head.first);
  if (r.apply(head.place) && head.place < recorder::size)
    recorder_.at(head.place)->store(slot_state::running);
}

bool node_process::recall(wire::reader& r) {
  run_id there = 0;
  r.apply(there);
  served* const s = find(there);
  if (!r.ok() || s == nullptr) return false;
  if (!s->here) return true;
  guest_port port{*core_->box};
  for (const outcome_span& span : port.withdraw(*s->here)) {
    const std::uint32_t begin = span.end - span.count;
    const std::uint64_t first = span.in->origin + begin;
    for (std::uint32_t i = begin; i != span.end; ++i) {
      s->work->clear(*span.in, i, i + 1);
      span.in->state(i).store(slot_state::returned, std::memory_order_release);
    }
    recorder_.unclaim(span.in->state(begin), span.count);
    port.release(*s->here, span);
    back_.send(frame::returned, bytes_of(there, first, span.count));
  }
  return true;
}

bool node_process::close(wire::reader& r) {
  run_id there = 0;
  r.apply(there);
  served* const s = find(there);
  if (!r.ok() || s == nullptr) return false;
  s->sender->stop();
  if (s->here) sink_port{*core_->box}.close(*s->here);
  runs_.erase(there);
  return true;
}

node_process::served* node_process::find(run_id there) {
  const auto it = runs_.find(there);
  return it != runs_.end() ? &it->second : nullptr;
}

namespace {

/// Where there are not enough threads or memory the pool tries again, or goes on with fewer processes.
bool set_up(node_process& node, wire::reader& r) {
  try {
    return node.receive(frame::setup, r);
  } catch (const std::exception&) {
    ::_exit(no_resources);
  }
}

}  // namespace

void node_main(int socket, int recorder_fd) {
  // However the parent ends, even if this process is stopped.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // What this process starts itself must not keep the connection alive.
  ::fcntl(socket, F_SETFD, FD_CLOEXEC);
  ::fcntl(recorder_fd, F_SETFD, FD_CLOEXEC);
  disregard_signals();
  // Not "exe".
  ::prctl(PR_SET_NAME, program_invocation_short_name);
  sigset_t none;
  sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
  // Whole lines, so that those of several processes stay apart, and none is lost in a crash.
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);

  connection in{socket, peer::pool};
  auto node = std::make_unique<node_process>(socket, recorder_fd);
  for (;;) {
    try {
      if (!in.fill(true)) ::_exit(0);  // the pool is gone: whatever runs here, nobody wants it
    } catch (const std::bad_alloc&) {
      node->blame(in.unfinished(frame::batch));
      throw;
    }
    const bool sane = in.each([&](frame kind, wire::reader& r) {
      if (kind == frame::setup) return set_up(*node, r);
      if (kind != frame::quit) return node->receive(kind, r);
      node.reset();
      leave();
    });
    if (!sane) ::_exit(3);
  }
}

}  // namespace fmap::actors
