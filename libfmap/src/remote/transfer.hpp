// SPDX-License-Identifier: BSD-3-Clause
// Items to a peer, and their outcomes from it.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "src/remote/connection.hpp"
#include "src/remote/in_transit.hpp"
#include "src/remote/session_port.hpp"

namespace fmap::remote {

/// Sends items to a peer, and puts the outcomes that come back into their slots. Trusts nothing that comes back.
/// Not thread-safe.
class transfer {
public:
  /// `largest`: bytes of an item.
  transfer(session_port port, connection& line, in_transit held,
           std::uint64_t largest = std::numeric_limits<std::uint32_t>::max())
      : port_{port}, line_{line}, held_{std::move(held)}, largest_{largest} {}

  /// What is on its way.
  const in_transit& held() const noexcept { return held_; }
  void forget() { held_.forget(); }

  /// Sends a batch. What cannot be sent ends with an error. Returns how many items are on their way.
  std::uint32_t send(const parcel&);

  /// What has not begun of runs that were stopped is called back, and runs that are over are forgotten. Of a node all
  /// of a stopped run is forgotten at once; what it says of it means nothing until it has confirmed that.
  void tidy_up();

  /// Calls back all that has not begun.
  void recall_all();

  /// Frames of these kinds. False: they make no sense.
  bool outcomes(wire::reader&);
  bool returned(wire::reader&);
  bool closed(wire::reader&);

  /// Whether anything of what the peer had been given came back.
  bool delivered() const noexcept { return done_ != 0; }

  /// Items whose outcomes have come, and those that died elsewhere.
  std::uint64_t done() const noexcept { return done_; }
  std::uint64_t deaths() const noexcept { return deaths_; }

private:
  void open(const run_ptr&);
  bool encode(const parcel&, detail::remote_job&, std::uint32_t slot);
  void post(const parcel&, detail::remote_job&, std::uint64_t first);
  std::uint32_t take_outcomes(sent_batch&, std::uint64_t first, const frames::outcomes&,
                              std::string_view& bytes, bool& sane);
  static void load(const sent_batch&, std::uint64_t index, std::string_view bytes);
  bool ends_elsewhere(std::string_view outcome) const;
  bool take_fate(sent_batch&, std::uint64_t index, std::string_view bytes);

  session_port port_;
  connection& line_;
  in_transit held_;
  const std::uint64_t largest_;
  std::uint64_t done_ = 0, deaths_ = 0;
  std::unordered_map<run_id, std::weak_ptr<run>> opened_;
  std::unordered_set<run_id> closing_;  // a node may still speak of these
  std::string scratch_;                 // items that are about to be sent
  std::vector<std::uint32_t> sizes_;
};

}  // namespace fmap::remote
