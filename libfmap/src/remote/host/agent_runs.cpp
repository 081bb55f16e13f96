// SPDX-License-Identifier: BSD-3-Clause
// The inside of a node: the pool's runs.

#include <algorithm>
#include <utility>

#include "src/kernel/guest_port.hpp"
#include "src/kernel/pool_port.hpp"
#include "src/kernel/sink_port.hpp"
#include "src/remote/host/agent.hpp"

namespace fmap::remote {

namespace {

/// For each of a node's processes outcomes of so much work are sent together, unless there is nothing else to do.
constexpr auto worth_sending = kernel::tuning::least_report;

/// Counts down when a closed run has ended.
class countdown final : public doorbell {
public:
  explicit countdown(std::shared_ptr<std::atomic<int>> n) : n_{std::move(n)} { ++*n_; }
  void ring() noexcept override { --*n_; }

private:
  const std::shared_ptr<std::atomic<int>> n_;
};

}  // namespace

bool agent::open(wire::reader& r) {
  frames::open frame;
  if (!frames::read(r, frame) || runs_.contains(frame.run)) return false;
  const auto most = static_cast<std::uint64_t>(detail::for_ever.count());
  open_run& s = runs_[frame.run];
  s.work = std::make_shared<relay_job>(std::move(frame.function), std::move(frame.state));
  s.work->whole = frame.whole;
  s.sender =
      std::make_shared<relay_sender>(up_, core_->box, frame.run, largest_, [this] { give_up(); });
  try {
    s.here = kernel::pool_port{*core_->box}.open(
        {.buffersize = kernel::unbounded,
         .chunksize = frame.chunksize,
         .max_attempts = 1,  // the pool decides about more
         .tell_after = worth_sending * options_.workers,
         .item_timeout = std::chrono::nanoseconds{std::min(frame.item_timeout, most)}},
        s.work, nullptr, s.sender);
  } catch (const error&) {
    give_up();  // the pool here is broken
  }
  s.sender->serve(s.here);
  return true;
}

bool agent::batch(wire::reader& r) {
  frames::batch frame;
  if (!frames::read(r, frame)) return false;
  const item_span items{frame.first, frame.place, frame.sizes, r.rest()};
  open_run* const s = find(frame.run);
  if (s == nullptr || items.count() == 0 || !items.fits()) return false;
  if (frame.alone && items.count() != 1) return false;
  if (leave_by_) {
    up_.send(frames::returned{frame.run, frame.first, items.count()});
    return true;
  }
  auto chunk = std::make_unique<kernel::chunk>(0, items.count(), s->work->layout);
  chunk->origin = frame.first;
  std::string_view bytes = items.bytes;
  for (std::uint32_t i = 0; i != items.count(); ++i) {
    wire::reader item{bytes.substr(0, items.sizes[i])};
    s->work->load_item(item, *chunk, i);
    bytes.remove_prefix(items.sizes[i]);
  }
  kernel::guest_port{*core_->box}.push(*s->here, std::move(chunk), items.count(), frame.alone);
  return true;
}

/// What no process of this node has got yet.
void agent::give_back(run_id there, const open_run& s) {
  kernel::guest_port port{*core_->box};
  for (const outcome_span& span : port.withdraw(*s.here)) {
    const std::uint32_t begin = span.end - span.count;
    up_.post(frames::returned{there, span.in->origin + begin, span.count});
    s.work->clear(*span.in, begin, span.end);
    port.release(*s.here, span);
  }
}

/// What runs of it goes on until it ends by itself, and tells nobody.
bool agent::close(wire::reader& r) {
  frames::close frame;
  if (!frames::read(r, frame)) return false;
  open_run* const s = find(frame.run);
  if (s == nullptr) return false;
  s->sender->stop();
  kernel::sink_port::abandon(core_->box, s->here, std::make_shared<countdown>(unfinished_));
  runs_.erase(frame.run);
  up_.send(frames::closed{frame.run});
  return true;
}

agent::open_run* agent::find(run_id there) {
  const auto it = runs_.find(there);
  return it != runs_.end() ? &it->second : nullptr;
}

}  // namespace fmap::remote
