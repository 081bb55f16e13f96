// SPDX-License-Identifier: BSD-3-Clause
// Downloads any number of pages through an asynchronous client, never more than N at a time.
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include <fmap/fmap.hpp>

#include "fetch/client.hpp"
#include "fetch/command_line.hpp"

namespace {

/// Prints a line for each page as it arrives; true if all did.
bool fetch_all(const std::vector<std::string>& urls, std::size_t at_once) {
  fetch::client client;
  auto call_async = [&client](const std::string& url) { return client.get(url); };

  bool all = true;
  fmap::future_map pages{call_async, urls, at_once};
  for (auto& page : pages.outcomes()) {
    const std::string& url = urls[page.index()];
    try {
      std::printf("%zu  %s\n", page.value().size(), url.c_str());
    } catch (const std::exception& error) {
      std::fprintf(stderr, "fetch: %s: %s\n", url.c_str(), error.what());
      all = false;
    }
  }
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  fmap::init(argc, argv);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  try {
    const auto arguments = fetch::parse(argc, argv);
    if (arguments.help) return std::fputs(arguments.help->c_str(), stdout) < 0;
    return fetch_all(arguments.urls, arguments.at_once) ? EXIT_SUCCESS : EXIT_FAILURE;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fetch: %s\nTry 'fetch --help'.\n", error.what());
    return 2;
  }
}
