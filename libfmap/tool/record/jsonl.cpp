// SPDX-License-Identifier: BSD-3-Clause
// Lines of JSON.
#include "tool/record/jsonl.hpp"

#include "tool/record/json_text.hpp"

namespace fmap::tool {

namespace {

double seconds(std::chrono::nanoseconds time) {
  return static_cast<double>(std::chrono::duration_cast<std::chrono::microseconds>(time).count())
         / 1e6;
}

}  // namespace

std::string json_line(const job& j, const std::optional<job_output>& output) {
  json line;
  line["seq"] = j.what.number;
  put_text(line, "item", whole(j.what));
  put_texts(line, "columns", j.what.columns);
  put_texts(line, "argv", j.used.arguments);
  line["start"] = seconds(j.used.started.time_since_epoch());
  line["wall"] = seconds(j.used.wall);
  line["user"] = seconds(j.used.user);
  line["sys"] = seconds(j.used.system);
  line["maxrss_kb"] = j.used.maxrss_kb;
  const bool exited = j.end.how == ending::kind::exited;
  const bool killed = j.end.how == ending::kind::signalled;
  line["exit"] = exited ? json(j.end.code) : json();
  line["signal"] = killed ? json(j.end.code) : json();
  line["timed_out"] = j.end.timed_out;
  line["attempts"] = j.used.attempts;
  line["slot"] = j.used.slot;
  line["host"] = ":";
  if (!j.end.why.empty()) line["problem"] = j.end.why;
  if (output) {
    put_text(line, "stdout", output->out);
    put_text(line, "stderr", output->err);
  }
  return as_line(line);
}

std::string quarantine_line(const job& j, const item& i, const ending& e,
                            std::string_view error_tail) {
  json line;
  line["seq"] = j.what.number;
  put_text(line, "item", whole(i));
  line["attempts"] = j.used.attempts;
  line["exit"] = e.how == ending::kind::exited ? json(e.code) : json();
  line["signals"] = j.signals;
  line["timed_out"] = e.timed_out;
  if (!e.why.empty()) line["problem"] = e.why;
  put_text(line, "stderr", error_tail);
  return as_line(line);
}

}  // namespace fmap::tool
