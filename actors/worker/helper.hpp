// SPDX-License-Identifier: BSD-3-Clause
// What happens while the task that a worker runs waits for something.
#pragma once

#include <memory>

#include "src/kernel/shared_mailbox.hpp"
#include "src/kernel/working_in.hpp"

namespace fmap::actors {

/// Lets the pool start another worker for as long as this one is blocked. Without that, tasks that wait
/// for tasks of their own pool could occupy all its workers for good. (To run other work on top of the
/// task that waits would need no thread, but may put a task on top of the one that it waits for.)
class pool_helper final : public detail::helper {
public:
  explicit pool_helper(std::shared_ptr<shared_mailbox> box) : box_{std::move(box)} {}

  bool help_until(detail::parking& place, const deadline& until) override;
  bool works_for(detail::pool_key pool) const override { return pool == box_.get(); }

  shared_mailbox* box() const { return box_.get(); }

private:
  std::shared_ptr<shared_mailbox> box_;
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
  const working_in inside_;
};

}  // namespace fmap::actors
