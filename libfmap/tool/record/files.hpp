// SPDX-License-Identifier: BSD-3-Clause
// The files that a run writes.
#pragma once

#include <string>
#include <string_view>

namespace fmap::tool {

/// A file, or where its name is empty a descriptor of somebody else's.
class output_file {
public:
  /// `anew`: what is in it goes when the run begins; else it is appended to. Throws usage_error.
  output_file(const std::string& name, bool anew, int otherwise);
  output_file(const output_file&) = delete;
  output_file& operator=(const output_file&) = delete;
  ~output_file();

  int descriptor() const { return descriptor_; }

  /// Nothing can be refused any more: what was in it goes, if it is to.
  void begin() const;

  /// Writes that if the file is empty, and ends a last line that was torn.
  void title(std::string_view text) const;

  /// What went wrong with its last bytes, as errno; 0: nothing.
  int close();

private:
  std::string name_;
  bool anew_;
  int descriptor_;
  bool ours_;
};

}  // namespace fmap::tool
