// SPDX-License-Identifier: BSD-3-Clause
// A pool whose workers are processes of other machines.

#include <algorithm>
#include <stdexcept>
#include <string>

#include <fmap/node_pool.hpp>

#include "actors/wiring_node.hpp"
#include "src/init.hpp"
#include "src/process_options.hpp"
#include "src/remote/environment.hpp"
#include "src/remote/host/host_main.hpp"
#include "src/remote/plain_text.hpp"

namespace fmap {

namespace {

using std::chrono::nanoseconds;

constexpr std::size_t most_nodes = 10'000;
constexpr std::size_t least_item_bytes = 1024, most_item_bytes = 0xffff'ffff;

[[noreturn]] void refuse(const std::string& why) { throw std::invalid_argument{"fmap: " + why}; }

std::uint64_t count(nanoseconds d) {
  return static_cast<std::uint64_t>(std::min<nanoseconds>(d, detail::for_ever).count());
}

remote::node_launch checked(const node_command& c) {
  if (c.command.empty()) refuse("launch: a command is empty");
  if (c.restart_window < nanoseconds::zero()) refuse("restart_window is negative or not a number");
  if (c.boot_timeout <= nanoseconds::zero()) refuse("boot_timeout must be positive");
  return {c.command, c.restarts, std::min<nanoseconds>(c.restart_window, detail::for_ever),
          std::min<nanoseconds>(c.boot_timeout, detail::for_ever)};
}

remote::node_settings checked(const node_pool_options& o) {
  if (!detail::init_was_called())
    throw std::logic_error{
        "fmap: nodes run this program's main: call fmap::init(argc, argv) first in it"};
  remote::node_settings result;
  if (o.launch.empty() && o.listen.empty())
    refuse("no node can ever come: give a node_pool commands that start its nodes (launch), or an "
           "address where they dial in (listen)");
  if (o.launch.size() > most_nodes)
    refuse("launch: more than " + std::to_string(most_nodes) + " nodes are not supported");
  result.launch.reserve(o.launch.size());
  for (const node_command& c : o.launch) result.launch.push_back(checked(c));
  if (o.heartbeat <= nanoseconds::zero()) refuse("heartbeat must be positive");
  if (o.heartbeat > o.silence / 3) refuse("heartbeat must be at most a third of silence");
  if (o.max_nodes == 0) refuse("max_nodes must be at least 1");
  if (o.join_timeout <= nanoseconds::zero()) refuse("join_timeout must be positive");
  if (o.no_nodes_timeout && *o.no_nodes_timeout <= nanoseconds::zero())
    refuse("no_nodes_timeout must be positive");
  if (o.max_node_workers == 0) refuse("max_node_workers must be at least 1");
  if (o.max_item_bytes < least_item_bytes || o.max_item_bytes > most_item_bytes)
    refuse("max_item_bytes is " + std::to_string(o.max_item_bytes) + ", it goes from "
           + std::to_string(least_item_bytes) + " to " + std::to_string(most_item_bytes));
  if (o.processes.workers)
    refuse("processes.workers: how many a node has is said where it is started, --fmap-workers=N");
  const remote::process_settings p = settings_of(o.processes);
  result.most_threads = o.max_node_workers;
  result.most_nodes = o.max_nodes + o.launch.size();
  result.join_timeout = std::min<nanoseconds>(o.join_timeout, detail::for_ever);
  if (o.no_nodes_timeout)
    result.no_nodes_timeout = std::min<nanoseconds>(*o.no_nodes_timeout, detail::for_ever);
  result.bind_names = o.tls.bind_names;
  result.environment = remote::environment_with({});
  result.welcome = {.heartbeat = count(o.heartbeat),
                    .silence = count(o.silence),
                    .largest_item = o.max_item_bytes,
                    .threads = p.threads,
                    .initializer = p.initializer,
                    .max_items = p.max_items,
                    .restarts = p.restarts,
                    .restart_window = count(p.restart_window),
                    .environment = o.processes.environment,
                    .nice = p.nice,
                    .address_space_limit = p.address_space_limit};
  return result;
}

bool wants_tls(const tls_options& t) {
  return t.temporary || !t.certificate.empty() || !t.key.empty() || !t.ca.empty();
}

/// Whoever can connect is given items: what others can reach needs certificates.
void check_reach(const remote::listener& where, const node_pool_options& o) {
  if (wants_tls(o.tls) || o.insecure || where.is_private()) return;
  const std::string address = remote::to_string(where.where());
  if (where.local())
    refuse(
        "node_pool listens on " + address
        + ", which other users of this machine can reach: give it tls, or listen on unix:/path, or "
          "insecure = true if all of them may run code here");
  refuse("node_pool listens on " + address
         + ", which others can reach: give it tls, or insecure = true if everybody on that network "
           "may "
           "run code here");
}

/// What it listens with, and what its nodes need.
void add_tls(remote::node_settings& s, remote::join_file& join, const tls_options& t) {
  if (!wants_tls(t)) return;
  if (!t.temporary) {
    s.tls = remote::make_tls(remote::tls_end::pool,
                             {t.certificate, t.key, t.ca, t.passphrase, t.revoked});
    return;
  }
  if (!t.certificate.empty() || !t.key.empty() || !t.ca.empty())
    refuse("tls: temporary makes certificates of its own; leave out certificate, key and ca");
  if (t.valid_for <= nanoseconds::zero()) refuse("tls.valid_for must be positive");
  constexpr std::chrono::hours longest{24 * 365 * 100};
  auto made = remote::make_private_tls(
      std::chrono::ceil<std::chrono::seconds>(std::min<nanoseconds>(t.valid_for, longest)));
  s.tls = remote::make_tls(remote::tls_end::pool, made.pool);
  join.name = std::move(made.name);
  join.node = std::move(made.node);
}

std::shared_ptr<detail::pool_core> make_core(caf::actor_system& system,
                                             std::shared_ptr<caf::actor_system> owner,
                                             const node_pool_options& options) {
  remote::node_settings settings = checked(options);
  std::unique_ptr<remote::listener> door;
  remote::join_file join;
  if (!options.listen.empty()) {
    const remote::address where = remote::parse_address(options.listen);
    add_tls(settings, join, options.tls);
    door = std::make_unique<remote::listener>(where);
    check_reach(*door, options);
    join.addresses = remote::reachable_at(*door);
  } else if (wants_tls(options.tls)) {
    refuse("tls is for nodes that dial in: give listen, too");
  }
  auto shared =
      std::make_shared<remote::node_shared>(std::move(settings), std::move(door), options.on_event);
  shared->join = std::move(join);
  return std::make_shared<actors::node_core>(system, std::move(owner), std::move(shared));
}

remote::node_shared& shared_of(const detail::pool_core& core) {
  return static_cast<const actors::node_core&>(core).shared();
}

remote::node_roster& roster_of(const detail::pool_core& core) {
  return static_cast<const actors::node_core&>(core).roster();
}

}  // namespace

node_pool::node_pool(const node_pool_options& options) {
  auto system = actors::default_system();
  auto& s = *system;
  core_ = make_core(s, std::move(system), options);
}

node_pool::node_pool(caf::actor_system& system, const node_pool_options& options) {
  core_ = make_core(system, nullptr, options);
}

std::size_t node_pool::wait_for_nodes(std::size_t n, detail::any_duration timeout) const {
  remote::node_roster& roster = roster_of(*core_);
  const auto begun = std::chrono::steady_clock::now();
  const bool all = roster.wait_for(n, std::min<nanoseconds>(timeout, detail::for_ever));
  const std::size_t ready = roster.ready();
  if (all) return ready;
  const std::string why = roster.troubles();
  throw timeout_error{"fmap: " + std::to_string(ready) + " of " + std::to_string(n)
                      + " nodes are ready after "
                      + remote::in_seconds(std::chrono::steady_clock::now() - begun)
                      + (why.empty() ? "" : "; ") + why};
}

bool node_pool::drain(std::string_view name, detail::any_duration deadline) {
  return roster_of(*core_).drain(name, std::min<nanoseconds>(deadline, detail::for_ever));
}

void node_pool::drop(std::string_view name) { roster_of(*core_).drop(name); }

std::vector<node_info> node_pool::nodes() const { return roster_of(*core_).all(); }

std::string node_pool::address() const { return shared_of(*core_).address; }

void node_pool::write_join_file(const std::filesystem::path& path) const {
  const remote::node_shared& shared = shared_of(*core_);
  if (shared.address.empty())
    throw std::logic_error{"fmap: this node_pool does not listen: there is nothing to join"};
  remote::write_join_file(shared.join, path);
}

void node_pool::shutdown(const node_shutdown_options& options) {
  if (options.send_home) shared_of(*core_).send_home = true;
  basic_executor::shutdown({options.wait, options.cancel_futures});
}

std::size_t node_pool::workers() const { return roster_of(*core_).workers(); }

void detail::run_node(int argc, char** argv) {
  remote::host_main(argc, argv, actors::make_processes);
}

}  // namespace fmap
