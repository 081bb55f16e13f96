// SPDX-License-Identifier: BSD-3-Clause
// Exceptions that were thrown in another process.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include <fmap/detail/api.hpp>
#include <fmap/errors.hpp>

namespace fmap {

/// Where an exception was thrown that came from another process. Such an exception can be caught as the
/// standard type or the fmap type that it is or derives from, and as this:
///
///     try {
///       pool.submit(parse, text).get();
///     } catch (const std::invalid_argument& e) {
///       auto* origin = dynamic_cast<const fmap::remote_origin*>(&e);   // null if thrown here
///     }
class FMAP_API remote_origin {
public:
  remote_origin(std::string type_name, std::string host, int pid)
      : place_{std::make_shared<const place>(place{std::move(type_name), std::move(host), pid})} {}
  virtual ~remote_origin() = default;

  /// The type that was thrown there, as it is written in C++.
  const std::string& type_name() const noexcept { return place_->type_name; }

  /// The machine and the process.
  const std::string& host() const noexcept { return place_->host; }
  int pid() const noexcept { return place_->pid; }

protected:
  remote_origin(const remote_origin&) = default;
  remote_origin& operator=(const remote_origin&) = default;

private:
  struct place {
    std::string type_name, host;
    int pid;
  };
  std::shared_ptr<const place> place_;
};

/// An exception from another process that neither is nor derives from a type known here. Its what() is
/// the original's.
class FMAP_API remote_error : public error, public remote_origin {
public:
  remote_error(const std::string& what, const remote_origin& origin)
      : error{what}, remote_origin{origin} {}
};

}  // namespace fmap
