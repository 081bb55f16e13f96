// SPDX-License-Identifier: BSD-3-Clause
// How many may run stands in a file, which may change.
#include <algorithm>
#include <cstddef>

#include <sys/inotify.h>
#include <unistd.h>

#include "tool/launch/launcher.hpp"
#include "tool/options/values.hpp"
#include "tool/policy/jobs.hpp"
#include "tool/ui/messages.hpp"

namespace fmap::tool {

/// Its folder is watched: editors put another file in its place.
void launcher::watch_jobs_file() {
  const auto slash = options_.jobs_file.rfind('/');
  const std::string folder =
      slash == std::string::npos ? "." : options_.jobs_file.substr(0, slash + 1);
  notified_ = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (notified_ < 0
      || ::inotify_add_watch(notified_, folder.c_str(), IN_CLOSE_WRITE | IN_MOVED_TO) < 0) {
    say("-j " + options_.jobs_file + ": changes will not be seen");
    return;
  }
  watch(notified_, tag(0, about::jobs_file));
  read_jobs_file();  // it may have changed before it was watched
}

void launcher::read_jobs_file() {
  alignas(inotify_event) char events[4096];
  while (::read(notified_, events, sizeof events) > 0) {}
  std::string text;
  if (!read_first_line(options_.jobs_file, text)) return;
  try {
    const std::size_t wanted = jobs_from(text, processors());
    if (wanted == options_.jobs) return;
    options_.jobs = std::min(wanted, options_.jobs_most);
    if (options_.verbose) say("-j " + options_.jobs_file + ": " + std::to_string(options_.jobs));
    if (options_.jobs_changed) options_.jobs_changed(options_.jobs);
  } catch (const usage_error&) {
    say("-j " + options_.jobs_file + ": '" + for_people(text) + "' is no number of jobs; it stays "
        + std::to_string(options_.jobs));
  }
}

}  // namespace fmap::tool
