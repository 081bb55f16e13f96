// SPDX-License-Identifier: BSD-3-Clause
// The example of Python's ThreadPoolExecutor: blocking downloads as tasks of a pool.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <ranges>
#include <string>
#include <unordered_map>

#include <fmap/fmap.hpp>

#include "fetch/transfer.hpp"
#include "tool.hpp"

/// Retrieves a single page.
std::string load_url(const std::string& url) {
  fetch::transfer page{url};
  return page.take(curl_easy_perform(page.handle()));
}

int main(int argc, char** argv) {
  tool::occupy_standard_streams();
  fmap::init(argc, argv);
  curl_global_init(CURL_GLOBAL_DEFAULT);

  fmap::thread_pool pool{5};
  // Start all downloads, and remember which URL each future belongs to.
  std::unordered_map<fmap::future<std::string>, std::string> future_to_url;
  for (int i = 1; i < argc; ++i)
    future_to_url.emplace(pool.submit(load_url, std::string{argv[i]}), argv[i]);

  bool all = true;
  for (auto& future : fmap::as_completed(std::views::keys(future_to_url))) {
    const std::string& url = future_to_url.at(future);
    try {
      const std::string& page = future.get();
      std::printf("%s page is %zu bytes\n", url.c_str(), page.size());
    } catch (const std::exception& error) {
      std::printf("%s generated an exception: %s\n", url.c_str(), error.what());
      all = false;
    }
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    std::fputs("downloads: write error\n", stderr);
    return EXIT_FAILURE;
  }
  return all ? EXIT_SUCCESS : EXIT_FAILURE;
}
