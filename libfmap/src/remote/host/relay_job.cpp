// SPDX-License-Identifier: BSD-3-Clause
// A run's job where nobody knows its types: items and outcomes are bytes.

#include "src/remote/host/relay_job.hpp"

#include <new>

#include <fmap/errors.hpp>

#include "src/remote/item_fate.hpp"
#include "src/remote/uplink.hpp"

namespace fmap::remote {

namespace {

using detail::chunk;
using detail::slot_state;

/// What the process died of.
worker_death death_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const worker_lost& e) {
    return e.death();
  } catch (...) {
    return {};
  }
}

outcome_kind kind_of(casualty::reason why) {
  switch (why) {
    case casualty::reason::quarantined: return outcome_kind::died;
    case casualty::reason::expired: return outcome_kind::expired;
    case casualty::reason::result_lost: break;
  }
  return outcome_kind::lost;
}

/// The outcome of an item that ended with this error.
std::string outcome_of(const std::exception_ptr& error) {
  std::string result;
  wire::writer w{result};
  try {
    std::rethrow_exception(error);
  } catch (const relayed_end& end) {
    w.apply(item_fate{kind_of(end.why), end.seen, death_of(end.error)});
  } catch (const broken_pool&) {
    // Whoever sees that gives up, and the items are tried elsewhere.
  } catch (...) {
    w.apply(true);
    result += encode_here(error);
  }
  return result;
}

}  // namespace

bool relay_job::save_item(wire::writer& w, chunk& c, std::uint32_t i) {
  w.raw(std::string_view{*static_cast<const std::string*>(c.at(i))});
  return true;
}

void relay_job::load_value(wire::reader& r, chunk& c, std::uint32_t i) {
  store(c, i, std::string{r.rest()});
}

void relay_job::load_item(wire::reader& r, chunk& c, std::uint32_t i) {
  ::new (c.at(i)) std::string{r.rest()};
  c.state(i).store(slot_state::item, std::memory_order_release);
}

void relay_job::save_value(wire::writer& w, chunk& c, std::uint32_t i) {
  w.raw(std::string_view{*static_cast<const std::string*>(c.value(i))});
}

void relay_job::fail(chunk& c, std::uint32_t i, const std::exception_ptr& error) {
  store(c, i, outcome_of(error));
}

void relay_job::store(chunk& c, std::uint32_t i, std::string outcome) {
  clear(c, i, i + 1);
  ::new (c.value(i)) std::string{std::move(outcome)};
  c.state(i).store(slot_state::value, std::memory_order_release);
}

}  // namespace fmap::remote
