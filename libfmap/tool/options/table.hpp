// SPDX-License-Identifier: BSD-3-Clause
// The options: one row each. The parser, --help and the manual page are made from it.
#pragma once

#include <string_view>

namespace fmap::tool {

enum class option {
  null,
  delimiter,
  skip_empty,
  arg_file,
  columns,
  csv,
  tsv,
  header,
  total,
  shell,
  shell_program,
  replace,
  jobs,
  buffer,
  buffersize,
  buffer_bytes,
  spill,
  ordered,
  ungroup,
  dry_run,
  verbose,
  quiet,
  timeout,
  kill_after,
  grace,
  linger,
  orphans,
  help,
  version
};

struct row {
  option what;
  char letter;        // 0: none
  const char* name;   // long
  const char* value;  // null: it takes none
  const char* help;   // empty: not shown
};

inline constexpr row table[] = {
    {option::null, '0', "null", nullptr, "NUL ends an item, not a newline"},
    {option::delimiter, 'd', "delimiter", "STR",
     "STR separates items (\\n \\t \\r \\0 \\\\ \\xHH)"},
    {option::skip_empty, 'r', "skip-empty", nullptr, "drop empty items"},
    {option::arg_file, 'a', "arg-file", "FILE", "items from FILE, as :::: (-: standard input)"},
    {option::columns, 'C', "columns", "STR",
     "split items at STR into {1} {2} ... (' +': runs of blanks)"},
    {option::csv, 0, "csv", nullptr, "items are records of RFC 4180: quotes, newlines in fields"},
    {option::tsv, 0, "tsv", nullptr, "the same with tabs"},
    {option::header, 0, "header", nullptr, "the first record names the columns: {name}"},
    {option::total, 0, "total", "N", "how many items there will be, for {##}"},
    {option::shell, 'c', "shell", "SCRIPT", "run SCRIPT by /bin/sh; the item is \"$1\""},
    {option::shell_program, 0, "shell-program", "PATH", "the shell for -c"},
    {option::replace, 'I', "replace", "STR", "only STR is a placeholder, in place of {}"},
    {option::jobs, 'j', "jobs", "N", "so many at a time: N, 50%, +2, -1 of the processors (100%)"},
    {option::buffer, 'b', "buffer", "N",
     "items in flight: read and not yet written (4 x jobs, 16)"},
    {option::buffersize, 0, "buffersize", "N", ""},
    {option::buffer_bytes, 0, "buffer-bytes", "SIZE", "outputs held in memory (64m)"},
    {option::spill, 0, "spill", "SIZE", "outputs held in a file below $TMPDIR after that (1g)"},
    {option::ordered, 'k', "ordered", nullptr, "outputs in input order"},
    {option::ungroup, 'u', "ungroup", nullptr, "commands write to our output themselves, mixed"},
    {option::dry_run, 0, "dry-run", nullptr, "print the commands, run none"},
    {option::verbose, 't', "verbose", nullptr, "print each command on standard error as it starts"},
    {option::quiet, 'q', "quiet", nullptr, "say nothing of failed items"},
    {option::timeout, 0, "timeout", "TIME", "SIGTERM to what runs longer: 2, 500ms, 5m, 1h"},
    {option::kill_after, 0, "kill-after", "TIME", "SIGKILL so long after SIGTERM (5s)"},
    {option::grace, 0, "grace", "TIME",
     "how long running commands have after SIGTERM to fmap (10s)"},
    {option::linger, 0, "linger", "TIME",
     "how long to read what background processes left open (2s)"},
    {option::orphans, 0, "orphans", "leave", "let commands run on if fmap is killed"},
    {option::help, 'h', "help", nullptr, "this text"},
    {option::version, 0, "version", nullptr, "the version"},
};

/// Options of later versions, for a better answer than "unknown".
inline constexpr std::string_view planned[] = {
    "bar",         "block",     "block-records", "color",     "columns-regex", "compat",
    "deadline",    "delay",     "env",           "exit",      "halt",          "host",
    "join",        "jsonl",     "jsonl-items",   "joblog",    "jobserver",     "journal",
    "line-buffer", "listen",    "load",          "max-items", "memfree",       "nice",
    "output",      "pipe",      "quarantine",    "rate",      "report",        "results",
    "resume",      "resume-by", "resume-failed", "retries",   "retry-delay",   "retry-failed",
    "retry-on",    "rlimit",    "split-failed",  "stdin",     "sync",          "tag",
    "trace",       "tries",     "tty",           "workdir",   "worker"};

}  // namespace fmap::tool
