// SPDX-License-Identifier: BSD-3-Clause
// Who of a pool's nodes is here.

#include "src/remote/door/node_roster.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "src/remote/plain_text.hpp"

namespace fmap::remote {

namespace {

bool usable(node_state s) { return s == node_state::ready || s == node_state::quiet; }
bool joined(node_state s) { return usable(s) || s == node_state::leaving; }
bool over(node_state s) {
  return s == node_state::given_up || s == node_state::left || s == node_state::gone;
}
bool may_come(node_state s) { return !over(s) && s != node_state::leaving; }

node_event about(const node_info& i, node_event_kind kind, std::string why = {}) {
  return {kind, i.name, i.command, std::move(why), i.address};
}

}  // namespace

node_roster::node_roster(const std::vector<std::string>& commands, std::size_t most, bool listens,
                         tell_function tell)
    : tell_{std::move(tell)}, most_{most}, listens_{listens} {
  for (const std::string& command : commands) places_.emplace_back().info.command = command;
}

node_roster::admission node_roster::admit(const caller_id& who) {
  using kind = admission::kind;
  std::lock_guard guard{mutex_};
  std::size_t here = 0;
  for (place_state& p : places_) {
    here += p.here ? 1 : 0;
    if (!p.here || p.info.name != who.name) continue;
    if (!p.guest || p.incarnation != who.incarnation) return {kind::taken};
    // It knows that its connection is lost, and we do not yet.
    p.wished.cut = true;
    if (p.bell) p.bell->ring();
    return {kind::ghost};
  }
  if (here >= most_) return {kind::full};
  place_state& p = place_for(who);
  p.guest = p.here = true;
  p.asked = false;
  p.wished = {};
  p.incarnation = who.incarnation;
  p.info.name = who.name;
  p.info.host = who.host;
  p.info.pid = who.pid;
  p.info.address = who.from;
  p.info.certificate = who.certificate;
  p.info.state = node_state::starting;
  std::size_t place = 0;
  while (&places_[place] != &p) ++place;
  return {kind::let_in, place};
}

/// Where it has been before, or a new one. There are not more than nodes that may be here: the one that has been gone the
/// longest is forgotten.
node_roster::place_state& node_roster::place_for(const caller_id& who) {
  place_state* oldest = nullptr;
  std::size_t guests = 0;
  for (place_state& p : places_) {
    if (!p.guest) continue;
    ++guests;
    if (p.here) continue;
    if (p.info.name == who.name) return p;
    if (oldest == nullptr || p.ended < oldest->ended) oldest = &p;
  }
  if (guests < most_ || oldest == nullptr) return places_.emplace_back();
  return *oldest = place_state{};
}

void node_roster::refused(const std::string& kind, const std::string& from,
                          const node_event& event) {
  constexpr std::chrono::seconds between{1};
  constexpr std::size_t most_kinds = 32;
  {
    std::lock_guard guard{mutex_};
    refused_last_ = from;
    refusals& r =
        refused_[refused_.size() < most_kinds || refused_.contains(kind) ? kind : "other"];
    const auto now = std::chrono::steady_clock::now();
    if (r.count++ != 0 && now - r.told < between) return;
    r.told = now;
  }
  tell(event);
}

/// "refused: 3 (2 another program, 1 no certificate; last from 10.0.0.7)"
std::string node_roster::refused_text() const {
  std::size_t all = 0;
  std::string kinds;
  for (const auto& [kind, r] : refused_) {
    all += r.count;
    kinds += (kinds.empty() ? "" : ", ") + std::to_string(r.count) + " " + kind;
  }
  if (all == 0) return {};
  return "refused: " + std::to_string(all) + " (" + kinds + "; last from " + refused_last_ + ")";
}

void node_roster::starts(std::size_t place) {
  std::lock_guard guard{mutex_};
  place_state& p = places_[place];
  p.info.state = node_state::starting;
  p.asked = false;
  p.wished = {};
}

bool node_roster::comes(std::size_t place, std::string name, std::string host, int pid,
                        std::size_t workers, std::size_t threads, doorbell_ptr bell) {
  std::lock_guard guard{mutex_};
  const bool taken = std::any_of(places_.begin(), places_.end(), [&](const place_state& p) {
    return &p != &places_[place] && p.here && p.info.name == name;
  });
  if (taken) return false;
  place_state& p = places_[place];
  p.here = true;
  p.bell = std::move(bell);
  p.info.name = std::move(name);
  p.info.host = std::move(host);
  p.info.pid = pid;
  p.info.workers = workers;
  p.info.threads = threads;
  p.info.round_trip = {};
  p.before = {{}, 0, p.info.done, p.info.deaths};
  return true;
}

void node_roster::joins(std::size_t place) {
  node_event event;
  {
    std::lock_guard guard{mutex_};
    node_info& info = places_[place].info;
    info.state = node_state::ready;
    ++info.lives;
    event = about(info, node_event_kind::joined);
    changed_.notify_all();
  }
  tell(event);
}

void node_roster::quiet(std::size_t place, bool is) {
  node_event event;
  {
    std::lock_guard guard{mutex_};
    node_info& info = places_[place].info;
    if (info.state == node_state::leaving) return;
    const node_state now = is ? node_state::quiet : node_state::ready;
    if (std::exchange(info.state, now) == now || !is) return;
    event = about(info, node_event_kind::quiet);
  }
  tell(event);
}

void node_roster::leaves(std::size_t place, const std::string& why) {
  node_event event;
  {
    std::lock_guard guard{mutex_};
    place_state& p = places_[place];
    p.info.state = node_state::leaving;
    p.asked = true;
    event = about(p.info, node_event_kind::leaving, plain_text(why));
    changed_.notify_all();
  }
  tell(event);
}

void node_roster::waits(std::size_t place) {
  std::lock_guard guard{mutex_};
  places_[place].info.state = node_state::waiting;
}

void node_roster::ends(std::size_t place, node_event_kind how, const std::string& why) {
  node_event event;
  {
    std::lock_guard guard{mutex_};
    place_state& p = places_[place];
    event = about(p.info, how, plain_text(why));
    if (!p.here) event.name.clear();
    p.here = false;
    p.bell.reset();
    p.ended = std::chrono::steady_clock::now();
    p.info.held = 0;
    p.info.last_end = event.reason;
    p.info.state = how == node_event_kind::left ? node_state::left
                   : p.guest                    ? node_state::gone
                                                : node_state::waiting;
    changed_.notify_all();
  }
  tell(event);
}

void node_roster::tells(std::size_t place, const figures& f) {
  std::lock_guard guard{mutex_};
  place_state& p = places_[place];
  p.info.round_trip = f.round_trip;
  p.info.held = f.held;
  p.info.done = p.before.done + f.done;
  p.info.deaths = p.before.deaths + f.deaths;
}

bool node_roster::drain(std::string_view name, std::chrono::nanoseconds time) {
  std::lock_guard guard{mutex_};
  place_state& p = find(name);
  if (std::exchange(p.asked, true)) return false;
  p.wished.leave = time;
  if (p.bell) p.bell->ring();
  return true;
}

void node_roster::drop(std::string_view name) {
  std::lock_guard guard{mutex_};
  place_state& p = find(name);
  p.wished.drop = true;
  if (p.bell) p.bell->ring();
}

node_roster::wish node_roster::wished(std::size_t place) {
  std::lock_guard guard{mutex_};
  return std::exchange(places_[place].wished, {});
}

/// The node of that name that is here.
node_roster::place_state& node_roster::find(std::string_view name) {
  const place_state* gone = nullptr;
  std::string here;
  for (place_state& p : places_) {
    if (p.info.name == name && p.here) return p;
    if (p.info.name == name) gone = &p;
    if (p.here) here += (here.empty() ? "" : ", ") + p.info.name;
  }
  if (gone != nullptr)
    throw std::invalid_argument{"fmap: node " + gone->info.name + " has not been here for "
                                + in_seconds(std::chrono::steady_clock::now() - gone->ended) + " ("
                                + gone->info.last_end + ")"};
  throw std::invalid_argument{"fmap: no node has the name " + std::string{name} + "; "
                              + (here.empty() ? "none is here" : "here are " + here)};
}

void node_roster::given_up(std::size_t place) {
  std::lock_guard guard{mutex_};
  places_[place].info.state = node_state::given_up;
  changed_.notify_all();
}

bool node_roster::nobody_comes() const {
  std::lock_guard guard{mutex_};
  return !listens_ && std::all_of(places_.begin(), places_.end(), [](const place_state& p) {
    return over(p.info.state);
  });
}

void node_roster::tell_broken(std::size_t place) {
  node_event event{node_event_kind::broken, {}, {}, {}};
  {
    std::lock_guard guard{mutex_};
    event.command = places_[place].info.command;
    event.reason = places_[place].info.last_end;
  }
  tell(event);
}

std::size_t node_roster::count_ready() const {
  return static_cast<std::size_t>(std::count_if(
      places_.begin(), places_.end(), [](const place_state& p) { return usable(p.info.state); }));
}

bool node_roster::wait_for(std::size_t n, std::chrono::nanoseconds timeout) {
  std::unique_lock lock{mutex_};
  const auto until = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    if (count_ready() >= n) return true;
    const auto possible = std::count_if(places_.begin(), places_.end(), [](const place_state& p) {
      return may_come(p.info.state);
    });
    if (!listens_ && static_cast<std::size_t>(possible) < n) return false;
    if (changed_.wait_until(lock, until) == std::cv_status::timeout) return count_ready() >= n;
  }
}

std::vector<node_info> node_roster::all() const {
  std::lock_guard guard{mutex_};
  std::vector<node_info> result;
  result.reserve(places_.size());
  for (const place_state& p : places_) result.push_back(p.info);
  return result;
}

std::size_t node_roster::ready() const {
  std::lock_guard guard{mutex_};
  return count_ready();
}

std::size_t node_roster::workers() const {
  std::lock_guard guard{mutex_};
  std::size_t n = 0;
  for (const place_state& p : places_)
    if (usable(p.info.state)) n += p.info.workers;
  return n;
}

std::string node_roster::troubles() const {
  std::lock_guard guard{mutex_};
  std::string text = refused_text();
  for (const place_state& p : places_) {
    if (joined(p.info.state) || p.info.last_end.empty()) continue;
    const std::string who = p.guest ? "node " + p.info.name : "\"" + p.info.command + "\"";
    text += (text.empty() ? "" : "; ") + who + ": " + p.info.last_end;
  }
  return text;
}

/// What the user's function throws is ignored.
void node_roster::tell(const node_event& event) const noexcept {
  if (!tell_) return;
  try {
    tell_(event);
  } catch (...) {}
}

}  // namespace fmap::remote
