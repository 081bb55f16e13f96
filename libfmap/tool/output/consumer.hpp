// SPDX-License-Identifier: BSD-3-Clause
// Takes what commands have printed and how they ended: what is written, recorded, counted, and said.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "tool/command/template.hpp"
#include "tool/launch/line_queue.hpp"
#include "tool/launch/outputs.hpp"
#include "tool/launch/runner.hpp"
#include "tool/options/options.hpp"
#include "tool/output/results.hpp"
#include "tool/output/writer.hpp"
#include "tool/policy/exit_status.hpp"
#include "tool/record/journal.hpp"
#include "tool/record/jsonl.hpp"

namespace fmap::tool {

/// Where outputs and records go; descriptors are -1 where nothing goes.
struct destinations {
  int out = 1;
  int job_log = -1;
  int jsonl = -1;
  int quarantine = -1;
  journal* book = nullptr;
  std::optional<std::uint64_t> total{};  // of commands, if that is known
};

class consumer {
public:
  consumer(const options& o, outputs& from, runner& jobs, destinations to);

  /// Writes the output of a job that was handed over, until it has ended, and records it.
  void take(job& j);

  /// Writes lines as they come, until the queue is closed. In a thread of its own.
  void write_lines(line_queue& from);

  /// `all_read`: the input has ended.
  void finish(bool all_read);

  /// fmap itself cannot go on.
  void broken(const std::string& why);

  bool reader_left() const { return nobody_reads_; }
  tally result() const {
    tally t = tally_;
    t.broken = broken_;
    return t;
  }

  std::uint64_t done() const { return done_; }
  std::uint64_t failures() const { return failures_; }

private:
  void write(job& j, stream_of from, std::string_view bytes);
  void write_raw(stream_of from, std::string_view bytes);
  void record(job& j);
  void take_back(off_t from);
  void append(int file, const std::string& line, const char* option);
  void judge(const job& j);
  void give_up(const job& j, const item& i, const ending& e);
  void nobody_reads();
  void report_start(const ending& e) const;

  const options& options_;
  outputs& from_;
  runner& jobs_;
  destinations to_;
  std::optional<word> tag_;
  std::optional<results> results_;
  bool results_begun_ = false;
  std::optional<job_output> kept_;  // for --jsonl
  std::string error_tail_;          // for --quarantine

  std::mutex mutex_;  // of the writer
  writer writer_;
  tally tally_;
  std::uint64_t named_ = 0;
  bool skipped_ = false;
  std::atomic<bool> broken_{false};
  std::atomic<bool> nobody_reads_{false};
  std::atomic<std::uint64_t> done_{0};
  std::atomic<std::uint64_t> failures_{0};
};

}  // namespace fmap::tool
