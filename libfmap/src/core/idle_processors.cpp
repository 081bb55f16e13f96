// SPDX-License-Identifier: BSD-3-Clause
// How many of the processors that this process may use have nothing to do.

#include "src/core/idle_processors.hpp"

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

double idle_processors::look(clock::time_point now) {
  const auto ticks = idle_ticks_now();
  if (!ticks) return 0;
  if (!samples_.empty() && now - samples_.back().at > 2 * window_) samples_.clear();
  samples_.push_back({now, *ticks});
  while (samples_.size() > 2 && now - samples_[1].at >= window_) samples_.pop_front();
  const sample& first = samples_.front();
  if (now - first.at < window_) return 0;
  const std::chrono::duration<double> time = now - first.at;
  return static_cast<double>(*ticks - first.ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK))
         / time.count();
}

}  // namespace fmap::detail
