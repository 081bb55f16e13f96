// SPDX-License-Identifier: BSD-3-Clause
// The line at the bottom of the terminal, which makes way for everything else.
#pragma once

#include <cstddef>
#include <string>

namespace fmap::tool::screen {

/// From here on there is such a line.
void use();

/// While it lives, the line is gone and nobody else writes. Costs nothing if there is no such line.
class quiet {
public:
  quiet();
  quiet(const quiet&) = delete;
  quiet& operator=(const quiet&) = delete;
  ~quiet();

private:
  bool locked_;
};

/// Shows the line in place of the one before; empty: none.
void show(const std::string& line);

/// How many columns there are; 80 if that is not known.
std::size_t width();

}  // namespace fmap::tool::screen
