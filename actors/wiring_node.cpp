// SPDX-License-Identifier: BSD-3-Clause
// The wiring of a worker process: frames from the pool become runs on a thread pool of its own.

#include <csignal>
#include <cstdio>
#include <iostream>
#include <map>
#include <mutex>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fmap/detail/exception_codec.hpp>
#include <fmap/detail/program_fingerprint.hpp>
#include <fmap/detail/registry.hpp>
#include <fmap/detail/travelling_task.hpp>

#include "actors/node/connection.hpp"
#include "actors/node/node_main.hpp"
#include "actors/node/recorder.hpp"
#include "actors/wiring.hpp"

namespace fmap::actors {

namespace {

using detail::made_job;
using detail::remote_job;
using detail::slot_state;

const std::string& host_name() {
  static const std::string name = [] {
    char buffer[256] = "localhost";
    ::gethostname(buffer, sizeof buffer - 1);
    return std::string{buffer};
  }();
  return name;
}

[[noreturn]] void leave() {
  std::cout.flush();
  std::fflush(nullptr);
  ::_exit(0);
}

/// The way back to the pool, for all threads.
class way_back {
public:
  explicit way_back(int fd) : line_{::fcntl(fd, F_DUPFD_CLOEXEC, 0)} {}

  template <class Fill>
  void send(frame kind, Fill fill) {
    std::lock_guard guard{mutex_};
    line_.send(kind, fill);
    if (!line_.flush(true)) ::_exit(0);  // nobody is there any more
  }

private:
  std::mutex mutex_;
  connection line_;
};

/// The sink of a run: sends its outcomes as they become ready, in the thread that rings.
class outcome_sender final : public doorbell {
public:
  outcome_sender(way_back& back, std::shared_ptr<shared_mailbox> box, run_id there)
      : back_{back}, box_{std::move(box)}, there_{there} {}

  void serve(run_ptr r, remote_job& work) {
    run_ = std::move(r);
    work_ = &work;
    ring();
  }

  void ring() noexcept override {
    std::lock_guard guard{mutex_};
    outcome_span s;
    while (run_ && box_->next(*run_, s) == shared_mailbox::next_result::outcomes) send(s);
  }

private:
  void send(const outcome_span& s) {
    const std::uint32_t begin = s.end - s.count;
    for (std::uint32_t i = begin; i != s.end;) {
      const std::uint32_t from = i;
      bytes_.clear();
      for (; i != s.end && bytes_.size() < (1u << 20); ++i) append(*s.in, i);
      const auto ns = static_cast<std::uint64_t>(box_->cost(*run_).count());
      back_.send(frame::outcomes, [&](wire::writer& w) {
        w.apply(there_);
        w.apply(s.in->origin + from);
        w.apply(i - from);
        w.apply(ns);
        w.raw(bytes_);
      });
    }
    run_->work->clear(*s.in, begin, s.end);
    run_->taken += s.count;
  }

  void append(chunk& c, std::uint32_t i) {
    wire::writer w{bytes_};
    const std::size_t before = bytes_.size();
    std::exception_ptr error;
    if (c.state(i).load(std::memory_order_acquire) == slot_state::error) {
      error = *static_cast<const std::exception_ptr*>(c.at(i));
    } else {
      try {
        w.apply(false);
        work_->save_value(w, c, i);
        w.throw_if_failed();
        return;
      } catch (...) {
        error = std::current_exception();
        bytes_.resize(before);
      }
    }
    wire::writer{bytes_}.apply(true);
    bytes_ += detail::encode_exception(error, host_name(), ::getpid());
  }

  way_back& back_;
  std::shared_ptr<shared_mailbox> box_;
  const run_id there_;
  std::mutex mutex_;
  run_ptr run_;
  remote_job* work_ = nullptr;
  std::string bytes_;
};

class node_process {
public:
  node_process(int socket, int recorder_fd) : in_{socket}, back_{socket}, recorder_{recorder_fd} {}

  [[noreturn]] void serve() {
    for (;;) {
      if (!in_.fill(true)) ::_exit(0);  // the pool is gone: whatever runs here, nobody wants it
      if (!in_.each([this](frame kind, wire::reader& r) { return receive(kind, r); })) ::_exit(3);
    }
  }

private:
  struct served {
    run_ptr here;
    std::shared_ptr<job> work;
    remote_job* remote = nullptr;
    std::shared_ptr<outcome_sender> sender;
  };

  bool receive(frame kind, wire::reader& r) {
    switch (kind) {
      case frame::setup: return setup(r);
      case frame::open: return open(r);
      case frame::batch: return batch(r);
      case frame::recall: return recall(r);
      case frame::close: return close(r);
      case frame::quit: core_.reset(); leave();
      default: return false;
    }
  }

  bool setup(wire::reader& r) {
    std::uint32_t threads = 1;
    std::string initializer;
    int niceness = 0;
    std::optional<std::uint64_t> address_space;
    r.apply(threads);
    r.apply(initializer);
    r.apply(niceness);
    if (!r.apply(address_space) || core_) return false;
    if (niceness != 0) [[maybe_unused]]
      const int now = ::nice(niceness);
    if (address_space) {
      const rlimit limit{*address_space, *address_space};
      ::setrlimit(RLIMIT_AS, &limit);
    }
    back_.send(frame::hello, [](wire::writer& w) {
      w.apply(detail::protocol_version);
      w.apply(detail::program_fingerprint());
    });
    auto system = default_system();
    auto& s = *system;
    core_ = std::make_shared<thread_core>(s, std::move(system), threads,
                                          [this, initializer] { initialize(initializer); });
    return true;
  }

  /// In each worker thread, before its first item; once does it.
  void initialize(const std::string& key) {
    if (key.empty()) return;
    std::call_once(initialized_, [&] {
      try {
        const auto call = detail::registry<void (*)()>::find(key);
        if (call == nullptr)
          throw error{"fmap: a worker process does not know its initializer " + key};
        call();
      } catch (...) {
        const auto error = std::current_exception();
        back_.send(frame::broken, [&](wire::writer& w) {
          w.raw(detail::encode_exception(error, host_name(), ::getpid()));
        });
        leave();
      }
    });
  }

  bool open(wire::reader& r) {
    run_id there = 0;
    r.apply(there);
    const std::string_view key = r.view();
    if (!r.ok() || !core_ || runs_.contains(there)) return false;
    made_job made;
    if (key == detail::remote_task_job::name) {
      made = detail::make_call_job(r);
    } else {
      const auto make = detail::registry<detail::job_factory>::find(key);
      if (make == nullptr) return false;
      made = make(r);
    }
    served& s = runs_[there];
    s.work = made.work;
    s.remote = made.remote;
    s.sender = std::make_shared<outcome_sender>(back_, core_->box, there);
    const run_limits limits{.buffersize = unbounded};
    s.here = core_->box->open(limits, made.work, nullptr, s.sender);
    s.sender->serve(s.here, *made.remote);
    return true;
  }

  bool batch(wire::reader& r) {
    run_id there = 0;
    std::uint64_t first = 0;
    std::uint32_t count = 0, place = 0;
    r.apply(there);
    r.apply(first);
    r.apply(count);
    r.apply(place);
    const std::string_view bytes = r.view();
    const auto it = runs_.find(there);
    if (!r.ok() || it == runs_.end() || count == 0 || count > recorder::size
        || place > recorder::size - count)
      return false;
    const served& s = it->second;
    auto items = std::make_unique<chunk>(0, count, s.work->layout, recorder_.at(place));
    items->origin = first;
    wire::reader content{bytes};
    std::uint32_t n = 0;
    std::exception_ptr error;
    try {
      for (; n != count; ++n) s.remote->load_item(content, *items, n);
    } catch (...) {
      error = std::current_exception();
    }
    if (n != 0) core_->box->push(*s.here, std::move(items), n);
    // What follows one that cannot be read cannot be read either.
    if (n != count) refuse(there, first + n, count - n, error);
    return true;
  }

  void refuse(run_id there, std::uint64_t first, std::uint32_t count,
              const std::exception_ptr& error) {
    const std::string bytes = detail::encode_exception(error, host_name(), ::getpid());
    back_.send(frame::outcomes, [&](wire::writer& w) {
      w.apply(there);
      w.apply(first);
      w.apply(count);
      w.apply(std::uint64_t{0});
      for (std::uint32_t i = 0; i != count; ++i) {
        w.apply(true);
        w.raw(bytes);
      }
    });
  }

  bool recall(wire::reader& r) {
    run_id there = 0;
    r.apply(there);
    const auto it = runs_.find(there);
    if (!r.ok() || it == runs_.end()) return false;
    const served& s = it->second;
    for (outcome_span span : core_->box->withdraw(*s.here)) {
      const std::uint32_t begin = span.end - span.count;
      const std::uint64_t first = span.in->origin + begin;
      s.work->clear(*span.in, begin, span.end);
      core_->box->release(*s.here, span);
      back_.send(frame::returned, [&](wire::writer& w) {
        w.apply(there);
        w.apply(first);
        w.apply(span.count);
      });
    }
    return true;
  }

  bool close(wire::reader& r) {
    run_id there = 0;
    r.apply(there);
    const auto it = runs_.find(there);
    if (!r.ok() || it == runs_.end()) return false;
    core_->box->close(*it->second.here);
    runs_.erase(it);
    return true;
  }

  connection in_;
  way_back back_;
  recorder recorder_;
  std::once_flag initialized_;
  std::shared_ptr<thread_core> core_;
  std::map<run_id, served> runs_;
};

}  // namespace

void node_main(int socket, int recorder_fd) {
  // What this process starts itself must not keep the connection alive, and an interrupt from the
  // terminal is for the pool's process to act upon: this one ends when that does.
  ::fcntl(socket, F_SETFD, FD_CLOEXEC);
  ::fcntl(recorder_fd, F_SETFD, FD_CLOEXEC);
  std::signal(SIGINT, SIG_IGN);
  (new node_process{socket, recorder_fd})->serve();
}

}  // namespace fmap::actors
