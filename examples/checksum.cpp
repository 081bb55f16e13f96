// SPDX-License-Identifier: BSD-3-Clause
// A parallel sha256sum over any number of files in bounded memory: find / -type f | checksum -
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <utility>

#include <fmap/fmap.hpp>
#include <fmap/node_pool.hpp>
#include <fmap/process_pool.hpp>
#include <fmap/progress.hpp>

#include "checksum/command_line.hpp"
#include "checksum/found_paths.hpp"
#include "checksum/hasher.hpp"
#include "checksum/hosts.hpp"
#include "checksum/printer.hpp"
#include "tool.hpp"

namespace {

/// True if the statistics could be written.
bool print_stats(const auto& stats, const checksum::printer& printer) {
  double seconds = std::chrono::duration<double>(stats.elapsed).count();
  auto per_second = [&](double amount) { return seconds > 0 ? amount / seconds : 0.0; };
  auto number = [](auto value) { return static_cast<unsigned long long>(value); };
  std::fprintf(stderr, "items            %llu\n", number(printer.files()));
  std::fprintf(stderr, "failed           %llu\n", number(printer.failed()));
  std::fprintf(stderr, "bytes            %llu\n", number(printer.bytes()));
  std::fprintf(stderr, "seconds          %.3f\n", seconds);
  std::fprintf(stderr, "items/s          %.0f\n", per_second(double(printer.files())));
  std::fprintf(stderr, "MB/s             %.1f\n", per_second(double(printer.bytes()) / 1e6));
  std::fprintf(stderr, "buffersize       %llu\n", number(stats.buffersize));
  std::fprintf(stderr, "peak in flight   %llu\n", number(stats.peak_in_flight));
  return std::ferror(stderr) == 0;
}

/// True if every file could be hashed, and all that was asked for was printed.
template <class Pool>
bool hash_all(Pool& pool, const checksum::command_line& arguments) {
  fmap::map_options options{.ordered = arguments.ordered};
  if (arguments.buffer) options.buffersize = *arguments.buffer;
  auto hash = fmap::with_state([] { return checksum::hasher{}; },
                               [](checksum::hasher& hasher, checksum::found_path found) {
                                 return hasher(std::move(found));
                               });
  checksum::found_paths paths{arguments.paths, arguments.null_separated ? '\0' : '\n'};
  checksum::printer printer;

  fmap::future_map files{pool, hash, std::move(paths), options};
  for (const checksum::checked_file& file : fmap::progress(files, checksum::progress_options()))
    printer.print(file);
  const bool printed = !arguments.stats || print_stats(files.stats(), printer);
  return printed && printer.failed() == 0;
}

bool hash_all(const checksum::command_line& arguments) {
  if (!arguments.listen.empty()) {
    fmap::node_pool pool{{.listen = arguments.listen, .tls = fmap::temporary_tls}};
    pool.write_join_file(arguments.join_file);
    const bool well = hash_all(pool, arguments);
    pool.shutdown({.send_home = true});
    return well;
  }
  if (!arguments.nodes.empty()) {
    std::optional<std::size_t> jobs;
    if (arguments.jobs_given) jobs = arguments.jobs;
    fmap::node_pool pool{{.launch = checksum::commands_for(arguments.nodes, jobs)}};
    return hash_all(pool, arguments);
  }
  if (arguments.processes) {
    fmap::process_pool pool{arguments.jobs};
    return hash_all(pool, arguments);
  }
  fmap::thread_pool pool{arguments.jobs};
  return hash_all(pool, arguments);
}

}  // namespace

int main(int argc, char** argv) {
  tool::occupy_standard_streams();
  fmap::init(argc, argv);

  checksum::command_line arguments;
  try {
    arguments = checksum::parse(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "checksum: %s\nTry 'checksum --help'.\n",
                 tool::with_ascii_quotes(error.what()).c_str());
    return EXIT_FAILURE;  // as sha256sum
  }

  try {
    if (arguments.text) {
      tool::print(*arguments.text);
      return EXIT_SUCCESS;
    }
    return hash_all(arguments) ? EXIT_SUCCESS : EXIT_FAILURE;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "checksum: %s\n", error.what());
    return EXIT_FAILURE;
  }
}
