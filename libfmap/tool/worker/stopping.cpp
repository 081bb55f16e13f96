// SPDX-License-Identifier: BSD-3-Clause
// The run of the co-processes ends, and signals are heard.
#include <algorithm>
#include <csignal>
#include <utility>

#include <sys/signalfd.h>
#include <unistd.h>

#include "tool/ui/messages.hpp"
#include "tool/ui/screen.hpp"
#include "tool/ui/signals.hpp"
#include "tool/worker/coprocesses.hpp"

namespace fmap::tool {

void coprocesses::drain() {
  if (std::exchange(draining_, true)) return;
  no_more_input_();
  for (const id item : custody_.take_back()) {
    ending how = jobs_.at(item).what->end;  // of the last try, if there was one
    how.cut_off = how.how != ending::kind::skipped;
    complete(item, std::move(how));
  }
}

void coprocesses::terminate_all(bool kill) {
  drain();
  terminating_ = true;
  const auto now = clock::now();
  for (const auto& [number, w] : workers_) {
    if (!w->reaped && !w->end_it.begun()) w->cut_off = true;
    climb(*w, w->end_it.begin(now, options_.kill_after, kill));
  }
}

void coprocesses::stop_for(stop why) {
  deadline_.reset();
  if (draining_) return;
  stopped_ = why;
  drain();
}

void coprocesses::count(const ending& e) {
  if (e.cut_off || e.how == ending::kind::not_started) return;
  const auto what = options_.halt.note(1, failed(e) ? 1 : 0, options_.total);
  halted_ = std::max(halted_, what);  // heeded when nobody is at work on the items
}

void coprocesses::heed_halt() {
  if (halted_ == halt_rule::what::never) return;
  stop_for(options_.halt.good() ? stop::halted_well : stop::halted);
  if (halted_ == halt_rule::what::now && !terminating_) terminate_all(false);
  halted_ = halt_rule::what::never;
}

void coprocesses::read_signals() {
  signalfd_siginfo info{};
  while (::read(signals_, &info, sizeof info) == sizeof info) {
    const int signal = static_cast<int>(info.ssi_signo);
    switch (signal) {
      case SIGINT:
      case SIGTERM:
      case SIGHUP: asked_to_end(signal); break;
      case SIGTSTP:
        for (const auto& [number, w] : workers_) ::kill(-w->process, SIGTSTP);
        ::kill(::getpid(), SIGSTOP);
        break;
      case SIGCONT:
        for (const auto& [number, w] : workers_) ::kill(-w->process, SIGCONT);
        break;
      case SIGUSR1: ++options_.jobs; break;
      case SIGUSR2: options_.jobs = std::max<std::size_t>(options_.jobs - 1, 1); break;
      case SIGQUIT: print_state(); break;
      default: break;
    }
  }
}

void coprocesses::asked_to_end(int signal) {
  int none = 0;
  signal_.compare_exchange_strong(none, signal);
  switch (++asked_) {
    case 1:
      drain();
      if (signal != SIGINT) grace_ends_ = clock::now() + options_.grace;
      if (!jobs_.empty())
        say("waiting for the answers to " + counted(jobs_.size(), "item")
            + "; once more to terminate the workers");
      break;
    case 2:
      grace_ends_.reset();
      terminate_all(false);
      break;
    default:
      terminate_all(true);
      screen::show({});
      die_of(signal_.load());  // standard output may be blocked: nothing is waited for
  }
}

void coprocesses::print_state() const {
  const auto now = clock::now();
  std::string text = counted(workers_.size(), "worker") + ", at most "
                     + std::to_string(options_.jobs) + "; " + std::to_string(custody_.waiting())
                     + " waiting, " + std::to_string(finished_) + " answered";
  for (const auto& [number, w] : workers_) {
    const auto& open = custody_.open(number);
    text += "\nfmap:   worker " + std::to_string(w->slot) + ": " + std::to_string(w->given)
            + " given, " + std::to_string(open.size()) + " open";
    if (open.empty()) continue;
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - w->since);
    text += ", " + name_of(jobs_.at(open.front()).what->what) + " for "
            + std::to_string(age.count()) + " s";
  }
  say(text);
}

}  // namespace fmap::tool
