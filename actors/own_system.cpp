// SPDX-License-Identifier: BSD-3-Clause
// The actor system of fmap's own.

#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>

#include "actors/own_scheduler.hpp"
#include "actors/pool_core.hpp"
#include "actors/wiring.hpp"

namespace fmap::actors {

namespace {

struct own_system {
  struct config : caf::actor_system_config {
    config() {
      configure(*this);
      schedule_safely(*this, failed);
    }
    std::exception_ptr failed;
  };

  own_system() {
    if (!settings.failed) return;
    forget_logger();
    std::rethrow_exception(settings.failed);
  }

  config settings;
  caf::actor_system system{settings};
};

}  // namespace

std::shared_ptr<caf::actor_system> default_system() {
  // Never destroyed: statics of the user's may make and destroy pools while the program ends.
  struct place {
    const kernel::home_process home{};
    std::mutex mutex;
    std::weak_ptr<own_system> existing;
  };
  static auto& here = *new std::atomic<place*>{new place};
  place* now = here;
  // What a forked process has inherited is without threads, and may be locked.
  if (now->home.left()) {
    auto fresh = std::make_unique<place>();
    if (here.compare_exchange_strong(now, fresh.get())) now = fresh.release();
  }
  std::lock_guard guard{now->mutex};
  auto owner = now->existing.lock();
  if (!owner) now->existing = owner = std::make_shared<own_system>();
  return {owner, &owner->system};
}

}  // namespace fmap::actors
