// SPDX-License-Identifier: BSD-3-Clause
// The files to hash, found one at a time while others are being hashed.
#pragma once

#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace checksum {

/// A file to hash, or a place that could not be looked into.
struct found_path {
  std::string path;
  std::string error;  // empty for a file to hash
};

/// How it travels to a process.
template <class Inspector>
auto inspect(Inspector& f, found_path& x) {
  return f(x.path, x.error);
}

/// A single-pass range over the files that the command line names. It looks for the next one only
/// when asked, so it holds one path and the directories above it, however large the tree is.
class found_paths {
public:
  class iterator {
  public:
    using value_type = found_path;
    using difference_type = std::ptrdiff_t;

    explicit iterator(found_paths& owner) : owner_{&owner} {}
    found_path&& operator*() const { return std::move(*owner_->current_); }
    iterator& operator++() {
      owner_->current_ = owner_->next();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return !owner_->current_; }

  private:
    found_paths* owner_;
  };

  /// `-` among the arguments stands for paths on standard input, each ended by `separator`.
  found_paths(std::vector<std::string> arguments, char separator)
      : arguments_{std::move(arguments)}, separator_{separator} {}

  iterator begin() {
    current_ = next();
    return iterator{*this};
  }
  static std::default_sentinel_t end() { return {}; }

private:
  /// A directory being walked. Where it cannot be read (further), `rest` is at its end.
  struct directory {
    explicit directory(std::string name) : path{std::move(name)}, rest{path, failure} {}

    std::string path;
    std::error_code failure;
    std::filesystem::directory_iterator rest;
  };

  std::optional<found_path> next() {
    std::optional<found_path> found;
    while (!found)
      if (!walked_.empty())
        found = walk();
      else if (reading_input_)
        found = read();
      else if (next_argument_ == arguments_.size())
        break;
      else if (std::string& argument = arguments_[next_argument_++]; argument == "-")
        reading_input_ = true;
      else
        found = start(std::move(argument));
    return found;
  }

  /// Turns to a path that was named. Symbolic links are followed here, and only here.
  std::optional<found_path> start(std::string path) {
    std::error_code ignored;  // whoever opens the file says what is wrong with it
    if (!std::filesystem::is_directory(path, ignored)) return found_path{std::move(path), {}};
    walked_.emplace_back(std::move(path));
    return std::nullopt;
  }

  /// One step through the innermost directory.
  std::optional<found_path> walk() {
    directory& here = walked_.back();
    if (here.rest == std::filesystem::directory_iterator{}) {
      directory left = std::move(here);
      walked_.pop_back();
      if (left.failure) return found_path{std::move(left.path), left.failure.message()};
      return std::nullopt;
    }

    std::filesystem::directory_entry entry = *here.rest;
    here.rest.increment(here.failure);
    std::error_code failure;
    auto type = entry.symlink_status(failure).type();
    if (type == std::filesystem::file_type::none)
      return found_path{entry.path().string(), failure.message()};
    if (type == std::filesystem::file_type::regular) return found_path{entry.path().string(), {}};
    if (type == std::filesystem::file_type::directory) walked_.emplace_back(entry.path().string());
    return std::nullopt;
  }

  /// The next path on standard input, as soon as it has arrived.
  std::optional<found_path> read() {
    std::string path;
    int next = 0;
    while ((next = getc_unlocked(stdin)) != EOF && next != static_cast<unsigned char>(separator_))
      if (path.size() < PATH_MAX)  // cut there, it is still too long to be opened
        path.push_back(static_cast<char>(next));
    if (next == EOF) {
      reading_input_ = false;
      if (std::ferror(stdin) != 0)
        return found_path{"standard input", std::generic_category().message(errno)};
      if (path.empty()) return std::nullopt;
    }
    if (auto nul = path.find('\0'); nul != std::string::npos)
      return found_path{path.substr(0, nul), "A NUL byte follows (is --null missing?)"};
    return start(std::move(path));
  }

  std::vector<std::string> arguments_;
  char separator_;
  std::size_t next_argument_ = 0;
  bool reading_input_ = false;
  std::vector<directory> walked_;  // from the outermost to the innermost
  std::optional<found_path> current_;
};

}  // namespace checksum
