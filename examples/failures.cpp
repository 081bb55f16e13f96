// SPDX-License-Identifier: BSD-3-Clause
// Some items fail; the run goes on, and each failure arrives as a value that knows its item.
#include <charconv>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmap/fmap.hpp>

int to_number(const std::string& text) {
  int number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range)
    throw std::out_of_range("'" + text + "' is too large");
  if (error != std::errc{} || end != text.data() + text.size())
    throw std::invalid_argument("'" + text + "' is not a number");
  return number;
}

std::string what(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& exception) {
    return exception.what();
  } catch (...) {
    return "unknown exception";
  }
}

int main(int argc, char** argv) {
  fmap::init(argc, argv);
  std::vector<std::string> texts{"17", "four", "23", "99999999999", "", "42"};

  fmap::thread_pool pool{2};
  fmap::future_map numbers{pool, to_number, texts, fmap::map_options{.ordered = true}};
  for (auto&& outcome : numbers.outcomes())
    if (outcome.has_value())
      std::cout << "item " << outcome.index() << ": " << outcome.value() << '\n';
    else
      std::cout << "item " << outcome.index() << " failed: " << what(outcome.error()) << '\n';

  auto stats = numbers.stats();
  std::cout << stats.failed << " of " << stats.taken << " failed\n";

  if (std::cout.flush()) return EXIT_SUCCESS;
  std::cerr << "failures: write error\n";
  return EXIT_FAILURE;
}
