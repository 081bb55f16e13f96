// SPDX-License-Identifier: BSD-3-Clause
// A node as its pool sees it: like one worker with many threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "src/remote/connection.hpp"
#include "src/remote/door/node_shared.hpp"
#include "src/remote/eventfd_bell.hpp"
#include "src/remote/link/beat.hpp"
#include "src/remote/peer.hpp"
#include "src/remote/session_port.hpp"
#include "src/remote/transfer.hpp"
#include "src/remote/watched_time.hpp"

namespace fmap::remote {

/// How a node's life came to its end.
struct node_end {
  enum class kind : std::uint8_t {
    open,         ///< it has not
    left,         ///< the pool let it go, or has no use for it
    not_started,  ///< it never joined
    refused,
    lost
  };
  kind how = kind::open;
  std::string why{};
};

/// What is told of that, if it had dialled in.
constexpr node_event_kind event_of_guest(node_end::kind how) {
  if (how == node_end::kind::left) return node_event_kind::left;
  return how == node_end::kind::refused ? node_event_kind::refused : node_event_kind::lost;
}

/// One life of a node: one connection, from its start to its end. Takes batches from the shared mailbox, sends them,
/// and puts the outcomes that come back into their slots. Whatever the other side sends, the worst that follows is the
/// end of this life. Runs on a thread of its own.
class node_session {
public:
  /// The peer is to be started.
  node_session(std::shared_ptr<shared_mailbox>, std::shared_ptr<node_shared>, std::size_t place,
               std::unique_ptr<peer>);
  /// A node that has dialled in and said who it is.
  node_session(std::shared_ptr<shared_mailbox>, std::shared_ptr<node_shared>, guest);
  ~node_session();
  node_session(const node_session&) = delete;
  node_session& operator=(const node_session&) = delete;

  /// Returns when all it held has been decided on.
  node_end live();

private:
  void start();
  bool exchange();
  bool wait();
  int pause();
  void read_all();
  bool read();
  bool receive(frames::kind, wire::reader&);
  bool greet(wire::reader&);
  bool let_in();
  bool refuse(std::string why);
  bool join(wire::reader&);
  bool take_beat(wire::reader&);
  bool broken(wire::reader&);
  bool leaving(wire::reader&);
  bool obey();
  void take();
  void finish_in_time();
  void report();
  bool look();
  bool end(node_end::kind, std::string why);
  bool connection_ended();
  void conclude();
  void decide_on_all();

  beat::duration now() const { return watched_.now(); }
  const in_transit& held() const { return transfer_->held(); }

  const std::shared_ptr<shared_mailbox> box_;
  const std::shared_ptr<node_shared> shared_;
  const std::size_t place_;
  kernel::worker self_;
  session_port port_{*box_, self_};
  std::shared_ptr<eventfd_bell> bell_ = std::make_shared<eventfd_bell>();
  const std::unique_ptr<peer> peer_;
  std::unique_ptr<connection> line_;
  const std::chrono::nanoseconds time_to_join_;
  std::optional<beat> beats_;         // since it was welcomed
  std::optional<transfer> transfer_;  // since it has joined
  watched_time watched_;
  frames::hello who_;
  std::uint32_t weight_ = 0;
  clock::duration hold_{};
  std::optional<beat::duration> quitting_;
  bool started_ = false, quiet_ = false, leaving_ = false, gone_ = false;
  std::string why_it_leaves_;
  node_end end_;
};

}  // namespace fmap::remote
