// SPDX-License-Identifier: BSD-3-Clause
// Bounds, from options and processors.
#include "tool/policy/measures.hpp"

#include <algorithm>

#include "tool/policy/jobs.hpp"

namespace fmap::tool {

namespace {

constexpr std::size_t most_in_flight = 65536;
constexpr std::size_t later_commands = 4096;

}  // namespace

std::size_t in_flight_for(std::size_t jobs) { return std::max<std::size_t>(4 * jobs, 16); }

measures measure(const options& o) {
  measures m;
  m.jobs = o.jobs.value_or(processors());
  if (!o.jobs && o.buffer) m.jobs = std::min(m.jobs, *o.buffer);
  m.items_each = o.max_items.value_or(1);
  m.commands = in_flight_for(m.jobs);
  if (o.pipe) m.commands = 2 * m.jobs + 2;  // blocks are large
  const std::size_t each = std::min(m.items_each, most_in_flight);
  m.in_flight = o.buffer.value_or(o.auto_items ? most_in_flight : m.commands * each);
  m.items_each = std::min(m.items_each, m.in_flight);
  if (o.auto_items)
    m.items_each = std::max<std::size_t>(m.in_flight / (2 * m.jobs), 1);
  else
    m.commands = m.in_flight;  // their sizes are known before others have ended
  m.most_commands = m.commands;
  if (!o.jobs_file.empty() && !o.buffer) m.most_commands = std::max(m.commands, later_commands);
  if (o.worker && !o.buffer) m.most_commands = most_in_flight;  // as the depth grows
  return m;
}

}  // namespace fmap::tool
