// SPDX-License-Identifier: BSD-3-Clause
// Whether a pool takes new work, is being shut down, or is broken.
#pragma once

#include <exception>
#include <utility>

#include <fmap/errors.hpp>

namespace fmap::kernel {

///   open --shut down--> closing
///   open, closing --break up--> broken, and closing if it was
class pool_phase {
public:
  bool closing() const { return closing_; }
  const std::exception_ptr& broken() const { return broken_; }

  /// False: it was closing already.
  bool close() { return !std::exchange(closing_, true); }

  /// The first cause counts.
  void break_up(std::exception_ptr cause) {
    if (!broken_) broken_ = std::move(cause);
  }

  /// What is to become of the items of a broken pool.
  std::exception_ptr verdict() const { return std::make_exception_ptr(broken_pool{broken_}); }

  /// Throws broken_pool or pool_shutdown.
  void check_open() const {
    if (broken_) throw broken_pool{broken_};
    if (closing_) throw pool_shutdown{"fmap: this pool has been shut down: it takes no new work"};
  }

private:
  bool closing_ = false;
  std::exception_ptr broken_;
};

}  // namespace fmap::kernel
