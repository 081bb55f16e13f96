// SPDX-License-Identifier: BSD-3-Clause
// A worker process as its pool sees it: like one worker with a larger capacity.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>

#include "src/remote/connection.hpp"
#include "src/remote/eventfd_bell.hpp"
#include "src/remote/peer.hpp"
#include "src/remote/post_mortem.hpp"
#include "src/remote/process_shared.hpp"
#include "src/remote/session_port.hpp"
#include "src/remote/transfer.hpp"
#include "src/remote/watchdog.hpp"

namespace fmap::remote {

/// One life of one peer, from its start to its end. Takes batches from the shared mailbox, sends them, and puts the
/// outcomes that come back into their slots. Runs on a thread of its own.
class session {
public:
  session(std::shared_ptr<shared_mailbox>, std::shared_ptr<process_shared>, std::unique_ptr<peer>);
  ~session();
  session(const session&) = delete;
  session& operator=(const session&) = delete;

  /// Returns when the peer has ended and everything it held has been decided on.
  void live();

private:
  void start();
  bool exchange();
  enum class heard : std::uint8_t { something, nothing, the_end };
  heard wait();
  void read_all();
  bool read();
  bool receive(frames::kind, wire::reader&);
  bool greet(wire::reader&);
  bool broken(wire::reader&);
  void take();
  void watch();
  void finish_in_time();
  void release_slot();
  watchdog::moment now() const;
  const in_transit& held() const { return transfer_->held(); }

  void conclude(const std::exception_ptr& not_started);
  worker_death end();
  void end_in_order();
  peer_life life(bool started) const;
  void start_failed(std::exception_ptr why);
  void prove();

  const std::shared_ptr<shared_mailbox> box_;
  const std::shared_ptr<process_shared> shared_;
  kernel::worker self_;
  session_port port_{*box_, self_};
  std::shared_ptr<eventfd_bell> bell_ = std::make_shared<eventfd_bell>();
  const std::unique_ptr<peer> peer_;
  std::optional<connection> line_;
  std::optional<transfer> transfer_;
  spinner spin_;
  watched_time watched_;
  watchdog watchdog_;
  peer_life life_;
  clock::time_point started_at_ = clock::now();
  bool has_slot_ = false;   // it may work
  std::uint64_t sent_ = 0;  // items, in its life
};

}  // namespace fmap::remote
