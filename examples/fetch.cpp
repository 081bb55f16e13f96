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
#include "tool.hpp"

namespace {

/// Prints a line for each page as it arrives; true if all did. Throws where nobody gets the lines.
bool fetch_all(const std::vector<std::string>& urls, std::size_t at_once) {
  fetch::client client;
  auto call_async = [&client](const std::string& url) { return client.get(url); };

  bool all = true;
  fmap::future_map pages{call_async, urls, at_once};
  for (auto& page : pages.outcomes()) {
    const std::string& url = urls[page.index()];
    std::string line;
    try {
      line = std::to_string(page.value().size()) + "  " + url + '\n';
    } catch (const std::exception& error) {
      std::fprintf(stderr, "fetch: %s: %s\n", url.c_str(), error.what());
      all = false;
      continue;
    }
    tool::print(line);
  }
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  tool::occupy_standard_streams();
  fmap::init(argc, argv);
  curl_global_init(CURL_GLOBAL_DEFAULT);

  fetch::command_line arguments;
  try {
    arguments = fetch::parse(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fetch: %s\nTry 'fetch --help'.\n",
                 tool::with_ascii_quotes(error.what()).c_str());
    return 2;
  }

  try {
    if (arguments.help) {
      tool::print(*arguments.help);
      return EXIT_SUCCESS;
    }
    return fetch_all(arguments.urls, arguments.at_once) ? EXIT_SUCCESS : EXIT_FAILURE;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fetch: %s\n", error.what());
    return EXIT_FAILURE;
  }
}
