// SPDX-License-Identifier: BSD-3-Clause
// What all worker processes of a pool have in common.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "src/remote/restart_budget.hpp"
#include "src/remote/start_slots.hpp"

namespace fmap::remote {

/// How they are to be.
struct process_settings {
  std::uint32_t threads = 1;
  std::string initializer;
  std::optional<std::uint64_t> max_items;
  std::size_t restarts = 5;
  std::chrono::nanoseconds restart_window{};
  std::vector<std::string> environment;  // all of it
  int nice = 0;
  std::optional<std::uint64_t> address_space_limit;
};

/// What their sessions share.
struct process_shared {
  explicit process_shared(process_settings s)
      : settings{std::move(s)}, budget{settings.restarts, settings.restart_window} {}

  const process_settings settings;
  std::atomic<std::uint32_t> proven{0};  // processes that have sent outcomes
  enum class ending { in_order, terminate, kill };
  std::atomic<ending> how_to_end{ending::in_order};  // if the pool is broken
  restart_budget budget;
  start_slots slots;
};

}  // namespace fmap::remote
