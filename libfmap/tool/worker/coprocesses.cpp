// SPDX-License-Identifier: BSD-3-Clause
// The thread of the co-processes: what it waits for, and what others ask of it.
#include "tool/worker/coprocesses.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

#include <sys/signalfd.h>
#include <unistd.h>

#include "tool/ui/messages.hpp"

namespace fmap::tool {

coprocesses::coprocesses(launch_options how, worker_options of, std::vector<std::string> command,
                         outputs& to, std::function<void()> no_more_input, guard* watched,
                         std::function<void(std::size_t)> widen,
                         std::function<void(const std::string&)> broken)
    : options_{std::move(how)}, of_{std::move(of)}, words_{std::move(command)}, to_{to},
      no_more_input_{std::move(no_more_input)}, guard_{watched}, widen_{std::move(widen)},
      broken_{std::move(broken)}, protocol_{of_.kind, of_.answer_end}, custody_{of_.deaths},
      random_{std::random_device{}()} {
  signals_ = ::signalfd(-1, &options_.signals, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals_ < 0) throw std::system_error{errno, std::generic_category(), "signalfd"};
  poller_.watch(signals_, tag(0, about::signals));
  if (options_.deadline) deadline_ = clock::now() + *options_.deadline;
  thread_ = std::thread{[this] { loop(); }};
}

coprocesses::~coprocesses() {
  terminate();
  finish();
  ::close(signals_);
}

// -- called by other threads ------------------------------------------------------------------------

future<job_ptr> coprocesses::run(item i) {
  order o{std::make_shared<job>(std::move(i)), {}};
  future<job_ptr> result = o.promised.get_future();
  bool first = false;
  {
    std::lock_guard guard{mutex_};
    first = orders_.empty();
    orders_.push_back(std::move(o));
  }
  if (first) poller_.wake();
  return result;
}

void coprocesses::written() {
  unwritten_.fetch_sub(1);
  if (paused_.exchange(false)) poller_.wake();
}

void coprocesses::input_ended() {
  {
    std::lock_guard guard{mutex_};
    input_over_ = true;
  }
  poller_.wake();
}

void coprocesses::finish() {
  {
    std::lock_guard guard{mutex_};
    leave_ = input_over_ = true;
  }
  poller_.wake();
  if (thread_.joinable()) thread_.join();
}

void coprocesses::terminate() {
  {
    std::lock_guard guard{mutex_};
    terminate_ = true;
  }
  poller_.wake();
}

overview coprocesses::look() const {
  std::lock_guard guard{mutex_};
  return overview_;
}

// -- the thread -------------------------------------------------------------------------------------

bool coprocesses::nothing_left() const {
  std::lock_guard guard{mutex_};
  return leave_ && orders_.empty() && jobs_.empty() && workers_.empty();
}

void coprocesses::loop() {
  while (!nothing_left()) {
    poller_.wait(next_due(), [this](std::uint64_t tagged) { handle(tagged); });
    take_orders();
    tick();
    heed_halt();
    serve();
    show_overview();
  }
}

void coprocesses::handle(std::uint64_t tagged) {
  if (tagged == poller::woken) return;  // orders are looked for anyway
  const auto what = static_cast<about>(tagged & 7);
  if (what == about::signals) {
    read_signals();
    return;
  }
  const auto found = workers_.find(tagged >> 3);
  if (found == workers_.end()) return;
  worker& w = *found->second;
  switch (what) {
    case about::in: flush(w); break;
    case about::out: read_answers(w); break;
    case about::err: read_errors(w); break;
    case about::process: reap(w); break;
    case about::signals: break;
  }
  if (w.reaped && w.out < 0) gone(w.number);
}

void coprocesses::take_orders() {
  std::deque<order> fresh;
  bool terminated = false;
  {
    std::lock_guard guard{mutex_};
    fresh.swap(orders_);
    terminated = terminate_;
    no_more_ = input_over_;
  }
  for (order& o : fresh) {
    const id number = o.what->what.number;
    const item& i = o.what->what;
    std::string problem = i.problem;
    if (problem.empty() && i.saved == nullptr) problem = protocol_.problem(text_of(i));
    job& j = *o.what;
    jobs_.emplace(number, std::move(o));
    if (draining_)
      complete(number, {});
    else if (j.what.saved != nullptr)
      complete(number, options_.saved(j));
    else if (!problem.empty())
      complete(number, {ending::kind::not_run, 0, false, false, problem});
    else
      custody_.add(number);
  }
  if (terminated && !terminating_) terminate_all(false);
}

std::optional<clock::time_point> coprocesses::next_due() const {
  std::optional<clock::time_point> due;
  const auto consider = [&](std::optional<clock::time_point> at) {
    if (at && (!due || *at < *due)) due = at;
  };
  consider(grace_ends_);
  consider(deadline_);
  consider(start_again_);
  if (!later_.empty()) consider(later_.begin()->first);
  const auto limit = options_.limit.value();
  for (const auto& [number, w] : workers_) {
    consider(w->end_it.due());
    const bool asked = !custody_.open(number).empty();
    if (asked && limit && !w->end_it.begun() && !w->reaped) consider(w->since + *limit);
    if (asked && !w->reaped && w->in >= 0) consider(w->last_sign + stall_pause);
    if (w->reaped && w->out >= 0) consider(w->last_sign + options_.linger);
  }
  return due;
}

void coprocesses::tick() {
  const auto now = clock::now();
  if (grace_ends_ && now >= *grace_ends_) {
    grace_ends_.reset();
    terminate_all(false);
  }
  if (deadline_ && now >= *deadline_) stop_for(stop::deadline);
  while (!later_.empty() && (draining_ || now >= later_.begin()->first)) {
    const id item = later_.begin()->second;
    later_.erase(later_.begin());
    if (draining_)
      complete(item, jobs_.at(item).what->end);
    else
      custody_.add_first(item);
  }
  std::vector<id> over;
  for (const auto& [number, w] : workers_) {
    look_at(*w, now);
    if (w->reaped && w->out < 0) over.push_back(number);
  }
  for (const id number : over) gone(number);
}

void coprocesses::show_overview() {
  if (!options_.watched) return;
  overview now;
  now.jobs = options_.jobs;
  for (const auto& [number, w] : workers_) {
    if (custody_.open(number).empty()) continue;
    ++now.running;
    if (!now.oldest.empty() && w->since >= now.oldest_began) continue;
    now.oldest = name_of(jobs_.at(custody_.open(number).front()).what->what);
    now.oldest_began = w->since;
  }
  std::lock_guard guard{mutex_};
  overview_ = std::move(now);
}

}  // namespace fmap::tool
