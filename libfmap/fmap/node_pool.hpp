// SPDX-License-Identifier: BSD-3-Clause
// A pool whose workers are processes of other machines.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmap/detail/api.hpp>
#include <fmap/detail/node_main.hpp>
#include <fmap/node_info.hpp>
#include <fmap/process_pool.hpp>

namespace fmap {

struct node_command_options {
  /// Run by /bin/sh. It starts this program with --fmap-node=- on another machine, and its standard input and output
  /// are the connection to it: "ssh -oBatchMode=yes host1 /opt/app --fmap-node=-".
  std::string command{};

  /// A node that was lost is started again, unless that happens more often than this within the window.
  std::size_t restarts = 5;
  detail::any_duration restart_window = std::chrono::seconds{60};

  /// A command whose node has not joined by then has failed.
  detail::any_duration boot_timeout = std::chrono::seconds{60};
};

/// What starts a node: a command, or one with options.
class node_command : public node_command_options {
public:
  node_command(const char* text) : node_command_options{.command = text} {}
  node_command(std::string text) : node_command_options{.command = std::move(text)} {}
  node_command(node_command_options options) : node_command_options{std::move(options)} {}
};

/// Certificates of a pool that listens. Each of the first three is the name of a file in PEM format, or its content. TLS
/// is 1.3, and both ends show a certificate: the pool's must be for servers (serverAuth), a node's for clients
/// (clientAuth), and both signed by `ca`. Files that change are read again.
struct tls_options {
  std::string certificate{}, key{}, ca{};
  std::string passphrase{};  ///< of the key
  bool bind_names = false;   ///< a node may only have a name that is in its certificate
  std::string revoked{};     ///< a list of revoked certificates
  bool temporary = false;    ///< makes all of it itself: see temporary_tls
  detail::any_duration valid_for = std::chrono::hours{24};  ///< then
};

/// A certificate authority that exists in this pool alone. What nodes need is in the join file.
inline const tls_options temporary_tls{.temporary = true};

struct node_pool_options {
  /// Where nodes dial in: "HOST:PORT", "[::]:0" (any port that is free), ":4711" (every interface), "unix:/path" (mode 600).
  /// Empty: no port is opened.
  std::string listen{};

  /// Whatever other users can reach needs it, or `insecure`: whoever can connect is given items, and is trusted with
  /// their results.
  tls_options tls{};
  bool insecure = false;

  /// One node for each of these.
  std::vector<node_command> launch{};

  /// More nodes are told to come again later.
  std::size_t max_nodes = 1000;

  /// A node may have this many threads, over all its processes; one that claims more is refused.
  std::size_t max_node_workers = 1024;

  /// Both ends of a connection give a sign of life so often; any byte counts as one. Who hears nothing for `silence`
  /// takes the other end for lost; `heartbeat` is at most a third of it.
  detail::any_duration heartbeat = std::chrono::seconds{1};
  detail::any_duration silence = std::chrono::seconds{15};

  /// Who dials in has so long to say who it is.
  detail::any_duration join_timeout = std::chrono::seconds{10};

  /// A pool that listens is broken when no node was ready for so long; left out: work waits.
  std::optional<detail::any_duration> no_nodes_timeout{};

  /// A larger item or result is that item's error.
  std::size_t max_item_bytes = std::size_t{1} << 30;

  /// How the processes on each node are to be. Their number is the node's: --fmap-workers, or as many as there are
  /// processors there. The environment is added to that of the node.
  process_pool_options processes{};

  /// Is told what happens to nodes, in a thread of fmap's. It must not block; what it throws is ignored.
  std::function<void(const node_event&)> on_event{};
};

struct node_shutdown_options {
  bool wait = true;             ///< return when all work is done; false: at once
  bool cancel_futures = false;  ///< cancel the tasks that have not been started
  bool send_home =
      false;  ///< nodes that have dialled in end, and do not wait for the next pool at this address
};

/// Worker processes on other machines. A node is this program, started there by a command, or by somebody else and dialling
/// in (`main` must call `fmap::init` first): it starts worker processes and passes items and outcomes on; it runs no
/// function of yours itself. So all that process_pool says of its processes holds: a crash costs one item an attempt, and
/// the error names host and process.
///
/// A node that is lost costs only time, too: its items go to others. They may have been executed, so with
/// `max_attempts = 1` they end with `node_lost`; the first time that happens to an item it is not blamed. Leaving a map
/// does not wait for nodes. Without a node work waits; a pool that does not listen is broken when no command is run again.
///
/// Nodes are trusted with the results of their items, as whoever runs a function is.
class FMAP_API node_pool : public basic_executor<node_pool> {
public:
  /// Throws `std::logic_error` if `fmap::init` has not been called, `std::invalid_argument` for options that make no
  /// sense, certificates that cannot be used among them, and `std::system_error` if it cannot listen. Does not wait for
  /// the nodes.
  explicit node_pool(const node_pool_options& options);

  /// The same with its actors on a system of yours, which must outlive the pool and its maps.
  node_pool(caf::actor_system& system, const node_pool_options& options);

  /// Waits until so many nodes are ready, and returns how many are. Throws `timeout_error`, which says why they are
  /// not; also before the time is up if they cannot come any more.
  std::size_t wait_for_nodes(std::size_t n, detail::any_duration timeout) const;

  /// One for each command, and one for each node that has dialled in, at one moment.
  std::vector<node_info> nodes() const;

  /// Where it listens, with the port that it got: "10.0.0.1:4711", "unix:/path". Empty if it does not.
  std::string address() const;

  /// Writes all that a node needs to be started with `--fmap-node=@PATH`: this pool's addresses and, with temporary_tls, a
  /// certificate. The file can be read by its owner alone. Throws `std::logic_error` if the pool does not listen,
  /// `std::system_error` if the file cannot be written.
  void write_join_file(const std::filesystem::path& path) const;

  /// As shutdown() of any pool. Nodes that have dialled in wait for the next pool at this address, unless they are sent
  /// home.
  void shutdown(const node_shutdown_options& options = {});

  /// Asks a node to leave: it gets nothing more, gives back what it has not begun, and ends when it has done the rest,
  /// or after `deadline`. Then what still runs there is lost, as with a node that was lost; no item is blamed. Returns
  /// at once; the event `left` tells the end, and the node's command is not run again. False: it is leaving already.
  /// Throws `std::invalid_argument` if no node of that name is here.
  bool drain(std::string_view name, detail::any_duration deadline = std::chrono::seconds{25});

  /// Cuts a node off at once. What it held goes to others, or ends as with a node that was lost. Throws as drain().
  void drop(std::string_view name);

  /// Worker processes of all nodes that are ready now.
  std::size_t workers() const;

private:
  friend basic_executor;
  template <class P, class In, class Fn>
  friend std::shared_ptr<detail::job> detail::make_pool_job(Fn);

  template <class In, class Fn>
  static std::shared_ptr<detail::job> make_job(Fn fn) {
    return std::make_shared<detail::travelling_job<In, Fn>>(std::move(fn));
  }

  template <class R, class Fn, class... Args, class... Given>
  static auto* make_task(const detail::pool_core&, Given&&... given) {
    return new detail::travelling_task<R, Fn, Args...>(std::forward<Given>(given)...);
  }
};

namespace detail {

/// A program that has node pools can be a node.
inline const bool can_be_node = set_node_main(&run_node);

}  // namespace detail

}  // namespace fmap
