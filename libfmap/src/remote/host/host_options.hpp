// SPDX-License-Identifier: BSD-3-Clause
// What a node was started with: flags, and environment variables where there is no flag.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "src/remote/host/agent.hpp"
#include "src/remote/link/address.hpp"
#include "src/remote/link/tls.hpp"

namespace fmap::remote {

struct host_options {
  agent_options agent;
  std::vector<address>
      pool;  ///< where it may be; empty: at the other end of standard input and output
  std::optional<tls_material> tls;
  std::string pool_name;  ///< that its certificate is for; empty: the host that is dialled
  std::chrono::seconds give_up{600};  ///< after so long without a pool; 0: never
  std::optional<std::chrono::nanoseconds> leave_after{};  ///< as its time will be over
  bool quiet = false;                                     ///< tells nothing but errors

  bool dials() const { return !pool.empty(); }
};

/// The variables that stand for flags, by name and value; those that are not set are empty.
using variables = std::string (*)(const std::string& name);

/// `alive`: for so long there has been this node. Throws std::invalid_argument for flags that make no sense.
host_options host_options_of(int argc, char** argv, variables, std::chrono::nanoseconds alive = {});

}  // namespace fmap::remote
