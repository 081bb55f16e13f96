// SPDX-License-Identifier: BSD-3-Clause
// Keeps fmap's descriptors away from where standard input, output and error belong.
#pragma once

#include <mutex>

namespace fmap::remote {

/// A program may have closed some of descriptors 0 to 2, and may go on writing to them all the same, which is to fail.
/// While this lives, something that cannot be written is there, so that no descriptor which fmap opens gets such a
/// number. One at a time lives.
class standard_streams {
public:
  standard_streams();
  ~standard_streams();
  standard_streams(const standard_streams&) = delete;
  standard_streams& operator=(const standard_streams&) = delete;

  /// Whether the program has closed it.
  bool missing(int fd) const { return missing_[fd]; }

private:
  std::unique_lock<std::mutex> alone_;
  bool missing_[3] = {};
};

}  // namespace fmap::remote
