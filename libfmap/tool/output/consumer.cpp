// SPDX-License-Identifier: BSD-3-Clause
// What becomes of a job's end.
#include "tool/output/consumer.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <unistd.h>

#include "tool/output/tag.hpp"
#include "tool/record/job_log.hpp"
#include "tool/ui/messages.hpp"

namespace fmap::tool {

namespace {

constexpr std::uint64_t reported_in_full = 10;
constexpr std::size_t tail_size = 2048;

}  // namespace

consumer::consumer(const options& o, outputs& from, runner& jobs, destinations to)
    : options_{o}, from_{from}, jobs_{jobs}, to_{to}, writer_{to.out} {
  if (o.tag) tag_.emplace(*o.tag, o.input.has_names());
  if (!o.results.empty()) results_.emplace(o.results, o.input.has_names());
}

void consumer::take(job& j) {
  if (to_.jsonl >= 0 && !options_.jsonl_no_output) kept_.emplace();
  error_tail_.clear();
  const bool exact = to_.book != nullptr && !options_.output.empty();
  const off_t before = exact ? ::lseek(to_.out, 0, SEEK_CUR) : -1;
  while (const auto piece = from_.next(j)) write(j, piece->from, piece->bytes);
  const ending& e = j.end;
  if (e.cut_off && before >= 0) take_back(before);
  if (e.output_closed) nobody_reads();
  if (e.how == ending::kind::skipped || e.how == ending::kind::not_started || e.cut_off) {
    skipped_ = true;
    results_begun_ = false;
  } else if (!nobody_reads_ && !broken_) {
    record(j);
  }
  judge(j);
}

void consumer::write_lines(line_queue& from) {
  while (const auto line = from.take()) {
    if (!line->bytes.empty()) write(*line->of, line->from, line->bytes);
    if (line->then) line->then();
  }
}

void consumer::write(job& j, stream_of from, std::string_view bytes) {
  if (from == stream_of::out) j.received += bytes.size();
  if (results_) {
    if (!std::exchange(results_begun_, true)) results_->begin(j);
    results_->write(from, bytes);
  }
  if (kept_) (from == stream_of::out ? kept_->out : kept_->err) += bytes;
  if (to_.quarantine >= 0 && from == stream_of::err) {
    error_tail_ += bytes;
    error_tail_.erase(0, error_tail_.size() - std::min(error_tail_.size(), tail_size));
  }
  if (to_.jsonl == STDOUT_FILENO) return;  // in place of the outputs
  if (tag_) {
    const std::string tag = tag_->expand(j.what, {j.used.slot, to_.total}) + "\t";
    write_raw(from, tagged(bytes, tag, j.line_begins[from == stream_of::out ? 0 : 1]));
  } else {
    write_raw(from, bytes);
  }
}

void consumer::write_raw(stream_of from, std::string_view bytes) {
  std::unique_lock lock{mutex_};
  const auto before = writer_.now();
  writer_.write(from, bytes);
  const auto now = writer_.now();
  const int error = writer_.error();
  lock.unlock();
  if (now == before) return;
  if (now == writer::state::nobody_reads)
    nobody_reads();
  else
    broken(std::string{"cannot write: "} + std::strerror(error));
}

/// All of its output has been written.
void consumer::record(job& j) {
  if (results_) {
    if (!std::exchange(results_begun_, false)) results_->begin(j);
    results_->finish(j);
  }
  if (to_.jsonl >= 0) {
    append(to_.jsonl, json_line(j, kept_), "--jsonl");
    kept_.reset();
  }
  if (to_.job_log >= 0)
    append(to_.job_log,
           job_log_line(j, options_.retry_failed ? std::optional{whole(j.what)} : std::nullopt),
           "--joblog");
  if (to_.book == nullptr || broken_ || nobody_reads_) return;
  to_.book->delivered(j);
  if (const std::string problem = to_.book->problem(); !problem.empty() && !broken_)
    broken("cannot write the journal: " + problem);
}

/// What a job has printed that will be run again.
void consumer::take_back(off_t from) {
  if (::ftruncate(to_.out, from) != 0 || ::lseek(to_.out, from, SEEK_SET) != from)
    broken(std::string{"cannot cut the output file: "} + std::strerror(errno));
}

void consumer::append(int file, const std::string& line, const char* option) {
  if (file == STDOUT_FILENO) {
    write_raw(stream_of::out, line);
    return;
  }
  std::string_view left = line;
  while (!left.empty() && !broken_) {
    const ssize_t n = ::write(file, left.data(), left.size());
    if (n >= 0)
      left.remove_prefix(static_cast<std::size_t>(n));
    else if (errno != EINTR)
      broken(std::string{option} + ": cannot write: " + std::strerror(errno));
  }
}

void consumer::judge(const job& j) {
  const ending& e = j.end;
  if (e.how == ending::kind::skipped || e.cut_off) return;
  tally_.ended += many(j.what);
  done_ += many(j.what);
  if (e.how == ending::kind::not_started) {
    if (tally_.start_error == 0) report_start(e);
    tally_.start_error = e.code;
    return;
  }
  if (!failed(e)) return;
  if (tally_.failed == 0) tally_.first = status_of(e);
  tally_.largest = std::max(tally_.largest, status_of(e));
  if (j.blamed.empty()) {
    tally_.failed += many(j.what);
    failures_ = tally_.failed;
    give_up(j, j.what, e);
    return;
  }
  tally_.failed += j.blamed.size();
  failures_ = tally_.failed;
  for (const auto& [member, how] : j.blamed) {
    tally_.largest = std::max(tally_.largest, status_of(how));
    give_up(j, j.what.members[member], how);
  }
}

void consumer::give_up(const job& j, const item& i, const ending& e) {
  if (to_.quarantine >= 0)
    append(to_.quarantine,
           quarantine_line(j, i, e, error_tail_.empty() ? j.error_tail : error_tail_),
           "--quarantine");
  const std::uint64_t most = options_.verbose ? UINT64_MAX : reported_in_full;
  if (options_.quiet || nobody_reads_ || ++named_ > most) return;
  const unsigned attempts = j.used.attempts;
  say(name_of(i) + ": " + reason(e)
      + (attempts > 1 ? " after " + std::to_string(attempts) + " tries" : ""));
}

void consumer::finish(bool all_read) {
  const auto why = jobs_.stopped();
  if (why == runner::stop::halted_well) tally_.stopped_well = true;
  if (why != runner::stop::none) tally_.stopped = skipped_ || !all_read;
  if (options_.quiet || nobody_reads_) return;
  if (tally_.failed != 0)
    say(std::to_string(tally_.failed) + " of " + counted(tally_.ended, "item") + " failed");
  else if (options_.verbose)
    say(counted(tally_.ended, "item") + " succeeded");
  if (tally_.stopped && !tally_.stopped_well)
    say(std::string{why == runner::stop::deadline ? "--deadline" : "--halt"}
        + ": ended before all items were run");
}

void consumer::broken(const std::string& why) {
  broken_ = true;
  say(why);
  jobs_.terminate();
}

void consumer::nobody_reads() {
  if (!nobody_reads_.exchange(true)) jobs_.terminate();
}

void consumer::report_start(const ending& e) const {
  std::string text = reason(e);
  if (e.code == ENOENT && e.why.find(' ') != std::string::npos) text += "; did you mean -c?";
  say(text);
}

}  // namespace fmap::tool
