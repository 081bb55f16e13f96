// SPDX-License-Identifier: BSD-3-Clause
// Items to a peer, and their outcomes from it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "src/remote/connection.hpp"
#include "src/remote/in_transit.hpp"
#include "src/remote/session_port.hpp"

namespace fmap::remote {

/// Sends items to a peer, and puts the outcomes that come back into their slots. Trusts nothing that comes back.
/// Not thread-safe.
class transfer {
public:
  transfer(session_port port, connection& line, in_transit held)
      : port_{port}, line_{line}, held_{std::move(held)} {}

  /// What is on its way.
  const in_transit& held() const noexcept { return held_; }
  void forget() { held_.forget(); }

  /// Sends a batch. What cannot be sent ends with an error. Returns how many items are on their way.
  std::uint32_t send(const parcel&);

  /// What has not begun of runs that were stopped is called back, and runs that are over are forgotten.
  void tidy_up();

  /// Calls back all that has not begun.
  void recall_all();

  /// Frames of these kinds. False: they make no sense.
  bool outcomes(wire::reader&);
  bool returned(wire::reader&);

  /// Whether anything of what the peer had been given came back.
  bool delivered() const noexcept { return delivered_; }

private:
  void open(const run_ptr&);
  bool encode(const parcel&, detail::remote_job&, std::uint32_t slot);
  void post(const parcel&, detail::remote_job&, std::uint64_t first);
  std::uint32_t take_outcomes(sent_batch&, std::uint64_t first, const frames::outcomes&,
                              std::string_view& bytes, bool& sane);
  static void load(const sent_batch&, std::uint64_t index, std::string_view bytes);

  session_port port_;
  connection& line_;
  in_transit held_;
  bool delivered_ = false;
  std::unordered_map<run_id, std::weak_ptr<run>> opened_;
  std::string scratch_;  // items that are about to be sent
  std::vector<std::uint32_t> sizes_;
};

}  // namespace fmap::remote
