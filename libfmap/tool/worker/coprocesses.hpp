// SPDX-License-Identifier: BSD-3-Clause
// Commands that stay and are asked item by item. One thread of its own.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tool/launch/launcher.hpp"
#include "tool/worker/custody.hpp"
#include "tool/worker/options.hpp"
#include "tool/worker/poller.hpp"
#include "tool/worker/protocol.hpp"
#include "tool/worker/worker.hpp"

namespace fmap::tool {

class coprocesses final : public runner {
public:
  /// `widen`: there may be so many items in flight. `broken`: why the run cannot go on.
  coprocesses(launch_options how, worker_options of, std::vector<std::string> command, outputs& to,
              std::function<void()> no_more_input, guard* watched,
              std::function<void(std::size_t)> widen,
              std::function<void(const std::string&)> broken);
  ~coprocesses() override;

  future<job_ptr> run(item i) override;
  void written() override;
  void input_ended() override;
  void finish() override;
  void terminate() override;
  int signal() const override { return signal_.load(); }
  stop stopped() const override { return stopped_.load(); }
  overview look() const override;
  bool in_doubt() const override { return in_doubt_.load(); }

private:
  using id = custody::id;
  enum class about : std::uint64_t { signals = 1, in, out, err, process };

  // -- coprocesses.cpp: the thread --
  void loop();
  void handle(std::uint64_t tagged);
  void take_orders();
  std::optional<clock::time_point> next_due() const;
  void tick();
  void show_overview();
  static std::uint64_t tag(id worker, about what) {
    return worker << 3 | static_cast<std::uint64_t>(what);
  }
  bool nothing_left() const;

  // -- giving.cpp --
  void serve();
  bool start_worker(bool trial);
  bool start_process(worker& w, int& error);
  void give_some(worker& w);
  void ask(worker& w, const std::vector<id>& items);
  bool may_give(id item);
  std::size_t depth_of(const worker& w) const;
  std::size_t size_of(id item) const;
  void retire(worker& w);
  void replace(worker& w);
  void flush(worker& w);
  void close_input(worker& w);
  std::string text_of(const item& i) const;

  // -- answers.cpp --
  void read_answers(worker& w);
  bool take_answers(worker& w);
  void take_answer(worker& w, answer a);
  void read_errors(worker& w);
  void pass_lines(worker& w, bool over);
  void breaks(worker& w, const std::string& what, std::string_view bytes);
  void reap(worker& w);
  void gone(id which);
  void died_idle(const worker& w);
  ending end_of(const worker& w) const;
  void settle(id item, ending how);
  void complete(id item, ending how);
  void look_at(worker& w, clock::time_point now);
  void look_for_stall(worker& w, clock::time_point now);
  void climb(worker& w, ladder::step step);
  void close_outputs(worker& w);

  // -- stopping.cpp --
  void drain();
  void terminate_all(bool kill);
  void stop_for(stop why);
  void count(const ending& e);
  void heed_halt();
  void read_signals();
  void asked_to_end(int signal);
  void print_state() const;

  launch_options options_;
  worker_options of_;
  std::vector<std::string> words_;
  outputs& to_;
  std::function<void()> no_more_input_;
  guard* guard_;
  std::function<void(std::size_t)> widen_;
  std::function<void(const std::string&)> broken_;
  const protocol protocol_;
  poller poller_;
  int signals_ = -1;

  // -- of this thread and others --
  mutable std::mutex mutex_;
  std::deque<order> orders_;
  bool terminate_ = false;
  bool leave_ = false;
  bool input_over_ = false;
  overview overview_;
  std::atomic<bool> paused_{false};        // until something has been written
  std::atomic<std::size_t> unwritten_{0};  // jobs that were handed over
  std::atomic<int> signal_{0};
  std::atomic<stop> stopped_{stop::none};
  std::atomic<bool> in_doubt_{false};

  // -- of the thread --
  custody custody_;
  std::map<id, order> jobs_;  // by the numbers of their items
  std::map<id, std::unique_ptr<worker>> workers_;
  std::multimap<clock::time_point, id> later_;  // to be asked again
  id serial_ = 0;
  slots slots_;
  std::minstd_rand random_;
  bool no_more_ = false;  // nothing will be ordered
  bool draining_ = false;
  bool terminating_ = false;
  bool keeps_answers_ =
      false;  // a worker has been seen to wait for more with answers in its buffer
  std::size_t widest_ = 0;
  halt_rule::what halted_ = halt_rule::what::never;
  int asked_ = 0;
  std::uint64_t finished_ = 0;
  std::deque<clock::time_point> deaths_;  // outside any item
  std::optional<clock::time_point> start_again_;
  std::optional<clock::time_point> grace_ends_;
  std::optional<clock::time_point> deadline_;

  std::thread thread_;
};

}  // namespace fmap::tool
