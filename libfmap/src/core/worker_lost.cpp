// SPDX-License-Identifier: BSD-3-Clause
// What fmap throws for an item whose worker process died.

#include <csignal>
#include <sstream>
#include <utility>

#include <fmap/errors.hpp>

namespace fmap {

namespace {

std::string signal_name(int signal) {
  switch (signal) {
    case SIGHUP: return "SIGHUP";
    case SIGINT: return "SIGINT";
    case SIGQUIT: return "SIGQUIT";
    case SIGILL: return "SIGILL";
    case SIGTRAP: return "SIGTRAP";
    case SIGABRT: return "SIGABRT";
    case SIGBUS: return "SIGBUS";
    case SIGFPE: return "SIGFPE";
    case SIGKILL: return "SIGKILL";
    case SIGUSR1: return "SIGUSR1";
    case SIGSEGV: return "SIGSEGV";
    case SIGUSR2: return "SIGUSR2";
    case SIGPIPE: return "SIGPIPE";
    case SIGALRM: return "SIGALRM";
    case SIGTERM: return "SIGTERM";
    case SIGXCPU: return "SIGXCPU";
    case SIGXFSZ: return "SIGXFSZ";
    case SIGSYS: return "SIGSYS";
    default: return "signal " + std::to_string(signal);
  }
}

std::string lost(const std::string& what, std::uint32_t attempts, const worker_death& death) {
  std::ostringstream text;
  text << "fmap: " << what << " was given up after " << attempts
       << (attempts == 1 ? " attempt: " : " attempts: ") << detail::describe(death);
  return text.str();
}

std::string too_long(std::uint64_t index, std::chrono::nanoseconds limit) {
  std::ostringstream text;
  text << "fmap: item " << index << " ran longer than its item_timeout of "
       << std::chrono::duration<double>(limit).count() << " s";
  return text.str();
}

}  // namespace

std::string detail::describe(const worker_death& death) {
  std::string text = "worker process " + std::to_string(death.pid);
  if (!death.host.empty()) text += " on " + death.host;
  if (death.signal != 0)
    text += " was killed by " + signal_name(death.signal);
  else if (death.exit_code >= 0)
    text += " exited with code " + std::to_string(death.exit_code);
  else
    text += " was lost";
  if (!death.reason.empty()) text += " (" + death.reason + ")";
  return text;
}

worker_lost::worker_lost(std::uint64_t index, std::uint32_t attempts, worker_death death)
    : error{lost("item " + std::to_string(index), attempts, death)}, index_{index},
      attempts_{attempts}, death_{std::make_shared<const worker_death>(std::move(death))} {}

worker_lost::worker_lost(std::uint32_t attempts, worker_death death)
    : error{lost("the task", attempts, death)}, index_{0}, attempts_{attempts},
      death_{std::make_shared<const worker_death>(std::move(death))} {}

std::exception_ptr detail::error_of_task(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const worker_lost& e) {
    return std::make_exception_ptr(worker_lost{e.attempts(), e.death()});
  } catch (...) {
    return error;
  }
}

item_timeout::item_timeout(std::uint64_t index, std::chrono::nanoseconds limit)
    : error{too_long(index, limit)}, index_{index} {}

}  // namespace fmap
