// SPDX-License-Identifier: BSD-3-Clause
// The inside of a node: frames from the pool become runs on worker processes of its own.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "actors/pool_core.hpp"
#include "src/remote/host/relay_job.hpp"
#include "src/remote/host/relay_sender.hpp"
#include "src/remote/item_span.hpp"
#include "src/remote/link/beat.hpp"
#include "src/remote/process_shared.hpp"
#include "src/remote/uplink.hpp"

namespace fmap::remote {

/// The inside of a pool of processes, made for a node.
using make_processes =
    std::function<std::shared_ptr<detail::pool_core>(std::uint32_t workers, process_settings)>;

/// What a node is, as it was started.
struct agent_options {
  std::string name;
  std::uint32_t workers = 1;
  std::chrono::nanoseconds drain =
      std::chrono::seconds{25};  ///< to finish what has begun, after a signal
  std::array<std::uint64_t, 2> incarnation{};

  /// Of a node that can call a pool again: at once, and after a while. They do not return.
  void (*come_again)() = nullptr;
  void (*come_later)() = nullptr;
};

/// A node runs no user code and decodes no item: nothing that a function does can end, silence or stall it. It decides
/// nothing about retries either: what became of an item it reports, and its pool decides. Trusts nothing that it is
/// sent. One thread calls it.
class agent {
public:
  agent(uplink& up, agent_options options, make_processes make);
  agent(const agent&) = delete;
  agent& operator=(const agent&) = delete;

  /// Says who it is.
  void greet();

  /// Acts on a frame. False: it makes no sense.
  bool receive(frames::kind, wire::reader&);

  /// Bytes have arrived.
  void heard(beat::duration now);

  /// Takes nothing more, gives back what has not begun, and ends when the rest is done, or after so long. The second
  /// time: at once.
  void leave(beat::duration time, const std::string& why);
  beat::duration time_to_leave() const noexcept { return options_.drain; }

  /// Once in each turn: gives signs of life, and looks after the pool's and its own. False: the pool is silent.
  bool look(beat::duration now);

  /// Milliseconds until it has to look again.
  int pause(beat::duration now) const;

  const std::string& name() const noexcept { return name_; }
  bool welcomed() const noexcept { return core_ != nullptr; }

  /// Of a node that was given none.
  static std::string usual_name();
  beat::duration silence() const noexcept { return silence_; }

private:
  struct open_run {
    std::shared_ptr<relay_job> work;
    std::shared_ptr<relay_sender> sender;
    run_ptr here;
  };

  bool welcome(wire::reader&);
  bool open(wire::reader&);
  bool batch(wire::reader&);
  bool close(wire::reader&);
  bool leave(wire::reader&);
  void give_back(run_id there, const open_run&);
  bool take_beat(wire::reader&);
  [[noreturn]] void refused(wire::reader&);
  [[noreturn]] void quit(wire::reader&);
  void give_up();
  open_run* find(run_id);

  uplink& up_;
  const agent_options options_;
  const std::string host_, name_;
  const make_processes make_processes_;
  std::shared_ptr<detail::pool_core> core_;
  std::map<run_id, open_run> runs_;
  // Runs that were closed and in which something is still being executed.
  std::shared_ptr<std::atomic<int>> unfinished_ = std::make_shared<std::atomic<int>>(0);
  std::uint64_t largest_ = 0;
  beat::duration silence_{std::chrono::minutes{1}}, now_{};
  std::optional<beat> beats_;
  std::optional<beat::duration> leave_by_;
};

}  // namespace fmap::remote
