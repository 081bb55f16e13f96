// SPDX-License-Identifier: BSD-3-Clause
// What a worker does while the task it runs waits for something.
#pragma once

#include <memory>
#include <vector>

#include "actors/shared_mailbox.hpp"

namespace fmap::actors {

/// Takes other work of the pool, one item at a time, on top of the task that waits. Without this, tasks
/// that wait for tasks of their own pool could occupy all its workers for good.
class pool_helper final : public detail::helper {
public:
  explicit pool_helper(std::shared_ptr<shared_mailbox> box) : box_{std::move(box)} {}
  ~pool_helper();

  pool_helper(const pool_helper&) = delete;
  pool_helper& operator=(const pool_helper&) = delete;

  bool help_until(detail::parking& place, const deadline& until) override;

  bool works_for(detail::pool_key pool) const override { return pool == box_.get(); }

  const shared_mailbox* box() const { return box_.get(); }

private:
  /// A task within a task ... beyond this many the stack is in danger.
  static constexpr std::size_t deepest = 500;

  struct level {
    worker place;
    std::shared_ptr<parker> bell = std::make_shared<parker>();
  };

  level& descend();

  std::shared_ptr<shared_mailbox> box_;
  std::vector<std::unique_ptr<level>> levels_;
  std::size_t depth_ = 0;
};

/// Makes a helper this thread's for as long as it lives.
class helping {
public:
  explicit helping(pool_helper& h);
  ~helping();

  helping(const helping&) = delete;
  helping& operator=(const helping&) = delete;

private:
  detail::helper* helper_before_;
  const shared_mailbox* box_before_;
};

}  // namespace fmap::actors
