// SPDX-License-Identifier: BSD-3-Clause
// The inside of a map whose function returns futures: one thread that pulls and calls.

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include <fmap/detail/async_job.hpp>

#include "actors/pool_core.hpp"
#include "src/kernel/remote_port.hpp"
#include "src/kernel/sink_port.hpp"
#include "src/kernel/source_port.hpp"
#include "src/kernel/worker_port.hpp"

namespace fmap::detail {

namespace {

using actors::shared_mailbox;

class gate final : public async_gate {
public:
  /// `helped`: if there is one, its owner runs what it waits for if it can.
  gate(std::shared_ptr<shared_mailbox> box, actors::run_ptr run, actors::worker_id worker,
       actors::doorbell_ptr helped)
      : box_{std::move(box)}, run_{std::move(run)}, helped_{std::move(helped)}, worker_{worker} {}

  bool enter() override {
    std::lock_guard guard{mutex_};
    if (closed_) return false;
    ++inside_;
    return true;
  }

  void leave(std::uint64_t index) override {
    actors::remote_port{*box_}.finished(*run_, worker_, index, 1);
    std::lock_guard guard{mutex_};
    if (--inside_ == 0) left_.notify_all();
  }

  bool helped() const override { return helped_ != nullptr; }

  void began(const state_ptr<future_state_base>& state) override {
    actors::patiently([&] {
      std::lock_guard guard{mutex_};
      if (open_.size() >= many_) {
        std::erase_if(open_, [](const auto& s) { return s->done(); });
        many_ = std::max(few, 2 * open_.size());
      }
      open_.push_back(state);
    });
    helped_->ring();
  }

  /// Completes here, in input order, what is this thread's pool's and has not begun, until the bell is rung.
  void help(const actors::parker& bell) {
    while (!bell.rung()) {
      state_ptr<future_state_base> next;
      {
        std::lock_guard guard{mutex_};
        if (open_.empty()) return;
        next = std::move(open_.front());
        open_.pop_front();
      }
      if (!next->done()) next->try_run_here();
    }
  }

  /// Lets nobody in any more, and waits for those inside.
  void close() {
    std::unique_lock lock{mutex_};
    closed_ = true;
    left_.wait(lock, [this] { return inside_ == 0; });
    run_.reset();
    box_.reset();
    const auto open = std::exchange(open_, {});
    lock.unlock();
  }

private:
  std::mutex mutex_;
  std::condition_variable left_;
  bool closed_ = false;
  int inside_ = 0;
  std::shared_ptr<shared_mailbox> box_;
  actors::run_ptr run_;
  const actors::doorbell_ptr helped_;
  static constexpr std::size_t few = 32;
  std::deque<state_ptr<future_state_base>> open_;  // and some that are done by now
  std::size_t many_ = few;                         // when it is time to forget those
  const actors::worker_id worker_;
};

class async_core final : public pool_core {
public:
  async_core() : pool_core{1} { actors::worker_port{*box}.join(caller_, bell_); }

  void start_source(const actors::run_ptr& r) override {
    gate_ = std::make_shared<gate>(box, r, caller_.id,
                                   current_helper != nullptr ? r->out.sink.bell : nullptr);
    dynamic_cast<async_job&>(*r->work).gate = gate_;
    actors::source_port source{*box};
    source.attach(*r, bell_);
    try {
      thread_ = std::thread{[this, r] { pull_and_call(*r); }};
    } catch (const std::system_error& e) {
      gate_->close();
      const std::system_error why{e.code(), "fmap: a map's thread could not be started"};
      source.detach(*r, std::make_exception_ptr(why));
      throw why;
    }
  }

  void help(actors::run&, const actors::parker& bell) override { gate_->help(bell); }

  void let_go(actors::run& r) override {
    actors::sink_port{*box}.stop(r);
    if (!thread_.joinable()) return;
    const actors::seeing_out here;
    bell_->ring();
    thread_.join();
    gate_->close();
    actors::worker_port{*box}.leave(caller_);  // what is still open is dropped
  }

  bool can_kill() const override { return false; }

private:
  /// What goes wrong outside the user's code (there is no memory) ends the input.
  void pull_and_call(actors::run& r) noexcept {
    const actors::working_in here{box.get()};
    actors::source_port source{*box};
    actors::worker_port worker{*box};
    try {
      for (;;) {
        const auto pulled = source.pull_once(r);
        worker.work(caller_);
        if (pulled == actors::pulled::over) return;
        if (pulled == actors::pulled::out_of_tokens) bell_->wait_alone();
      }
    } catch (...) {
      source.detach(r, std::current_exception());
    }
  }

  actors::worker caller_;
  std::shared_ptr<actors::parker> bell_ = std::make_shared<actors::parker>();
  std::shared_ptr<gate> gate_;
  std::thread thread_;
};

}  // namespace

map_options calling_options(map_options options) {
  if (options.retry)
    throw std::invalid_argument{"fmap: retry is for maps on pools; here, let the function try "
                                "again before it completes its "
                                "future"};
  constexpr std::size_t usual = 16;
  if (!options.buffersize) options.buffersize = std::max(usual, options.chunksize.value_or(1));
  return options;
}

std::shared_ptr<pool_core> make_async_core() { return std::make_shared<async_core>(); }

}  // namespace fmap::detail
