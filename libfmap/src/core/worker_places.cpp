// SPDX-License-Identifier: BSD-3-Clause
// A place for something of each worker's own.

#include <map>
#include <mutex>

#include <fmap/detail/function_job.hpp>

namespace fmap::detail {

struct worker_places::impl {
  std::mutex mutex;
  std::map<std::uint32_t, std::shared_ptr<void>> places;
};

worker_places::worker_places() : impl_{std::make_unique<impl>()} {}
worker_places::~worker_places() = default;

std::shared_ptr<void>& worker_places::of(std::uint32_t worker) {
  std::lock_guard guard{impl_->mutex};
  return impl_->places[worker];
}

}  // namespace fmap::detail
