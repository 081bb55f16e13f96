// SPDX-License-Identifier: BSD-3-Clause
// How many of the processors that this process may use have nothing to do.

#include "src/core/idle_processors.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include <sched.h>
#include <unistd.h>

namespace fmap::detail {

std::optional<std::uint64_t> idle_ticks(std::istream& proc_stat,
                                        const std::function<bool(std::size_t)>& usable) {
  std::uint64_t sum = 0;
  bool any = false;
  for (std::string line; std::getline(proc_stat, line);) {
    std::istringstream fields{line};
    std::string name;
    fields >> name;
    if (!name.starts_with("cpu") || name.size() == 3) continue;
    std::uint64_t user = 0, nice = 0, system = 0, idle = 0, waiting = 0;
    if (!(fields >> user >> nice >> system >> idle >> waiting)) continue;
    if (!usable(std::stoul(name.substr(3)))) continue;
    sum += idle + waiting;  // who waits for a disk leaves the processor to others
    any = true;
  }
  if (!any) return {};
  return sum;
}

namespace {

std::optional<std::uint64_t> idle_ticks_now() {
  constexpr std::size_t most = 4096;  // processors
  static_assert(most % CPU_SETSIZE == 0);
  cpu_set_t mask[most / CPU_SETSIZE];
  if (::sched_getaffinity(0, sizeof mask, mask) != 0) return {};
  std::ifstream stat{"/proc/stat"};
  return idle_ticks(stat, [&](std::size_t processor) {
    return processor < most && CPU_ISSET_S(processor, sizeof mask, mask);
  });
}

}  // namespace

double idle_between(const processor_times& before, const processor_times& now,
                    const std::vector<double>& quotas) {
  const auto rate = [&](std::chrono::nanoseconds from, std::chrono::nanoseconds to) {
    return std::chrono::duration<double>{to - from}
           / std::chrono::duration<double>{now.at - before.at};
  };
  double result = rate(before.idle, now.idle);  // it goes back where a processor is taken away
  for (std::size_t i = 0; i != quotas.size(); ++i)
    result = std::min(result, quotas[i] - rate(before.spent[i], now.spent[i]));
  return std::max(result, 0.0);
}

std::optional<processor_times> idle_processors::times(clock::time_point now) {
  const auto ticks = idle_ticks_now();
  if (!ticks) return {};
  const auto tick = std::chrono::nanoseconds{std::chrono::seconds{1}} / ::sysconf(_SC_CLK_TCK);
  processor_times result{now, tick * *ticks, {}};
  if (!quotas_) quotas_ = processor_quotas();
  for (const processor_quota& q : *quotas_) result.spent.push_back(q.spent());
  return result;
}

double idle_processors::look(clock::time_point now) {
  const auto there = times(now);
  if (!there) return 0;
  if (!samples_.empty() && now - samples_.back().at > 2 * window_) samples_.clear();
  samples_.push_back(*there);
  while (samples_.size() > 2 && now - samples_[1].at >= window_) samples_.pop_front();
  if (now - samples_.front().at < window_) return 0;
  std::vector<double> quotas;
  for (const processor_quota& q : *quotas_) quotas.push_back(q.processors);
  return idle_between(samples_.front(), *there, quotas);
}

}  // namespace fmap::detail
