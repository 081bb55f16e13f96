// SPDX-License-Identifier: BSD-3-Clause
// The launcher ends the run, and does what signals say.
#include <algorithm>
#include <csignal>
#include <utility>

#include <sys/signalfd.h>
#include <unistd.h>

#include "tool/launch/launcher.hpp"
#include "tool/ui/messages.hpp"
#include "tool/ui/screen.hpp"
#include "tool/ui/signals.hpp"

namespace fmap::tool {

void launcher::drain() {
  if (std::exchange(draining_, true)) return;
  no_more_input_();
}

void launcher::terminate_all(bool kill) {
  drain();
  terminating_ = true;
  const auto now = clock::now();
  for (const auto& [serial, r] : running_) {
    if (!r->reaped && !r->end_it.begun()) r->end.cut_off = true;
    climb(*r, r->end_it.begin(now, options_.kill_after, kill));
  }
}

/// Nothing more is begun; what runs may finish.
void launcher::stop_for(stop why) {
  deadline_.reset();
  if (draining_) return;
  stopped_ = why;
  drain();
  if (why == stop::deadline && !running_.empty())
    say("the deadline has passed: waiting for " + counted(running_.size(), "running command"));
}

void launcher::signal_all(int signal) {
  for (const auto& [serial, r] : running_) send(*r, signal);
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
      screen::show({});
      die_of(signal_.load());  // standard output may be blocked: nothing is waited for
  }
}

void launcher::print_state() {
  const auto now = clock::now();
  std::string text = counted(running_.size(), "command") + " running, at most "
                     + std::to_string(options_.jobs) + "; " + std::to_string(waiting_.size())
                     + " waiting, " + std::to_string(later_.size()) + " to be tried again, "
                     + std::to_string(finished_) + " ended";
  for (const auto& [serial, r] : running_) {
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - r->began);
    text += "\nfmap:   " + name_of(r->runs()) + " for " + std::to_string(age.count()) + " s";
    const std::string last = last_line(r->last_bytes);
    if (!last.empty()) text += ": " + last;
  }
  say(text);
}

}  // namespace fmap::tool
