// SPDX-License-Identifier: BSD-3-Clause
// What a job can do besides if its items may be executed in another process.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <fmap/detail/job.hpp>
#include <fmap/wire.hpp>

namespace fmap::detail {

/// The other half of a job whose items travel. In the process that pulled them an item stays in its slot
/// until its outcome arrives, so that it can be sent again; in the worker process the same job applies
/// the function.
class remote_job {
public:
  virtual ~remote_job() = default;

  /// The name under which the worker process makes the same job.
  virtual std::string_view key() const = 0;

  /// Appends what the function object carries with it.
  virtual void save_function(wire::writer&) const = 0;

  /// Appends an item, which stays. False: it need not be executed any more, and its slot is empty.
  virtual bool save_item(wire::writer&, chunk&, std::uint32_t) = 0;

  /// Replaces an item by its value.
  virtual void load_value(wire::reader&, chunk&, std::uint32_t) = 0;

  /// Puts an item into an empty slot.
  virtual void load_item(wire::reader&, chunk&, std::uint32_t) = 0;

  /// Appends a value, which stays.
  virtual void save_value(wire::writer&, chunk&, std::uint32_t) = 0;

  /// Whether outcomes, errors too, are passed on as they come: load_value() gets all of one.
  virtual bool relays() const { return false; }
};

/// A job made in a worker process: both halves of the same object.
struct made_job {
  std::shared_ptr<job> work;
  remote_job* remote = nullptr;
};

}  // namespace fmap::detail
