// SPDX-License-Identifier: BSD-3-Clause
// How a node finds its pool.
#pragma once

#include <memory>
#include <string>

#include "src/remote/host/comeback.hpp"
#include "src/remote/host/host_options.hpp"
#include "src/remote/link/tls.hpp"
#include "src/remote/stream.hpp"

namespace fmap::remote {

/// A connection to a pool, for two threads: one reads, the other writes.
struct pool_line {
  std::unique_ptr<stream> in, out;
  tls_stream* encrypted = nullptr;  // one of those, or nobody
  std::string where{};

  explicit operator bool() const { return in != nullptr; }
};

/// Calls a pool's addresses in turn until one answers.
class dialler {
public:
  /// `wake_up` is readable once nobody is to be called any more. Throws std::invalid_argument if the certificates cannot
  /// be used.
  dialler(const host_options&, heritage&, int wake_up);

  /// Exits if it gives up, if its certificate is refused, or if there is no use in calling any more.
  pool_line call();

private:
  void give_up_in_time(const std::string& why) const;
  pool_line try_all(std::string& why);
  pool_line try_one(const address&, std::string& why);
  pool_line encrypt(descriptor socket, const address&, std::string& why);
  bool woken(std::chrono::milliseconds within) const;
  void tell(const std::string& text) const;

  const host_options& options_;
  heritage& heritage_;
  const int wake_up_;
  std::shared_ptr<tls_context> tls_;
};

}  // namespace fmap::remote
