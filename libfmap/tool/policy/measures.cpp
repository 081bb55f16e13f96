// SPDX-License-Identifier: BSD-3-Clause
// Bounds, from options and processors.
#include "tool/policy/measures.hpp"

#include <algorithm>

#include "tool/policy/jobs.hpp"

namespace fmap::tool {

namespace {

constexpr std::size_t most_in_flight = 65536;

}  // namespace

measures measure(const options& o) {
  measures m;
  m.jobs = o.jobs.value_or(processors());
  if (!o.jobs && o.buffer) m.jobs = std::min(m.jobs, *o.buffer);
  m.items_each = o.max_items.value_or(1);
  m.commands = std::max<std::size_t>(4 * m.jobs, 16);
  if (o.pipe) m.commands = 2 * m.jobs + 2;  // blocks are large
  const std::size_t each = std::min(m.items_each, most_in_flight);
  m.in_flight = o.buffer.value_or(o.auto_items ? most_in_flight : m.commands * each);
  m.items_each = std::min(m.items_each, m.in_flight);
  if (o.auto_items)
    m.items_each = std::max<std::size_t>(m.in_flight / (2 * m.jobs), 1);
  else
    m.commands = m.in_flight;  // their sizes are known before others have ended
  return m;
}

}  // namespace fmap::tool
