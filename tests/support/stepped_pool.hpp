// SPDX-License-Identifier: BSD-3-Clause
// A pool whose actors are run one step at a time, and a consumer that never waits.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmap/detail/function_job.hpp>
#include <fmap/detail/range_input.hpp>

#include "actors/wiring.hpp"
#include "support/caf_testing.hpp"
#include "support/counted.hpp"
#include "support/every_port.hpp"
#include "support/input_said_to_be.hpp"
#include "support/made_range.hpp"

namespace testing {

/// The real actors of one pool on a stepped system. Everything happens in the test's thread.
class stepped_pool {
public:
  stepped_pool(std::uint64_t seed, std::uint32_t workers, std::function<void()> initializer = {})
      : world{seed}, core{std::make_shared<fmap::actors::thread_core>(
                         world.system(), nullptr, workers, std::move(initializer),
                         fmap::actors::threads::scheduled)} {}

  ~stepped_pool() {
    shut_down();
    core.reset();
  }

  stepped_pool(const stepped_pool&) = delete;
  stepped_pool& operator=(const stepped_pool&) = delete;

  every_port box() { return every_port{*core->box}; }

  /// Lets everybody do what there is to do, and time pass as long as somebody waits for it.
  void settle() {
    do world.settle();
    while (world.advance(fmap::kernel::tuning::tick_longest));
  }

  void shut_down() {
    box().shut_down();
    settle();
  }

  stepped_system world;
  std::shared_ptr<fmap::actors::thread_core> core;
};

/// A run of counted items 0, 1, 2 ... and its consumer.
class stepped_run {
public:
  using make = std::function<counted(std::uint64_t)>;
  using function = std::function<counted(counted)>;

  stepped_run(stepped_pool& pool, const fmap::actors::run_limits& limits, std::uint64_t items,
              make source, function fn, bool at_hand = false)
      : pool_{pool} {
    using range = made_range<make>;
    run_ = pool.box().open(
        limits, std::make_shared<fmap::detail::function_job<counted, function>>(std::move(fn)),
        std::make_unique<input_said_to_be>(
            at_hand,
            std::make_unique<fmap::detail::range_input<range>>(range{std::move(source), items})),
        nullptr);
    pool.core->start_source(run_);
  }

  /// Leaves the run; everybody else gets time to let go of it.
  ~stepped_run() {
    pool_.box().stop(*run_);
    pool_.settle();
    pool_.box().close(*run_);
  }

  stepped_run(const stepped_run&) = delete;
  stepped_run& operator=(const stepped_run&) = delete;

  struct taken_outcome {
    std::uint64_t index = 0;
    std::optional<int> value;
    std::exception_ptr error;
  };

  /// Takes the next outcome if there is one; otherwise over() tells whether there will be more.
  std::optional<taken_outcome> take() {
    if (over_ || (left_ == 0 && !next_span())) return {};
    const std::uint32_t offset = span_.end - left_--;
    run_->seen.taken.store(++taken_);
    return read(*span_.in, offset);
  }

  bool over() const { return over_; }
  void give_tokens_back() { pool_.box().give_tokens_back(*run_); }
  void stop() { pool_.box().stop(*run_); }
  fmap::actors::run_stats stats() { return pool_.box().stats(*run_); }
  std::exception_ptr input_error() const { return run_->in.error; }
  void throw_if_cut() { pool_.box().throw_if_cut(*run_); }
  std::uint64_t taken() const { return taken_; }

private:
  bool next_span() {
    using result = fmap::actors::next_result;
    const result r = pool_.box().next(*run_, span_);
    over_ = r == result::end;
    left_ = span_.count;
    return r == result::outcomes;
  }

  static taken_outcome read(fmap::detail::chunk& c, std::uint32_t offset) {
    taken_outcome result{c.first + offset, {}, {}};
    if (c.state(offset) == fmap::detail::slot_state::error) {
      result.error = c.error(offset);
      std::destroy_at(&c.error(offset));
    } else {
      auto* value = std::launder(static_cast<counted*>(c.value(offset)));
      result.value = value->value();
      std::destroy_at(value);
    }
    c.state(offset) = fmap::detail::slot_state::empty;
    return result;
  }

  stepped_pool& pool_;
  fmap::actors::run_ptr run_;
  fmap::actors::outcome_span span_;
  std::uint32_t left_ = 0;
  std::uint64_t taken_ = 0;
  bool over_ = false;
};

}  // namespace testing
