// SPDX-License-Identifier: BSD-3-Clause
// The inside of a map whose function returns futures: one thread that pulls and calls.

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <fmap/detail/async_job.hpp>

#include "actors/pool_core.hpp"

namespace fmap::detail {

namespace {

using actors::shared_mailbox;

class gate final : public async_gate {
public:
  gate(std::shared_ptr<shared_mailbox> box, actors::run_ptr run, actors::worker_id worker)
      : box_{std::move(box)}, run_{std::move(run)}, worker_{worker} {}

  void finished(std::uint64_t index, const std::function<void()>& fill) override {
    {
      std::lock_guard guard{mutex_};
      if (closed_) return;
      ++inside_;
    }
    fill();
    box_->finished(*run_, worker_, index, 1);
    std::lock_guard guard{mutex_};
    if (--inside_ == 0) left_.notify_all();
  }

  /// Lets nobody in any more, and waits for those inside.
  void close() {
    std::unique_lock lock{mutex_};
    closed_ = true;
    left_.wait(lock, [this] { return inside_ == 0; });
    run_.reset();
    box_.reset();
  }

private:
  std::mutex mutex_;
  std::condition_variable left_;
  bool closed_ = false;
  int inside_ = 0;
  std::shared_ptr<shared_mailbox> box_;
  actors::run_ptr run_;
  const actors::worker_id worker_;
};

class async_core final : public pool_core {
public:
  async_core() : pool_core{1} { box->join(caller_, bell_); }

  void start_source(const actors::run_ptr& r) override {
    gate_ = std::make_shared<gate>(box, r, caller_.id);
    dynamic_cast<async_job&>(*r->work).gate = gate_;
    box->attach_source(*r, bell_);
    thread_ = std::thread{[this, r] { pull_and_call(*r); }};
  }

  void let_go(actors::run& r) override {
    box->stop(r);
    if (!thread_.joinable()) return;
    bell_->ring();
    thread_.join();
    gate_->close();
    box->leave(caller_);  // what is still open is dropped
  }

  bool can_kill() const override { return false; }

private:
  void pull_and_call(actors::run& r) {
    for (;;) {
      const auto pulled = box->pull(r, true);
      box->work(caller_);
      if (pulled == shared_mailbox::pulled::over) return;
      if (pulled == shared_mailbox::pulled::out_of_tokens) bell_->wait_alone();
    }
  }

  actors::worker caller_;
  std::shared_ptr<actors::parker> bell_ = std::make_shared<actors::parker>();
  std::shared_ptr<gate> gate_;
  std::thread thread_;
};

}  // namespace

map_options calling_options(map_options options) {
  constexpr std::size_t usual = 16;
  if (!options.buffersize) options.buffersize = std::max(usual, options.chunksize.value_or(1));
  return options;
}

std::shared_ptr<pool_core> make_async_core() { return std::make_shared<async_core>(); }

}  // namespace fmap::detail
