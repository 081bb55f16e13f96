// SPDX-License-Identifier: BSD-3-Clause
// What a node_pool tells of its nodes.

#include <sstream>
#include <utility>

#include <fmap/node_info.hpp>

namespace fmap {

namespace {

std::string lost(std::uint64_t index, std::uint32_t attempts, const worker_death& death,
                 const std::string& node) {
  std::ostringstream text;
  text << "fmap: item " << index << " was lost with node " << node << " (" << death.reason
       << ") and may have been executed";
  if (attempts > 1)
    text << "; it was given up after " << attempts << " attempts";
  else
    text << "; max_attempts = 1 forbids to try again";
  return text.str();
}

}  // namespace

node_lost::node_lost(std::uint64_t index, std::uint32_t attempts, worker_death death,
                     std::string node)
    : worker_lost{index, attempts, std::move(death)}, node_{std::make_shared<const std::string>(
                                                          std::move(node))},
      text_{std::make_shared<const std::string>(
          lost(index, attempts, worker_lost::death(), *node_))} {}

std::string_view to_string(node_state s) noexcept {
  switch (s) {
    case node_state::starting: return "starting";
    case node_state::ready: return "ready";
    case node_state::quiet: return "quiet";
    case node_state::leaving: return "leaving";
    case node_state::waiting: return "waiting";
    case node_state::given_up: return "given up";
    case node_state::left: return "left";
    case node_state::gone: break;
  }
  return "gone";
}

std::string_view to_string(node_event_kind k) noexcept {
  switch (k) {
    case node_event_kind::joined: return "joined";
    case node_event_kind::refused: return "refused";
    case node_event_kind::quiet: return "quiet";
    case node_event_kind::lost: return "lost";
    case node_event_kind::leaving: return "leaving";
    case node_event_kind::left: return "left";
    case node_event_kind::broken: return "broken";
    case node_event_kind::launch_failed: break;
  }
  return "launch failed";
}

}  // namespace fmap
