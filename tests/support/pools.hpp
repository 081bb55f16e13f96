// SPDX-License-Identifier: BSD-3-Clause
// The pool types that the tests of executors run on, and what such tests need: nothing in here shares
// memory with a task.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

#include <unistd.h>

#include <fmap/fmap.hpp>
#include <fmap/process_pool.hpp>

#include "support/catch.hpp"

/// Every pool type. Tests over this list use stateless functions, and values that can travel.
#define FMAP_TESTED_POOLS fmap::thread_pool, fmap::process_pool

/// A test case for every pool type, which is `TestType` in it.
#define TEST_CASE_ON_POOLS(name) TEMPLATE_TEST_CASE(name, "[executor]", FMAP_TESTED_POOLS)

namespace testing {

/// A place where tasks, in whatever process, report that they have arrived and wait until it is opened.
/// Make it after the pool: it is then opened before the pool waits, also when an assertion failed.
class meeting_point {
public:
  meeting_point() {
    std::string name = std::filesystem::temp_directory_path() / "fmap-test-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error{"cannot make " + name};
    path_ = name;
  }
  ~meeting_point() {
    open();
    // Again when a task left its mark meanwhile: what stayed would be a place that nobody opens.
    std::error_code error;
    do std::filesystem::remove_all(path_, error);
    while (error == std::errc::directory_not_empty);
  }
  meeting_point(const meeting_point&) = delete;
  meeting_point& operator=(const meeting_point&) = delete;

  /// What tasks know it by.
  std::string path() const { return path_; }

  void open() const { std::ofstream{path_ / "open"}; }

  /// How many tasks have come to it so far.
  std::size_t arrived() const {
    const std::filesystem::directory_iterator all{path_};
    std::size_t n = 0;
    for (const auto& entry : all)
      if (entry.path().filename() != "open") ++n;
    return n;
  }

private:
  std::filesystem::path path_;
};

/// Leaves a mark at a meeting point.
inline constexpr auto arrive = [](const std::string& path) {
  std::string mark = path + "/mark-XXXXXX";
  const int file = ::mkstemp(mark.data());
  if (file >= 0) ::close(file);
};

/// Arrives at a meeting point and waits until it is opened or gone; then returns the number.
inline constexpr auto meet = [](const std::string& path, int result) {
  arrive(path);
  while (!std::filesystem::exists(path + "/open") && std::filesystem::exists(path))
    std::this_thread::sleep_for(std::chrono::microseconds{200});
  return result;
};

}  // namespace testing
