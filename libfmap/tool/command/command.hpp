// SPDX-License-Identifier: BSD-3-Clause
// The command of a run: words, or a script for a shell.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tool/command/shell_context.hpp"
#include "tool/command/template.hpp"
#include "tool/options/options.hpp"

namespace fmap::tool {

class command {
public:
  /// Throws usage_error. `total`: how many items there will be, if known.
  command(const options& o, std::optional<std::uint64_t> total);

  /// Throws not_runnable.
  std::vector<std::string> words(const item& i, std::size_t slot) const;

  /// At most how much its words take of the kernel's room for that item.
  std::size_t cost(const item& i) const;

private:
  std::optional<command_words> words_;
  std::optional<script> script_;
  std::string shell_;
  std::optional<std::uint64_t> total_;
};

}  // namespace fmap::tool
