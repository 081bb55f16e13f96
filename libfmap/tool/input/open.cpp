// SPDX-License-Identifier: BSD-3-Clause
// Sources by their names.
#include "tool/input/open.hpp"

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool/ui/messages.hpp"

namespace fmap::tool {

namespace {

std::unique_ptr<blocks> open_file(const std::string& name) {
  if (name == "-") return std::make_unique<blocks>(STDIN_FILENO, "standard input");
  const int file = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) throw usage_error{name + ": " + std::strerror(errno)};
  return std::make_unique<blocks>(file, name);
}

source_ptr open_source(const source_option& s, const options& o, const flag& stop) {
  if (o.pipe) return block_source(open_file(s.words.front()), *o.pipe, o.input.header, stop);
  if (!s.is_file) return words_source(s.words, o.input);
  return stream_source(open_file(s.words.front()), o.input, stop);
}

}  // namespace

combinations open_sources(const options& o, const flag& stop) {
  std::vector<source_option> wanted = o.sources;
  if (o.retry_failed) {
    wanted.assign(1, source_option{});
  } else if (wanted.empty()) {
    wanted.push_back({true, {"-"}, false});
    if (::isatty(STDIN_FILENO) == 1)
      say("reading items from the terminal, one a line; ^D ends them");
  }
  std::vector<linked_sources> groups;
  for (const source_option& s : wanted) {
    if (!s.linked) groups.emplace_back();
    groups.back().push_back(open_source(s, o, stop));
  }
  format f = o.input;
  if (o.pipe) f.header = false;  // the blocks have it
  return combinations{std::move(groups), f};
}

item_counter::item_counter(const options& o) {
  const bool one = o.sources.size() <= 1 && !o.retry_failed && !o.pipe;
  if (!one || o.input.csv || o.input.skip_empty) return;
  if (!o.sources.empty() && !o.sources.front().is_file) return;
  const std::string name = o.sources.empty() ? "-" : o.sources.front().words.front();
  struct stat about {};
  const int known = name == "-" ? ::fstat(STDIN_FILENO, &about) : ::stat(name.c_str(), &about);
  if (known != 0 || !S_ISREG(about.st_mode)) return;
  // By /proc, as the position is to be our own.
  const int file = ::open(name == "-" ? "/proc/self/fd/0" : name.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  if (name == "-") {
    const off_t at = ::lseek(STDIN_FILENO, 0, SEEK_CUR);
    ::lseek(file, at > 0 ? at : 0, SEEK_SET);
  }
  thread_ =
      std::thread{[this, file, delimiter = o.input.delimiter, header = o.input.header]() mutable {
        count(file, std::move(delimiter), header);
      }};
}

item_counter::~item_counter() {
  leave_ = true;
  if (thread_.joinable()) thread_.join();
}

std::optional<std::uint64_t> item_counter::total() const {
  const std::uint64_t t = total_;
  return t == unknown ? std::nullopt : std::optional{t};
}

void item_counter::count(int file, std::string delimiter, bool header) {
  splitter s{std::move(delimiter)};
  std::string bytes(1u << 18, '\0');
  std::uint64_t many = 0;
  while (!leave_) {
    const ssize_t got = ::read(file, bytes.data(), bytes.size());
    if (got < 0) break;
    if (got == 0)
      s.finish();
    else
      s.feed({bytes.data(), static_cast<std::size_t>(got)});
    while (s.next()) ++many;
    if (got == 0) {
      total_ = header && many > 0 ? many - 1 : many;
      break;
    }
  }
  ::close(file);
}

}  // namespace fmap::tool
