// SPDX-License-Identifier: BSD-3-Clause
// A stream that may be a terminal.
#pragma once

#include <cstddef>
#include <cstdio>
#include <string_view>

#include "src/progress/line.hpp"

namespace fmap::detail {

/// Whether cursors can be moved there.
bool is_terminal(std::FILE*);

/// As it is now; 80 columns where that is not known, `height` 0.
struct terminal_size {
  std::size_t width = 80, height = 0;
};
terminal_size size_of(std::FILE*);

/// Whether the user's locale writes UTF-8.
bool is_utf8_locale();

/// One write, as far as that can be. False: nobody reads it any more. No SIGPIPE.
bool write_to(std::FILE*, std::string_view text);

}  // namespace fmap::detail
