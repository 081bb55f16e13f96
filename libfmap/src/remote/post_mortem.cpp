// SPDX-License-Identifier: BSD-3-Clause
// What follows from the end of a peer: who is to blame, and which errors say so.

#include "src/remote/post_mortem.hpp"

#include <utility>

namespace fmap::remote {

namespace {

post_mortem::cause cause_of(const peer_life& life, const worker_death& death) {
  using cause = post_mortem::cause;
  if (!life.started) return cause::not_started;
  if (life.pool_broken || life.blameless || life.working || life.expired)
    return cause::not_the_pools;
  return death.exit_code == no_resources ? cause::not_started : cause::outside;
}

}  // namespace

post_mortem::post_mortem(peer_life life, worker_death death)
    : life_{std::move(life)}, death_{std::move(death)}, why_{cause_of(life_, death_)} {
  if (life_.started) death_.reason = reason();
}

/// What is known of a process' end beyond its signal or exit code.
std::string post_mortem::reason() const {
  const auto& limit = life_.address_space_limit;
  const bool no_start = death_.exit_code == no_resources;
  if (life_.nonsense)
    return "it had sent what is no message: perhaps something wrote to a descriptor that it does "
           "not own";
  if (limit && (life_.out_of_memory || !life_.greeted || no_start))
    return "it had run into its address-space limit of " + std::to_string(*limit) + " bytes";
  if (no_start) return "it found no threads or no memory to start with";
  if (!life_.greeted)
    return "it never got as far as fmap::init of this program, which was started as "
           + life_.program;
  return death_.reason;
}

std::exception_ptr post_mortem::cannot_start() const {
  return std::make_exception_ptr(
      error{"fmap: worker processes cannot be started; the last: " + detail::describe(death_)});
}

std::exception_ptr post_mortem::keeps_dying() const {
  return std::make_exception_ptr(error{
      "fmap: worker processes keep dying outside any item; the last: " + detail::describe(death_)});
}

mark post_mortem::judge(const item_id& item, mark seen) const {
  if (life_.pool_broken) return mark::waiting;
  if (life_.call && life_.call->holds(item) && seen == mark::unknown) return seen;
  if (life_.expired == item) return mark::expired;
  return life_.expired && seen != mark::waiting ? mark::interrupted : seen;
}

std::exception_ptr post_mortem::error_of(const casualty& c, mark seen,
                                         std::chrono::nanoseconds limit) const {
  if (c.why == casualty::reason::expired)
    return std::make_exception_ptr(item_timeout{c.item.first, limit});
  worker_death d = death_;
  const bool interrupted = life_.expired && seen != mark::waiting;
  if (interrupted || seen == mark::finished)
    d.reason += std::string{d.reason.empty() ? "" : "; "}
                + (interrupted ? "it was killed because another item ran for too long"
                               : "the item had finished, but its result had not arrived");
  return std::make_exception_ptr(worker_lost{c.item.first, c.attempts, std::move(d)});
}

}  // namespace fmap::remote
