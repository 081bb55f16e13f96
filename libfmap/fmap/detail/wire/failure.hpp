// SPDX-License-Identifier: BSD-3-Clause
// How both inspectors fail, and how deep they go.
#pragma once

#include <string>
#include <string_view>
#include <typeinfo>

#include <fmap/detail/api.hpp>
#include <fmap/errors.hpp>

namespace fmap::wire {

/// A value could not be written, or what was read is not what a writer writes.
class FMAP_API error : public fmap::error {
  using fmap::error::error;
};

namespace detail {

/// How many objects with `inspect` may lie within each other.
inline constexpr int max_depth = 512;

/// The first failure sticks.
class FMAP_API failure {
public:
  /// True while nothing has failed.
  bool ok() const noexcept { return !failed_; }

  /// What failed; empty while nothing has.
  const std::string& reason() const noexcept { return reason_; }

  /// Throws wire::error if something has failed.
  void throw_if_failed() const;

  /// Fails because `who` (a field, a callback) said so. Always false.
  bool refuse(std::string_view who);

protected:
  bool fail(std::string reason);
  bool fail_in(const std::type_info& type, std::string_view what);

  int depth_ = 0;

private:
  bool failed_ = false;
  std::string reason_;
};

/// Counts an object for as long as it is read or written.
class level {
public:
  explicit level(int& depth) noexcept : depth_{depth} { ++depth_; }
  ~level() { --depth_; }
  level(const level&) = delete;
  level& operator=(const level&) = delete;

private:
  int& depth_;
};

}  // namespace detail

}  // namespace fmap::wire
