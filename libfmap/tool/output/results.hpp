// SPDX-License-Identifier: BSD-3-Clause
// --results: each item's output in files of its own.
#pragma once

#include <string>
#include <string_view>

#include "tool/command/template.hpp"
#include "tool/launch/job.hpp"
#include "tool/launch/outputs.hpp"

namespace fmap::tool {

/// DIR/1/ITEM/{stdout,stderr,seq,status}, or what a template with placeholders names: the standard output there, the
/// rest beside it. Each file appears as a whole: it has another name until it is written.
class results {
public:
  /// `where`: a folder, or a template. `named`: columns have names.
  results(const std::string& where, bool named);

  // Errors are thrown as std::system_error.
  void begin(const job& j);
  void write(stream_of which, std::string_view bytes);
  void finish(const job& j);

private:
  std::string place_of(const job& j) const;
  std::string name_of(stream_of which) const;

  std::string folder_;
  word template_;
  bool is_template_ = false;
  std::string place_;
  int files_[2] = {-1, -1};
};

/// A text as the name of a file or folder: `/` as %2F, and what could not be told from it or names no file.
std::string as_file_name(std::string_view text);

}  // namespace fmap::tool
