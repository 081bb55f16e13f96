// SPDX-License-Identifier: BSD-3-Clause
// A folder for one test.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>

namespace testing {

/// A folder of its own, which goes with it.
class folder {
public:
  folder() {
    if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error{"cannot make " + path_};
  }
  /// Whoever was told to end may still write here or clear up after itself: then files come and go while they
  /// are removed, and it is done again. What cannot be removed stays; no test fails by that.
  ~folder() {
    std::error_code error;
    for (int tries = 0; tries != 100; ++tries) {
      std::filesystem::remove_all(path_, error);
      if (error != std::errc::directory_not_empty && error != std::errc::no_such_file_or_directory)
        return;
    }
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

private:
  std::string path_ = (std::filesystem::temp_directory_path() / "fmap-test-XXXXXX").string();
};

}  // namespace testing
