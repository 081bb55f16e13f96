// SPDX-License-Identifier: BSD-3-Clause
// How a map tells a pool from a function.
#pragma once

#include <concepts>
#include <memory>
#include <utility>

#include <fmap/detail/function_job.hpp>

namespace fmap::detail {

class pool_core;

/// Anything that maps can run on.
template <class Pool>
concept pool_like = requires(Pool& pool) {
  { pool.core() } -> std::convertible_to<std::shared_ptr<pool_core>>;
};

/// The job for a function on items In, as this kind of pool wants it.
template <class Pool, class In, class Fn>
std::shared_ptr<job> make_pool_job(Fn fn) {
  return Pool::template make_job<In, Fn>(std::move(fn));
}

}  // namespace fmap::detail
