// SPDX-License-Identifier: BSD-3-Clause
// What a worker process holds, and the frames in which that goes there and comes back.

#include "actors/node/custody.hpp"

#include <algorithm>
#include <limits>

#include <fmap/detail/exception_codec.hpp>
#include <fmap/errors.hpp>

namespace fmap::actors {

namespace {

using detail::remote_job;
using detail::slot_state;

/// Larger frames hold one item.
constexpr std::size_t frame_size = 1u << 20;

/// An item's share of the time that a process reports is not believed beyond this.
constexpr std::uint64_t longest = 1'000'000'000'000;

remote_job& remote(job& work) { return dynamic_cast<remote_job&>(work); }

}  // namespace

// -- what goes out ----------------------------------------------------------------

void custody::open(const run_ptr& r) {
  const remote_job& work = remote(*r->work);
  std::string function;
  wire::writer w{function};
  work.save_function(w);
  w.throw_if_failed();
  if (function.size() > std::numeric_limits<std::uint32_t>::max())
    throw wire::error{"a function of 4 GiB or more"};
  line_.send(frame::open, [&](wire::writer& out) {
    out.apply(r->id);
    out.apply(std::string{work.key()});
    out.apply(function);
  });
  opened_[r->id] = r;
}

std::uint32_t custody::send(const parcel& p) {
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
      wire::writer w{scratch_};
      travels = work.save_item(w, *p.in, slot);
      w.throw_if_failed();
      if (scratch_.size() - before > std::numeric_limits<std::uint32_t>::max())
        throw wire::error{"an item of 4 GiB or more"};
    } catch (...) {
      travels = false;
      p.of->work->fail(*p.in, slot, std::current_exception());
    }
    if (travels) {
      sizes_.push_back(static_cast<std::uint32_t>(scratch_.size() - before));
      if (scratch_.size() >= frame_size) flush(index + 1);
    } else {
      scratch_.resize(before);
      flush(index + 1);
      remote_port{box_}.finished(*p.of, place_.id, index, 1);
    }
  }
  flush(p.items.end());
  if (scratch_.capacity() > 4 * frame_size) scratch_.shrink_to_fit();
  return sent;
}

/// Sends the items in scratch_, of which the first is `first`, in as many frames as the recorder's places
/// make necessary.
void custody::post(const parcel& p, remote_job& work, std::uint64_t first) {
  std::string_view bytes{scratch_};
  for (auto from = sizes_.begin(); from != sizes_.end();) {
    const auto [place, count] = recorder_.reserve(static_cast<std::uint32_t>(sizes_.end() - from));
    const std::vector<std::uint32_t> sizes(from, from + count);
    std::size_t size = 0;
    for (const std::uint32_t s : sizes) size += s;
    line_.send(frame::batch, [&, place = place](wire::writer& out) {
      out.apply(p.of->id);
      out.apply(first);
      out.apply(place);
      out.apply(sizes);
      out.raw(bytes.substr(0, size));
    });
    holdings_.push_back(
        {p.of, &work, p.in, first, count, count, place, std::vector<bool>(count, true)});
    bytes.remove_prefix(size);
    first += count;
    from += count;
  }
}

void custody::tidy_up() {
  for (holding& h : holdings_) {
    if (h.recalled || !h.of->seen.stopped) continue;
    for (holding& other : holdings_) other.recalled = other.recalled || other.of == h.of;
    line_.send(frame::recall, [&](wire::writer& w) { w.apply(h.of->id); });
  }
  std::erase_if(opened_, [this](const auto& o) {
    const run_ptr r = o.second.lock();
    if (r && (!r->seen.stopped || find(o.first, {}) != nullptr)) return false;
    line_.send(frame::close, [&](wire::writer& w) { w.apply(o.first); });
    return true;
  });
}

void custody::recall_all() {
  std::vector<run_id> runs;
  for (const holding& h : holdings_)
    if (std::find(runs.begin(), runs.end(), h.of->id) == runs.end()) runs.push_back(h.of->id);
  for (const run_id id : runs) line_.send(frame::recall, [&](wire::writer& w) { w.apply(id); });
}

// -- what comes in ----------------------------------------------------------------

bool custody::outcomes(wire::reader& r) {
  run_id id = 0;
  std::uint64_t first = 0, ns_each = 0;
  std::vector<std::uint32_t> sizes;
  r.apply(id);
  r.apply(first);
  r.apply(ns_each);
  r.apply(sizes);
  std::string_view bytes = r.rest();
  if (!r.ok()) return false;
  const std::chrono::nanoseconds each{
      static_cast<std::chrono::nanoseconds::rep>(std::min(ns_each, longest))};
  for (std::size_t i = 0; i != sizes.size();) {
    holding* const h = find(id, first + i);
    if (h == nullptr) return false;
    const run_ptr run = h->of;  // not closed as long as the mailbox knows that we hold the item
    std::uint32_t n = 0;
    bool sane = true;
    for (; i + n != sizes.size() && first + i + n != h->end(); ++n) {
      const std::uint32_t size = sizes[i + n];
      const std::uint64_t index = first + i + n;
      if (!h->is_open[index - h->first]) break;
      sane = size != 0 && size <= bytes.size();
      if (!sane) break;
      load(*h, index, bytes.substr(0, size));
      bytes.remove_prefix(size);
      close_item(*h, index);
    }
    delivered_ = delivered_ || n != 0;
    remote_port{box_}.finished(*run, place_.id, first + i, n, each * n);
    if (!sane) return false;
    i += n;
  }
  forget_empty();
  return bytes.empty();
}

/// Puts the outcome of an item into its slot.
void custody::load(const holding& h, std::uint64_t index, std::string_view bytes) {
  const std::uint32_t slot = h.in->offset(index);
  try {
    wire::reader r{bytes};
    bool failed = false;
    if (!r.apply(failed)) r.throw_if_failed();
    if (failed) {
      const std::exception_ptr error = detail::decode_exception(r);
      if (!error) r.throw_if_failed();
      h.of->work->fail(*h.in, slot, error);
    } else {
      h.work->load_value(r, *h.in, slot);
    }
  } catch (...) {
    h.of->work->fail(*h.in, slot, std::current_exception());
  }
}

bool custody::returned(wire::reader& r) {
  run_id id = 0;
  std::uint64_t first = 0;
  std::uint32_t count = 0;
  r.apply(id);
  r.apply(first);
  r.apply(count);
  if (!r.ok()) return false;
  for (std::uint32_t i = 0; i != count; ++i) {
    const std::uint64_t index = first + i;
    holding* const h = find(id, index);
    if (h == nullptr) return false;
    close_item(*h, index);
    remote_port{box_}.not_begun(*h->of, place_.id, index, 1);
  }
  forget_empty();
  return true;
}

// -- what is held -----------------------------------------------------------------

/// The holding in which an item is open; without an index, any of the run. There may be others that the
/// item has been part of, and came back from.
custody::holding* custody::find(run_id run, std::optional<std::uint64_t> index) {
  for (holding& h : holdings_)
    if (h.of->id == run
        && (!index || (h.first <= *index && *index < h.end() && h.is_open[*index - h.first])))
      return &h;
  return nullptr;
}

void custody::close_item(holding& h, std::uint64_t index) {
  const auto offset = static_cast<std::uint32_t>(index - h.first);
  h.is_open[offset] = false;
  --h.open;
  recorder_.free(h.place + offset);
}

void custody::forget_empty() {
  std::erase_if(holdings_, [](const holding& h) { return h.open == 0; });
}

mark custody::state_of(const item& it) const {
  const holding* h = find(it.first, it.second);
  return h != nullptr ? state_of(*h, static_cast<std::uint32_t>(it.second - h->first))
                      : mark::waiting;
}

mark custody::state_of(const holding& h, std::uint32_t i) const {
  switch (recorder_.at(h.place + i)->load()) {
    case slot_state::item:
    case slot_state::returned: return mark::waiting;
    case slot_state::arriving:
    case slot_state::running: return mark::running;
    default: return mark::finished;
  }
}

std::uint32_t custody::size() const noexcept {
  std::uint32_t n = 0;
  for (const holding& h : holdings_) n += h.open;
  return n;
}

bool custody::any_is(mark wanted) const {
  return std::any_of(holdings_.begin(), holdings_.end(), [&](const holding& h) {
    for (std::uint32_t i = 0; i != h.count; ++i)
      if (h.is_open[i] && state_of(h, i) == wanted) return true;
    return false;
  });
}

custody::limits custody::timeouts() const {
  limits result;
  for (const holding& h : holdings_) {
    const auto t = h.of->limits.item_timeout;
    if (t.count() == 0) continue;
    result.least = result.least.count() == 0 ? t : std::min(result.least, t);
    result.most = std::max(result.most, t);
  }
  return result;
}

std::chrono::nanoseconds custody::timeout_of(run_id run) const {
  const holding* h = find(run, {});
  return h != nullptr ? h->of->limits.item_timeout : std::chrono::nanoseconds{};
}

}  // namespace fmap::actors
