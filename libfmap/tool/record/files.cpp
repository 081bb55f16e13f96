// SPDX-License-Identifier: BSD-3-Clause
// Opens files.
#include "tool/record/files.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool/options/options.hpp"

namespace fmap::tool {

output_file::output_file(const std::string& name, bool anew, int otherwise)
    : name_{name}, anew_{anew}, descriptor_{otherwise}, ours_{!name.empty()} {
  if (!ours_) return;
  descriptor_ = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0 && (errno == EACCES || errno == EINVAL || errno == ENXIO))
    descriptor_ = ::open(name.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw usage_error{name + ": " + std::strerror(errno)};
  if (!anew) ::lseek(descriptor_, 0, SEEK_END);
}

void output_file::begin() const {
  struct stat about {};
  if (!ours_ || !anew_ || ::fstat(descriptor_, &about) != 0 || !S_ISREG(about.st_mode)) return;
  if (::ftruncate(descriptor_, 0) != 0) throw usage_error{name_ + ": " + std::strerror(errno)};
}

output_file::~output_file() {
  if (ours_ && descriptor_ >= 0) ::close(descriptor_);
}

void output_file::title(std::string_view text) const {
  struct stat about {};
  if (!ours_ || ::fstat(descriptor_, &about) != 0) return;
  if (about.st_size != 0) {
    char last = '\n';
    if (::pread(descriptor_, &last, 1, about.st_size - 1) == 1 && last != '\n') text = "\n";
    if (last == '\n') return;
  }
  if (::write(descriptor_, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    throw usage_error{name_ + ": " + std::strerror(errno)};
}

int output_file::close() {
  if (!ours_ || descriptor_ < 0) return 0;
  return ::close(std::exchange(descriptor_, -1)) == 0 ? 0 : errno;
}

}  // namespace fmap::tool
