// SPDX-License-Identifier: BSD-3-Clause
// Placeholders in shell scripts, quoted by where they stand.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tool/command/template.hpp"

namespace fmap::tool {

/// In which quotes a placeholder stands.
enum class quotes { bare, dbl, single, arithmetic };

/// `text` so that the shell reads it there as one piece of data. Throws `not_runnable` if that cannot be said
/// in arithmetic.
std::string quoted(std::string_view text, quotes where);

/// Why an item cannot be run.
struct not_runnable : std::runtime_error {
  using runtime_error::runtime_error;
};

/// Why a script is refused.
struct bad_script : std::runtime_error {
  using runtime_error::runtime_error;
};

/// A script whose placeholders are filled in. What is not plainly one of the places named above is refused
/// when the script is read: there `"$1"` is to be written, which is always safe.
class script {
public:
  /// Throws `bad_script`.
  script(std::string_view text, bool named, std::string_view instead = {});

  bool has_placeholders() const;
  bool shows(placeholder::what what) const;

  /// Throws `not_runnable`.
  std::string expand(const item& i, const figures& f) const;

private:
  struct part {
    std::string literal;
    std::optional<placeholder> hole;
    quotes where = quotes::bare;
  };
  std::vector<part> parts_;
};

/// The words as a shell reads them back, for people to read and paste.
std::string as_shell_text(const std::vector<std::string>& words);

}  // namespace fmap::tool
