// SPDX-License-Identifier: BSD-3-Clause
// Items to a peer, and their outcomes from it.

#include "src/remote/transfer.hpp"

#include <algorithm>
#include <exception>
#include <limits>
#include <utility>

#include <fmap/detail/exception_codec.hpp>
#include <fmap/detail/retry_book.hpp>
#include <fmap/errors.hpp>

#include "src/remote/item_fate.hpp"

namespace fmap::remote {

namespace {

using detail::remote_job;

/// An item's share of the time that a peer reports is not believed beyond this.
constexpr std::uint64_t longest = 1'000'000'000'000;

constexpr std::size_t most_bytes = std::numeric_limits<std::uint32_t>::max();

remote_job& remote(job& work) { return dynamic_cast<remote_job&>(work); }

}  // namespace

// -- what goes out ----------------------------------------------------------------

void transfer::open(const run_ptr& r) {
  const remote_job& work = remote(*r->work);
  frames::open frame{r->id,
                     std::string{work.key()},
                     {},
                     static_cast<std::uint64_t>(r->limits.item_timeout.count()),
                     r->work->whole,
                     r->work->whole ? r->limits.chunksize : 0};
  wire::writer w{frame.state};
  work.save_function(w);
  w.throw_if_failed();
  if (frame.state.size() > most_bytes) throw wire::error{"a function of 4 GiB or more"};
  line_.send(frame);
  opened_[r->id] = r;
}

/// Appends an item to what is about to be sent. False: it need not be executed any more.
bool transfer::encode(const parcel& p, remote_job& work, std::uint32_t slot) {
  if (p.of->work->recalled(*p.in, slot)) return false;
  const std::size_t before = scratch_.size();
  wire::writer w{scratch_};
  if (!work.save_item(w, *p.in, slot)) return false;
  w.throw_if_failed();
  const std::size_t size = scratch_.size() - before;
  if (size > most_bytes) throw wire::error{"an item of 4 GiB or more"};
  if (size > largest_)
    throw error{"fmap: an item has " + std::to_string(size)
                + " bytes, more than max_item_bytes, which is " + std::to_string(largest_)};
  sizes_.push_back(static_cast<std::uint32_t>(size));
  return true;
}

std::uint32_t transfer::send(const parcel& p) {
  std::exception_ptr unusable;
  try {
    if (!opened_.contains(p.of->id)) open(p.of);
  } catch (...) {
    unusable = std::current_exception();
  }
  remote_job& work = remote(*p.of->work);
  std::uint32_t sent = 0;
  std::uint64_t first = p.items.first;
  const auto flush = [&](std::uint64_t next) {
    sent += static_cast<std::uint32_t>(sizes_.size());
    post(p, work, first);
    first = next;
    scratch_.clear();
    sizes_.clear();
  };
  for (std::uint64_t index = first; index != p.items.end(); ++index) {
    const std::size_t before = scratch_.size();
    const std::uint32_t slot = p.in->offset(index);
    bool travels = false;
    try {
      if (unusable) std::rethrow_exception(unusable);
      travels = encode(p, work, slot);
    } catch (...) {
      p.of->work->fail(*p.in, slot, std::current_exception());
    }
    if (travels) {
      if (scratch_.size() >= frames::full_size) flush(index + 1);
    } else {
      scratch_.resize(before);
      flush(index + 1);
      port_.finished(*p.of, index, 1);
    }
  }
  flush(p.items.end());
  if (scratch_.capacity() > 4 * frames::full_size) scratch_.shrink_to_fit();
  return sent;
}

/// Sends the items in scratch_, of which the first is `first`, in as many frames as the witness' places make
/// necessary.
void transfer::post(const parcel& p, remote_job& work, std::uint64_t first) {
  const auto count = static_cast<std::uint32_t>(sizes_.size());
  if (count == 0 || !port_.hand_over(*p.of, first, count)) return;
  std::string_view bytes{scratch_};
  for (auto from = sizes_.begin(); from != sizes_.end();) {
    const witness::places where = held_.reserve(static_cast<std::uint32_t>(sizes_.end() - from));
    const frames::batch frame{
        p.of->id, first, where.first, p.items.alone, {from, from + where.count}};
    std::size_t size = 0;
    for (const std::uint32_t s : frame.sizes) size += s;
    line_.send(frame, bytes.substr(0, size));
    held_.add(p, work, first, where);
    bytes.remove_prefix(size);
    first += where.count;
    from += where.count;
  }
}

void transfer::tidy_up() {
  if (port_.is_node()) held_.forget_stopped();
  for (sent_batch& b : held_.batches()) {
    if (b.recalled || !b.of->seen.stopped) continue;
    for (sent_batch& other : held_.batches()) other.recalled = other.recalled || other.of == b.of;
    line_.send(frames::recall{b.of->id});
  }
  std::erase_if(opened_, [this](const auto& o) {
    const run_ptr r = o.second.lock();
    if (r && (!r->seen.stopped || held_.find(o.first) != nullptr)) return false;
    line_.send(frames::close{o.first});
    if (port_.is_node()) closing_.insert(o.first);
    return true;
  });
}

void transfer::recall_all() {
  std::vector<run_id> runs;
  for (const sent_batch& b : held_.batches())
    if (std::find(runs.begin(), runs.end(), b.of->id) == runs.end()) runs.push_back(b.of->id);
  for (const run_id id : runs) line_.send(frames::recall{id});
}

// -- what comes in ----------------------------------------------------------------

bool transfer::outcomes(wire::reader& r) {
  frames::outcomes frame;
  if (!frames::read(r, frame)) return false;
  if (closing_.contains(frame.run)) return true;
  std::string_view bytes = r.rest();
  const std::chrono::nanoseconds each{
      static_cast<std::chrono::nanoseconds::rep>(std::min(frame.ns_each, longest))};
  for (std::size_t i = 0; i != frame.sizes.size();) {
    const std::uint64_t first = frame.first + i;
    sent_batch* const b = held_.find(frame.run, first);
    if (b == nullptr) return false;
    const run_ptr run = b->of;  // not closed as long as the mailbox knows that we hold the item
    if (const std::uint32_t size = frame.sizes[i]; size == 0 || size > bytes.size()) return false;
    if (ends_elsewhere(bytes)) {
      if (!take_fate(*b, first, bytes.substr(0, frame.sizes[i]))) return false;
      bytes.remove_prefix(frame.sizes[i++]);
      continue;
    }
    bool sane = true;
    const std::uint32_t n = take_outcomes(*b, first, frame, bytes, sane);
    done_ += n;
    port_.finished(*run, first, n, each * n);
    if (!sane) return false;
    i += n;
  }
  held_.forget_empty();
  return bytes.empty();
}

/// Takes outcomes of one batch from `bytes`, from that of the item `first` on, up to one that died elsewhere. Returns
/// how many.
std::uint32_t transfer::take_outcomes(sent_batch& b, std::uint64_t first,
                                      const frames::outcomes& frame, std::string_view& bytes,
                                      bool& sane) {
  const std::size_t from = first - frame.first;
  std::uint32_t n = 0;
  for (std::size_t at = 0; from + n != frame.sizes.size() && b.holds(first + n); ++n) {
    const std::uint32_t size = frame.sizes[from + n];
    sane = size != 0 && size <= bytes.size() - at;
    if (!sane || ends_elsewhere(bytes.substr(at))) break;
    at += size;
  }
  const bool wanted = n != 0 && port_.take_back(*b.of, first, n);
  for (std::uint32_t i = 0; i != n; ++i) {
    const std::uint32_t size = frame.sizes[from + i];
    if (wanted) load(b, first + i, bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  held_.close(b, first, n);
  return n;
}

/// Whether it is a node's word that the item has died.
bool transfer::ends_elsewhere(std::string_view outcome) const {
  return port_.is_node() && static_cast<std::uint8_t>(outcome.front()) > 1;
}

/// False: it makes no sense.
bool transfer::take_fate(sent_batch& b, std::uint64_t index, std::string_view bytes) {
  item_fate fate;
  wire::reader r{bytes};
  if (!r.apply(fate) || !r.expect_end() || fate.kind < outcome_kind::died) return false;
  const run_ptr run = b.of;
  held_.close(b, index, 1);
  ++deaths_;
  port_.died(*run, index, fate.judged(), [&](const casualty& c) -> std::exception_ptr {
    if (c.why == casualty::reason::expired)
      return std::make_exception_ptr(item_timeout{index, run->limits.item_timeout});
    return std::make_exception_ptr(worker_lost{index, c.attempts, fate.death});
  });
  return true;
}

/// Puts the outcome of an item into its slot.
void transfer::load(const sent_batch& b, std::uint64_t index, std::string_view bytes) {
  const std::uint32_t slot = b.in->offset(index);
  try {
    wire::reader r{bytes};
    if (b.work->relays() && static_cast<std::uint8_t>(bytes.front()) <= 1)
      return b.work->load_value(r, *b.in, slot);
    bool failed = false;
    if (!r.apply(failed)) r.throw_if_failed();
    if (failed) {
      const std::exception_ptr error = detail::decode_exception(r);
      if (!error) r.throw_if_failed();
      const auto& retries = b.of->work->retries;
      if (!retries || !retries->again(index, error)) b.of->work->fail(*b.in, slot, error);
    } else {
      b.work->load_value(r, *b.in, slot);
    }
  } catch (...) {
    b.of->work->fail(*b.in, slot, std::current_exception());
  }
}

bool transfer::closed(wire::reader& r) {
  frames::closed frame;
  if (!frames::read(r, frame) || closing_.erase(frame.run) == 0) return false;
  port_.confirmed(frame.run);
  return true;
}

bool transfer::returned(wire::reader& r) {
  frames::returned frame;
  if (!frames::read(r, frame)) return false;
  if (closing_.contains(frame.run)) return true;
  for (std::uint32_t i = 0; i != frame.count; ++i) {
    const std::uint64_t index = frame.first + i;
    sent_batch* const b = held_.find(frame.run, index);
    if (b == nullptr) return false;
    held_.close(*b, index, 1);
    port_.give_back(*b->of, index, 1);
  }
  held_.forget_empty();
  return true;
}

}  // namespace fmap::remote
