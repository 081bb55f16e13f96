// SPDX-License-Identifier: BSD-3-Clause
// The job of the tasks of a pool of threads.
#pragma once

#include <exception>
#include <memory>
#include <utility>
#include <variant>

#include <fmap/detail/function_job.hpp>
#include <fmap/detail/task.hpp>

namespace fmap::detail {

/// Each task completes its own future.
class task_job final : public typed_job<task_ptr, std::monostate> {
public:
  task_job() { delivers = true; }

  std::uint32_t apply(chunk& c, std::uint32_t i, progress& at, std::uint32_t /*worker*/) override {
    for (; at.claim(i); ++i) take(c, i)->run();
    return i;
  }

  void fail(chunk& c, std::uint32_t i, const std::exception_ptr& error) override {
    const task_ptr t = take(c, i);
    if (error)
      t->refuse(error);
    else
      t->cancel();
  }

private:
  static task_ptr take(chunk& c, std::uint32_t i) {
    auto* slot = static_cast<task_ptr*>(c.at(i));
    task_ptr t = std::move(*slot);
    std::destroy_at(slot);
    c.state(i).store(slot_state::empty, std::memory_order_relaxed);
    return t;
  }
};

}  // namespace fmap::detail
