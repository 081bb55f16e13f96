// SPDX-License-Identifier: BSD-3-Clause
// Options that make no sense together.
#include <algorithm>

#include "tool/options/values.hpp"

namespace fmap::tool {

namespace {

/// Options of which only one can have its way with the outputs.
void check_outputs(const options& o) {
  const bool looked_at = o.tag || !o.output.empty() || !o.results.empty() || !o.jsonl.empty();
  if (o.ungroup && (looked_at || o.ordered || o.line_buffer))
    throw usage_error{
        "-u: commands write to our output themselves, so not with -k, -o, --line-buffer, --tag, "
        "--results or --jsonl"};
  if (o.line_buffer && (!o.results.empty() || !o.jsonl.empty() || !o.journal.empty()))
    throw usage_error{"--line-buffer mixes outputs: not with --results, --jsonl or --journal"};
  if (o.ungroup && !o.journal.empty())
    throw usage_error{
        "-u: outputs pass by the journal, so nobody could deliver them once: not with "
        "--journal"};
}

void check_tty(const options& o) {
  if (o.jobs && *o.jobs != 1)
    throw usage_error{"--tty: one at a time has the terminal, so no -j but -j 1"};
  if (o.to_input || o.pipe)
    throw usage_error{"--tty: the terminal is the standard input: not with --stdin or --pipe"};
  if (o.tag || !o.output.empty() || !o.results.empty() || !o.jsonl.empty() || o.line_buffer
      || o.bar)
    throw usage_error{
        "--tty: commands write to the terminal themselves: not with -o, --line-buffer, --tag, "
        "--results, --jsonl or --bar"};
}

void check_worker(const options& o) {
  if (o.max_items || o.auto_items || o.split_failed || o.to_input || o.pipe)
    throw usage_error{
        "--worker: items are given to commands that stay: not with -n, --split-failed, --stdin or "
        "--pipe"};
  if (o.ungroup || o.line_buffer || o.tty)
    throw usage_error{
        "--worker: what commands print are their answers: not with -u, --line-buffer or --tty"};
  if (!o.workdir.empty() || !o.jobs_file.empty() || o.pace.asked_for() || o.load
      || o.memory_free != 0)
    throw usage_error{
        "--worker: commands are started once: not with --workdir, -j FILE, --delay, --rate, "
        "--load or --memfree"};
  const bool lines =
      o.worker->kind == protocol_kind::lines || o.worker->kind == protocol_kind::lines0;
  if (!o.worker->answer_end.empty() && !lines)
    throw usage_error{"--answer-end is for --worker=lines and lines0"};
}

void check_records(const options& o) {
  if (o.pipe
      && (o.to_input || o.max_items || o.auto_items || o.input.columns || o.input.columns_at
          || o.input.csv || o.input.json))
    throw usage_error{"--pipe gives blocks to commands: not with --stdin, -n, -C, --csv or --tsv"};
  for (const source_option& s : o.sources)
    if (o.pipe && (!s.is_file || o.sources.size() > 1))
      throw usage_error{"--pipe reads standard input, or one file: -a FILE"};
  if (o.pipe && !o.pipe->bytes && o.pipe->end.empty() && o.pipe->start.empty())
    throw usage_error{
        "--record-end: records need a mark: --record-end, --record-start or --record-bytes"};
  if (o.split_failed && !o.max_items && !o.auto_items)
    throw usage_error{"--split-failed is for commands of several items: -n N"};
  if (o.resume && o.journal.empty() && o.job_log.empty())
    throw usage_error{"--resume: from what? --journal=FILE or --joblog=FILE"};
  if (o.resume_by_item && o.journal.empty())
    throw usage_error{"--resume-by=item needs a journal: --journal=FILE"};
  if (o.auto_items && (o.resume || !o.journal.empty()))
    throw usage_error{
        "-n auto: the commands of two runs differ, so that none can be taken up; write "
        "-n N"};
  if (o.sync && o.journal.empty()) throw usage_error{"--sync is for --journal=FILE"};
}

}  // namespace

void check(const options& o) {
  if (o.help || o.version || !o.print.empty()) return;
  if (o.script && !o.command.empty())
    throw usage_error{"'" + o.command.front()
                      + "': with -c there is no COMMAND; items stand behind :::"};
  if (o.retry_failed) {
    if (o.job_log.empty()) throw usage_error{"--retry-failed: of which job log? --joblog=FILE"};
    if (o.script || !o.command.empty() || !o.sources.empty())
      throw usage_error{"--retry-failed takes commands and items from the job log: leave them out"};
    return;
  }
  if (!o.script && o.command.empty())
    throw usage_error{"which command? fmap COMMAND [ARGUMENT]..."};
  if (o.input.csv && o.input.columns)
    throw usage_error{"--csv and --tsv split records themselves: not with -C"};
  if (o.input.csv && o.input.delimiter != "\n")
    throw usage_error{"--csv and --tsv end records themselves: not with -0 or -d"};
  if (o.input.columns_at && (o.input.csv || o.input.columns))
    throw usage_error{"--columns-regex: not with -C, --csv or --tsv, which split items themselves"};
  if (o.input.json && (o.input.csv || o.input.columns || o.input.columns_at || o.input.header))
    throw usage_error{
        "--jsonl-items: members have names already: not with -C, --columns-regex, --csv, --tsv or "
        "--header"};
  if (o.tty) check_tty(o);
  if (o.worker) check_worker(o);
  check_outputs(o);
  check_records(o);
  const auto files = [&](const source_option& s) { return s.is_file && s.words.front() == "-"; };
  if (std::count_if(o.sources.begin(), o.sources.end(), files) > 1)
    throw usage_error{"standard input can be read once only"};
  if (o.jobs && o.buffer && *o.buffer < *o.jobs)
    throw usage_error{"-b " + std::to_string(*o.buffer) + " is less than -j "
                      + std::to_string(*o.jobs) + ": so many could never run at a time"};
}

}  // namespace fmap::tool
