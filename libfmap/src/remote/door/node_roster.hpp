// SPDX-License-Identifier: BSD-3-Clause
// Who of a pool's nodes is here.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmap/node_info.hpp>

#include "src/remote/kernel.hpp"

namespace fmap::remote {

/// Who has dialled in, and what is known of it.
struct caller_id {
  std::string name, host, from, certificate;
  int pid = 0;
  std::array<std::uint64_t, 2> incarnation{};
};

/// One place for each command, and one for each node that has dialled in. Thread-safe; events are told by the thread
/// whose doing they are.
class node_roster {
public:
  using tell_function = std::function<void(const node_event&)>;

  /// `most`: so many nodes may be here. `listens`: some may come by themselves.
  node_roster(const std::vector<std::string>& commands, std::size_t most, bool listens,
              tell_function tell);

  /// Somebody has dialled in.
  struct admission {
    enum class kind : std::uint8_t {
      let_in,
      taken,  ///< a node of that name is here
      ghost,  ///< that was its own last life, which has been cut off and is about to end
      full
    };
    kind what = kind::let_in;
    std::size_t place = 0;
  };
  admission admit(const caller_id&);

  /// Somebody who dialled in was refused; `kind` in a few words that many have in common.
  void refused(const std::string& kind, const std::string& from, const node_event&);

  /// What happens at a place.
  void starts(std::size_t place);
  bool comes(std::size_t place, std::string name, std::string host, int pid, std::size_t workers,
             std::size_t threads, doorbell_ptr bell);  // false: a node of that name is here
  void joins(std::size_t place);
  void quiet(std::size_t place, bool is);
  void leaves(std::size_t place, const std::string& why);
  void waits(std::size_t place);
  void ends(std::size_t place, node_event_kind how, const std::string& why);

  struct figures {
    std::chrono::nanoseconds round_trip{};
    std::uint64_t held = 0, done = 0, deaths = 0;
  };
  void tells(std::size_t place, const figures&);

  /// Asks a node to leave within that time. False: it is leaving already. Throws std::invalid_argument if there is no
  /// node of that name.
  bool drain(std::string_view name, std::chrono::nanoseconds time);
  /// Cuts a node off.
  void drop(std::string_view name);

  /// What a node's session has been asked to do since it last looked.
  struct wish {
    std::optional<std::chrono::nanoseconds> leave{};
    bool drop = false;
    bool cut = false;  ///< it has come again, on another connection
  };
  wish wished(std::size_t place);

  /// Nobody will come to this place any more.
  void given_up(std::size_t place);
  /// To none of the places.
  bool nobody_comes() const;
  void tell_broken(std::size_t place);

  /// Waits until so many are ready. False: the time is up, or fewer can still come.
  bool wait_for(std::size_t n, std::chrono::nanoseconds timeout);

  std::vector<node_info> all() const;
  std::size_t ready() const;    ///< nodes
  std::size_t workers() const;  ///< of those

  /// How each place's last life ended, for the text of an error.
  std::string troubles() const;

private:
  struct place_state {
    node_info info;
    bool guest = false;  // it has dialled in
    std::array<std::uint64_t, 2> incarnation{};
    figures before;  // of earlier lives
    bool here = false;
    bool asked = false;  // to leave
    wish wished{};
    doorbell_ptr bell;
    std::chrono::steady_clock::time_point ended{};
  };

  struct refusals {
    std::size_t count = 0;
    std::chrono::steady_clock::time_point told{};
  };

  std::size_t count_ready() const;
  place_state& find(std::string_view name);
  place_state& place_for(const caller_id&);
  std::string refused_text() const;
  void tell(const node_event&) const noexcept;

  const tell_function tell_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  const std::size_t most_;
  const bool listens_;
  std::deque<place_state> places_;
  std::map<std::string, refusals> refused_;
  std::string refused_last_;  // from where
};

}  // namespace fmap::remote
