// SPDX-License-Identifier: BSD-3-Clause
// --journal: what has been begun, has ended and has been delivered, so that a run can be taken up again.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>

#include <sys/types.h>

#include "tool/input/items.hpp"
#include "tool/launch/job.hpp"
#include "tool/launch/outputs.hpp"
#include "tool/record/resume.hpp"

namespace fmap::tool {

/// Why the run of a journal cannot be taken up.
struct journal_refused : std::runtime_error {
  using runtime_error::runtime_error;
};

struct journal_options {
  std::string file;
  bool resume = false;
  bool failed_too = false;  // what has failed is run again
  bool by_item = false;     // not by number
  bool sync = false;        // survives a loss of power
  fingerprint run;
};

/// When a process began, in the kernel's ticks; 0 if there is none. It tells processes of the same id apart.
std::uint64_t start_of(pid_t process);

/// Each record is one write(2) behind the last one. What cannot be written is told by problem(). Outputs of commands that
/// have ended wait in the journal, or if they are large in files of the folder FILE.d, until they are delivered.
class journal {
public:
  /// Throws journal_refused. `out`: the file of the outputs, which is cut to what is known to be in it; or -1.
  journal(journal_options options, int out);
  journal(const journal&) = delete;
  journal& operator=(const journal&) = delete;
  ~journal();

  /// Has the reader begin where the earlier run ended. Throws journal_refused if the input is another one.
  void take_up(item_reader& input);

  // -- the launcher's thread --
  void began(const job& j, pid_t process);
  void ended(job& j, const ending& e, outputs& from);
  /// Puts a saved result into the outputs.
  ending lend(job& j, outputs& to);

  // -- the consumer's --
  /// All output of the job has been written.
  void delivered(const job& j);

  /// Why something could not be recorded; empty: all is well.
  std::string problem() const;

private:
  void open();
  void read_earlier();
  void cut_output();
  void tidy_folder() const;
  void wait_for_the_earlier() const;
  void write(const std::string& line);
  std::optional<std::int64_t> save(job& j, stream_of which, outputs& from, const std::string& name);
  std::string path_of(const std::string& name, stream_of which) const;
  void fail(const std::string& what);

  journal_options options_;
  resume_book book_;
  int file_ = -1;
  int out_;

  mutable std::mutex mutex_;
  std::string problem_;
};

}  // namespace fmap::tool
