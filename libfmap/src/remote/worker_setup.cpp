// SPDX-License-Identifier: BSD-3-Clause
// How a worker process becomes what its pool wants it to be.

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <iostream>
#include <new>
#include <string>
#include <system_error>
#include <utility>

#include <sys/resource.h>
#include <unistd.h>

#include <fmap/detail/program_fingerprint.hpp>
#include <fmap/detail/registry.hpp>

#include "src/remote/worker_exit.hpp"
#include "src/remote/worker_process.hpp"

namespace fmap::remote {

namespace {

/// Set when operator new finds no memory.
std::atomic<bool>* out_of_memory = nullptr;

}  // namespace

void exit_in_order() {
  std::cout.flush();
  std::fflush(nullptr);
  ::_exit(0);
}

/// The pool learns why this process cannot work.
void worker_process::give_up(const std::exception_ptr& why) {
  up_.send(frames::broken{}, encode_here(why));
  exit_in_order();
}

bool worker_process::setup(wire::reader& r) {
  frames::setup wanted;
  if (!frames::read(r, wanted) || core_) return false;
  apply_limits(wanted);
  up_.send(frames::hello{detail::protocol_version, detail::program_fingerprint()});
  if (wanted.initializer.empty()) up_.send(frames::started{});
  core_ = make_threads_(
      wanted.threads, [this, key = wanted.initializer] { initialize(key); },
      [](const std::exception_ptr&) { ::_exit(no_resources); });
  return true;
}

void worker_process::apply_limits(const frames::setup& wanted) {
  errno = 0;
  if (wanted.nice != 0 && ::nice(wanted.nice) == -1 && errno != 0)
    give_up(std::make_exception_ptr(std::system_error{
        errno, std::generic_category(), "fmap: nice = " + std::to_string(wanted.nice)}));
  if (!wanted.address_space_limit) return;
  const rlimit limit{*wanted.address_space_limit, *wanted.address_space_limit};
  ::setrlimit(RLIMIT_AS, &limit);
  out_of_memory = &recorder_.memory_flag();
  std::set_new_handler([] {
    out_of_memory->store(true);
    throw std::bad_alloc{};
  });
}

/// In each worker thread, before its first item; once does it.
void worker_process::initialize(const std::string& key) {
  if (key.empty()) return;
  std::call_once(initialized_, [&] {
    try {
      const auto call = detail::registry<void (*)()>::find(key);
      if (call == nullptr)
        throw error{"fmap: a worker process does not know its initializer " + key};
      call();
    } catch (...) {
      give_up(std::current_exception());
    }
    up_.send(frames::started{});
  });
}

}  // namespace fmap::remote
