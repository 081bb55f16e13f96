// SPDX-License-Identifier: BSD-3-Clause
// A journal is opened, and the run of an earlier one taken up.
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tool/record/journal.hpp"
#include "tool/ui/messages.hpp"

namespace fmap::tool {

std::uint64_t start_of(pid_t process) {
  std::ifstream file{"/proc/" + std::to_string(process) + "/stat"};
  std::string text{std::istreambuf_iterator<char>{file}, {}};
  const auto name_ends = text.rfind(')');
  if (name_ends == std::string::npos) return 0;
  std::istringstream fields{text.substr(name_ends + 1)};
  std::string field;
  for (int number = 3; number <= 22; ++number) fields >> field;
  return std::strtoull(field.c_str(), nullptr, 10);
}

void journal::open() {
  file_ = ::open(options_.file.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file_ < 0) throw journal_refused{options_.file + ": " + std::strerror(errno)};
  if (::flock(file_, LOCK_EX | LOCK_NB) != 0)
    throw journal_refused{options_.file + " is in use by another fmap"};
}

void journal::read_earlier() {
  std::ifstream file{options_.file, std::ios::binary};
  std::string text{std::istreambuf_iterator<char>{file}, {}};
  const auto whole = text.rfind('\n') + 1;  // a torn last line is cut off
  text.resize(whole);
  if (::ftruncate(file_, static_cast<off_t>(whole)) != 0)
    throw journal_refused{options_.file + ": " + std::strerror(errno)};
  try {
    book_.read(text);
  } catch (const std::runtime_error& e) {
    throw journal_refused{options_.file + ": " + e.what()};
  }
  if (const std::string what = book_.difference(options_.run); !what.empty())
    throw journal_refused{options_.file + " is of another run: " + what};
  if (book_.mixed() && !options_.by_item)
    throw journal_refused{options_.file + " was taken up by item: go on with --resume-by=item"};
  cut_output();
}

void journal::cut_output() {
  if (out_ < 0) return;
  struct stat about {};
  const auto known = static_cast<off_t>(book_.output());
  if (::fstat(out_, &about) != 0 || !S_ISREG(about.st_mode)) return;
  if (about.st_size < known)
    throw journal_refused{"the output file has " + std::to_string(about.st_size) + " bytes, and "
                          + options_.file + " knows of " + std::to_string(known)
                          + ": it is another one, or it was cut"};
  if (::ftruncate(out_, known) != 0 || ::lseek(out_, known, SEEK_SET) < 0)
    throw journal_refused{std::string{"the output file: "} + std::strerror(errno)};
}

/// What a run has left in the folder that was killed while it saved a result, or had delivered one.
void journal::tidy_folder() const {
  std::error_code none;
  std::vector<std::filesystem::path> stale;
  for (const auto& entry : std::filesystem::directory_iterator{options_.file + ".d", none}) {
    const std::filesystem::path file = entry.path().filename();
    const std::string name = file.stem().string(), kind = file.extension().string();
    const auto dash = name.find('-');
    const bool is_ours =
        (kind == ".out" || kind == ".err") && dash != std::string::npos
        && name.find_first_not_of("0123456789") == dash
        && name.find_first_not_of("0123456789abcdef", dash + 1) == std::string::npos;
    if (is_ours && !book_.needs(name)) stale.push_back(entry.path());
  }
  for (const auto& file : stale) std::filesystem::remove(file, none);
}

void journal::wait_for_the_earlier() const {
  for (const auto& p : book_.open()) {
    if (p.start == 0) continue;
    const int handle = static_cast<int>(::syscall(SYS_pidfd_open, p.id, 0));
    if (handle < 0) continue;
    if (start_of(p.id) == p.start) {
      say("waiting for process " + std::to_string(p.id) + " of the earlier run");
      pollfd end{handle, POLLIN, 0};
      while (::poll(&end, 1, -1) < 0 && errno == EINTR) {}
    }
    ::close(handle);
  }
}

void journal::take_up(item_reader& input) {
  if (options_.by_item) {
    input.only([this](item& i) {
      const auto v = book_.of(i);
      i.saved = v.saved;
      return v.what != resume_book::fate::done;
    });
    return;
  }
  std::deque<item> first;
  for (std::uint64_t number = 1; number <= book_.last(); ++number) {
    auto next = input.read_ahead();
    if (!next)
      throw journal_refused{options_.file + " is of another run: it knows item "
                            + std::to_string(book_.last()) + ", and the input ends after "
                            + std::to_string(number - 1)};
    if (!book_.same(*next))
      throw journal_refused{options_.file + " is of another run: item " + std::to_string(number)
                            + " was another one, and is " + name_of(*next)};
    const auto v = book_.of(*next);
    if (v.what == resume_book::fate::done) {
      input.pass_over(many(*next));
      continue;
    }
    next->saved = v.saved;
    first.push_back(std::move(*next));
  }
  input.put_first(std::move(first));
}

}  // namespace fmap::tool
