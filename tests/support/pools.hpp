// SPDX-License-Identifier: BSD-3-Clause
// The pool types that the tests of executors run on, and what such tests need: nothing in here shares
// memory with a task.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <fmap/fmap.hpp>
#include <fmap/process_pool.hpp>

#include "support/catch.hpp"
#include "support/folder.hpp"

/// Every pool type, in one program or in two. Tests over this list use stateless functions, and values that can travel.
#if defined(FMAP_TEST_NODES)
#  include "support/nodes.hpp"
#  define FMAP_TESTED_POOLS testing::pool_on_node
#else
#  define FMAP_TESTED_POOLS fmap::thread_pool, fmap::process_pool
#endif

/// A test case for every pool type, which is `TestType` in it.
#define TEST_CASE_ON_POOLS(name) TEMPLATE_TEST_CASE(name, "[executor]", FMAP_TESTED_POOLS)

namespace testing {

/// A place where tasks, in whatever process, report that they have arrived and wait until it is opened.
/// Make it after the pool: it is then opened before the pool waits, also when an assertion failed.
class meeting_point {
public:
  meeting_point() = default;
  ~meeting_point() { open(); }
  meeting_point(const meeting_point&) = delete;
  meeting_point& operator=(const meeting_point&) = delete;

  /// What tasks know it by.
  std::string path() const { return folder_.path(); }

  void open() const { std::ofstream{folder_ / "open"}; }

  /// How many tasks have come to it so far.
  std::size_t arrived() const {
    const std::filesystem::directory_iterator all{folder_.path()};
    std::size_t n = 0;
    for (const auto& entry : all)
      if (entry.path().filename() != "open") ++n;
    return n;
  }

private:
  const folder folder_;
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
