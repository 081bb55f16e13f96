// SPDX-License-Identifier: BSD-3-Clause
// fmap, the command-line tool: a command for each item, in place of xargs -P and parallel.
#include <cstdio>
#include <exception>

#include <fcntl.h>
#include <unistd.h>

#include <fmap/version.hpp>

#include "tool/policy/jobs.hpp"
#include "tool/run.hpp"
#include "tool/ui/messages.hpp"

namespace {

/// Where the shell left a standard stream closed, puts something in its place that fails when it is used: no file
/// that is opened later can then be mistaken for it.
void occupy_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(stream, F_GETFD) == -1)
      (void)::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int print(const std::string& text) {
  if (std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0) return 0;
  fmap::tool::say("cannot write");
  return 125;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace fmap::tool;
  occupy_standard_streams();
  try {
    const options o = parse(argc, argv, processors());
    if (o.help) return print(help_text(o.help_all));
    if (o.version) return print("fmap " FMAP_VERSION_STRING "\n");
    if (!o.print.empty()) return print(printed(o.print));
    return run(o);
  } catch (const usage_error& e) {
    say(e.what());
    say("try fmap --help");
    return 2;
  } catch (const std::exception& e) {
    say(e.what());
    return 125;
  }
}
