// SPDX-License-Identifier: BSD-3-Clause
// The outputs of jobs go to our own standard output and error, or to a file.
#pragma once

#include <cstdint>
#include <string_view>

#include <unistd.h>

#include "tool/launch/outputs.hpp"

namespace fmap::tool {

/// Once something cannot be written, nothing more is.
class writer {
public:
  /// `out`: where standard outputs go.
  explicit writer(int out = STDOUT_FILENO) : out_{out} {}

  enum class state { writes, nobody_reads, broken };

  void write(stream_of where, std::string_view bytes);
  state now() const { return state_; }
  /// What went wrong, as errno.
  int error() const { return error_; }

private:
  int out_;
  state state_ = state::writes;
  int error_ = 0;
};

}  // namespace fmap::tool
