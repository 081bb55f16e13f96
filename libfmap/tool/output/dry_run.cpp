// SPDX-License-Identifier: BSD-3-Clause
// Commands that are not run.
#include "tool/output/dry_run.hpp"

#include <csignal>
#include <cstring>
#include <string>

#include "tool/output/writer.hpp"
#include "tool/policy/exit_status.hpp"
#include "tool/ui/messages.hpp"
#include "tool/ui/signals.hpp"

namespace fmap::tool {

int print_commands(item_reader& from, const command& what) {
  std::signal(SIGPIPE, SIG_IGN);
  tally t;
  writer out;
  while (const auto i = from.next()) {
    ++t.ended;
    std::string problem = i->problem;
    try {
      if (problem.empty()) out.write(stream_of::out, as_shell_text(what.words(*i, 1)) + "\n");
    } catch (const not_runnable& e) {
      problem = e.what();
    }
    if (!problem.empty()) {
      ++t.failed;
      say(name_of(*i) + ": not runnable: " + problem);
    }
    if (out.now() == writer::state::nobody_reads) die_of(SIGPIPE);
    if (out.now() == writer::state::broken) {
      say(std::string{"cannot write: "} + std::strerror(out.error()));
      t.broken = true;
      break;
    }
  }
  return exit_status(t);
}

int print_command(const std::vector<std::string>& words) {
  std::signal(SIGPIPE, SIG_IGN);
  writer out;
  out.write(stream_of::out, as_shell_text(words) + "\n");
  return out.now() == writer::state::broken ? 125 : 0;
}

}  // namespace fmap::tool
