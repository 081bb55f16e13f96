// SPDX-License-Identifier: BSD-3-Clause
// How a map tells a pool from a function.
#pragma once

#include <concepts>
#include <memory>

namespace fmap::detail {

class pool_core;

/// Anything that maps can run on.
template <class Pool>
concept pool_like = requires(Pool& pool) {
  { pool.core() } -> std::convertible_to<std::shared_ptr<pool_core>>;
};

}  // namespace fmap::detail
