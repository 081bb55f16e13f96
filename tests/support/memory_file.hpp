// SPDX-License-Identifier: BSD-3-Clause
// A file in memory.
#pragma once

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace testing {

/// What is written to it can be read at any time.
class memory_file {
public:
  memory_file() : file_{::open_memstream(&text_, &size_)} {}
  ~memory_file() {
    std::fclose(file_);
    std::free(text_);
  }
  std::FILE* file() const { return file_; }
  std::string text() const { return {text_, size_}; }

private:
  char* text_ = nullptr;
  std::size_t size_ = 0;
  std::FILE* file_;
};

}  // namespace testing
