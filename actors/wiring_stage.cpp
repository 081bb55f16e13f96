// SPDX-License-Identifier: BSD-3-Clause
// The wiring of what works with a user's actors: stages, their ends, and handles of pools.

#include <algorithm>
#include <stdexcept>
#include <string>

#include <caf/config_option.hpp>
#include <caf/make_config_option.hpp>
#include <caf/settings.hpp>

#include <fmap/actor.hpp>
#include <fmap/detail/waiting.hpp>
#include <fmap/errors.hpp>
#include <fmap/stage.hpp>

#include "actors/sink/sink.hpp"
#include "actors/source/item_source.hpp"
#include "actors/stage/handle.hpp"
#include "actors/stage/requester.hpp"
#include "actors/stage/stage.hpp"
#include "actors/wiring.hpp"
#include "src/core/processors.hpp"

namespace fmap {

namespace {

using actors::message_run;

/// An option of the system's configuration; refused as it is in code.
std::optional<std::size_t> configured(const caf::actor_system& system, const std::string& name) {
  const caf::config_value* const given = caf::get_if(&caf::content(system.config()), name);
  if (given == nullptr) return std::nullopt;
  const auto* const n = caf::get_if<std::int64_t>(given);
  if (n == nullptr || *n < 1)
    throw std::invalid_argument{"fmap: " + name + " in the configuration is "
                                + caf::to_string(*given) + ": it must be a number, at least 1"};
  return static_cast<std::size_t>(*n);
}

/// CAF drops a value of another type in a file and goes on without it. This option takes any, and whoever uses it
/// refuses what is no number.
caf::config_option number_option(const std::string& name, const std::string& description) {
  static const auto any = [] {
    auto meta = *caf::detail::option_meta_state_instance<std::int64_t>();
#if FMAP_CAF_1
    meta.sync = [](void*, caf::config_value& x) {
      const auto n = caf::get_as<std::int64_t>(x);
      return n ? x.assign(*n) : caf::error{};
    };
#else
    meta.check = [](const caf::config_value&) { return caf::error{}; };
#endif
    return meta;
  }();
  return {"fmap", name, description, &any};
}

map_options options_of(const stage_options& o) {
  map_options result;
  result.buffersize = o.buffersize;
  result.chunksize = o.chunksize;
  result.ordered = o.ordered;
  result.item_timeout = o.item_timeout;
  result.max_attempts = o.max_attempts;
  return result;
}

}  // namespace

void add_message_types(caf::actor_system_config& config) {
  actors::add_types<caf::id_block::fmap>(config);
}

actor_system_config::actor_system_config() {
  custom_options_.add(number_option("workers", "threads of a stage that does not say"));
  custom_options_.add(number_option("buffersize", "items in flight in a stage that does not say"));
  fmap::add_message_types(*this);
}

caf::actor detail::spawn_stage(caf::actor_system& system, std::shared_ptr<pool_core> pool,
                               std::shared_ptr<job> work, std::shared_ptr<const stage_types> types,
                               const stage_options& options) {
  const bool own = pool == nullptr;
  if (!own && options.workers)
    throw std::invalid_argument{
        "fmap: a stage on a pool has that pool's workers: leave workers out"};
  std::size_t workers = 0;
  if (own)
    workers = options.workers
                  ? *options.workers
                  : configured(system, "fmap.workers").value_or(detail::usable_processors());
  else
    workers = pool->workers();
  map_options o = options_of(options);
  if (!o.buffersize) o.buffersize = configured(system, "fmap.buffersize");
  if (!o.buffersize)
    o.buffersize = std::max({std::size_t{16}, 4 * workers, o.chunksize.value_or(1)});
  if (own) pool = make_thread_core(system, {.workers = workers});
  const auto limits = checked(o, *pool);
  return actors::spawn<actors::stage>(
      system, actors::threads::scheduled,
      std::make_unique<message_run>(std::move(pool), own, limits, std::move(work)),
      std::move(types));
}

caf::actor detail::spawn_sink(caf::actor_system& system, std::shared_ptr<job> work,
                              std::shared_ptr<const stage_types> types, std::size_t buffersize) {
  auto pool = make_thread_core(system, {.workers = 1});
  map_options o;
  o.buffersize = buffersize;
  const auto limits = checked(o, *pool);
  return actors::spawn<actors::sink>(
      system, actors::threads::scheduled,
      std::make_unique<message_run>(std::move(pool), true, limits, std::move(work)),
      std::move(types));
}

caf::actor detail::spawn_source(caf::actor_system& system, std::unique_ptr<message_stream> items) {
  return actors::spawn<actors::item_source>(system, actors::threads::scheduled, std::move(items));
}

void detail::throw_failure(const failure& f) {
  throw error{"fmap: item " + std::to_string(f.index) + " failed: " + f.what};
}

void detail::require_actor(const caf::actor& who, const char* caller) {
  if (!who)
    throw std::invalid_argument{std::string{"fmap: "} + caller
                                + "() was given a handle to no actor"};
}

namespace {

/// What is known of one of fmap's own actors of this process; null of others.
const actors::chain_link* link_of(const caf::actor& who) {
  const auto* const own =
      dynamic_cast<const actors::lingering_actor*>(caf::actor_cast<caf::abstract_actor*>(who));
  return own != nullptr ? &own->link() : nullptr;
}

}  // namespace

void detail::require_link(const std::string& items, const caf::actor& downstream,
                          const char* caller) {
  const auto* const down = link_of(downstream);
  if (down == nullptr) return;
  if (const auto why = actors::mismatch(items, *down); !why.empty())
    throw std::invalid_argument{std::string{"fmap: "} + caller + "(): " + why};
}

void detail::require_sender(const caf::actor& upstream, const std::string& items,
                            const char* caller) {
  const auto* const up = link_of(upstream);
  if (up == nullptr) return;
  const std::string call = std::string{"fmap: "} + caller + "(): ";
  if (up->sends.empty())
    throw std::invalid_argument{call + up->what + " sends no items: it cannot be an upstream"};
  if (!items.empty() && items != up->sends)
    throw std::invalid_argument{call + up->what + " sends items of type " + up->sends + ", not "
                                + items};
}

void connect(const caf::actor& upstream, const caf::actor& downstream) {
  detail::require_actor(upstream, "connect");
  detail::require_actor(downstream, "connect");
  detail::require_sender(upstream, {}, "connect");
  const auto* const up = link_of(upstream);
  detail::require_link(up != nullptr ? up->sends : std::string{}, downstream, "connect");
  // A user's own actor need not know this message; one on another node may be fmap's.
  if (link_of(downstream) != nullptr || downstream.node() != downstream.home_system().node())
    actors::post(downstream, receive_from{upstream});
  actors::post(upstream, send_to{downstream});
}

detail::alone_in_sink::alone_in_sink() noexcept
    : before_{std::exchange(detail::current_helper, nullptr)} {}

detail::alone_in_sink::~alone_in_sink() {
  detail::current_helper = static_cast<detail::helper*>(before_);
}

caf::actor detail::spawn_handle(std::shared_ptr<pool_core> pool, std::shared_ptr<job> work,
                                std::shared_ptr<const stage_types> types,
                                const handle_options& options) {
  caf::actor_system* const system = pool->users_system();
  if (system == nullptr)
    throw std::logic_error{
        "fmap: a pool has handles on the actor system it was built on: give it yours"};
  map_options o;
  o.buffersize = options.buffersize.value_or(std::max<std::size_t>(16, 4 * pool->workers()));
  const auto limits = checked(o, *pool);
  return actors::spawn<actors::handle>(
      *system, actors::threads::scheduled,
      std::make_unique<message_run>(std::move(pool), false, limits, std::move(work)),
      std::move(types), options.when_full == wait_for_room);
}

actor_error::actor_error(caf::error reason)
    : error{"fmap: an actor answered with an error: " + caf::to_string(reason)}, reason_{std::move(
                                                                                     reason)} {}

detail::caller_of_actor::caller_of_actor(caf::actor_system& system, const caf::actor& target)
    : caller_{actors::spawn<actors::requester>(system, actors::threads::scheduled, target, over_)} {
}

// CAF may hold on to whoever has sent something to another node.
detail::caller_of_actor::~caller_of_actor() {
  caf::anon_send_exit(caller_, caf::exit_reason::user_shutdown);
}

std::chrono::nanoseconds detail::request_limit(const map_options& o) {
  if (!o.item_timeout) return {};
  if (o.item_timeout->count() <= 0)
    throw std::invalid_argument{"fmap: item_timeout must be positive"};
  return *o.item_timeout;
}

map_options detail::asking_options(map_options o) {
  if (o.journal != nullptr)
    throw std::invalid_argument{"fmap: journal: maps over actors cannot be recorded"};
  o.item_timeout.reset();
  return calling_options(std::move(o));
}

void detail::caller_of_actor::make(std::shared_ptr<call> c) {
  actors::post(caller_, actors::errand{std::move(c)});
}

}  // namespace fmap
