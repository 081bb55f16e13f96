// SPDX-License-Identifier: BSD-3-Clause
// Runs that are taken up.
#include "tool/record/take_up.hpp"

#include <cerrno>
#include <cstring>
#include <deque>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "tool/command/shell_context.hpp"
#include "tool/record/job_log.hpp"

namespace fmap::tool {

fingerprint what_matters(const options& o) {
  const auto flag = [](bool set) { return std::string{set ? "on" : "off"}; };
  return {{"the command", o.script ? "-c " + *o.script : as_shell_text(o.command)},
          {"--shell-program", o.shell},
          {"-I", o.replace},
          {"--delimiter", as_shell_text({o.input.delimiter})},
          {"--csv", o.input.csv ? std::string(1, *o.input.csv) : "off"},
          {"--columns", o.input.columns.value_or("off")},
          {"--columns-regex", o.input.columns_at ? o.input.columns_at->text() : "off"},
          {"--jsonl-items", flag(o.input.json)},
          {"--skip-empty", flag(o.input.skip_empty)},
          {"--header", flag(o.input.header)},
          {"--max-items", std::to_string(o.max_items.value_or(1))},
          {"--split-failed", flag(o.split_failed)},
          {"--stdin", flag(o.to_input)},
          {"--worker", flag(o.worker.has_value())},
          {"--pipe", o.pipe ? std::to_string(o.pipe->block) + " " + std::to_string(o.pipe->records)
                                  + " " + std::to_string(o.pipe->bytes) + " "
                                  + as_shell_text({o.pipe->end, o.pipe->start})
                            : "off"},
          {"--tag", o.tag.value_or("off")}};
}

void take_up(item_reader& input, const options& o) {
  std::ifstream file{o.job_log, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  auto known = std::make_shared<const std::map<std::uint64_t, logged>>(read_job_log(text));
  if (!o.retry_failed) {
    input.only([known, again = o.resume_failed](const item& i) {
      const auto at = known->find(i.number);
      return at == known->end() || (again && at->second.failed());
    });
    return;
  }
  if (!file.is_open()) throw usage_error{o.job_log + ": " + std::strerror(errno)};
  std::deque<item> failed;
  for (const auto& [number, l] : *known)
    if (l.failed()) failed.push_back({number, {l.command}, nullptr, {}});
  input.put_first(std::move(failed));
}

}  // namespace fmap::tool
