// SPDX-License-Identifier: BSD-3-Clause
// The inside of a worker process: frames from the pool become runs on threads of its own.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <fmap/detail/remote_job.hpp>

#include "actors/pool_core.hpp"
#include "src/remote/flight_recorder.hpp"
#include "src/remote/item_span.hpp"
#include "src/remote/outcome_sender.hpp"
#include "src/remote/uplink.hpp"

namespace fmap::remote {

/// The inside of a pool of threads, made for a worker process: so many threads, of which each calls `initializer`
/// before its first item. Calls `give_up` if it can have no threads.
using make_threads = std::function<std::shared_ptr<detail::pool_core>(
    std::uint32_t threads, std::function<void()> initializer,
    std::function<void(std::exception_ptr)> give_up)>;

/// What a worker process consists of. Trusts nothing that it is sent. One thread calls it.
class worker_process {
public:
  /// Takes over the recorder's descriptor.
  worker_process(int socket, int recorder_fd, make_threads make);
  ~worker_process();
  worker_process(const worker_process&) = delete;
  worker_process& operator=(const worker_process&) = delete;

  /// Acts on a frame; `quit` is the caller's. False: it makes no sense.
  bool receive(frames::kind, wire::reader&);

  /// There is no memory for this frame, whose beginning is known: its item is to blame.
  void blame(std::string_view unfinished_batch);

private:
  struct open_run {
    run_ptr here;
    detail::made_job job;
    std::shared_ptr<outcome_sender> sender;
    std::exception_ptr unusable;  // its function could not be made
  };

  bool setup(wire::reader&);
  void apply_limits(const frames::setup&);
  void initialize(const std::string& key);
  bool open(wire::reader&);
  bool batch(wire::reader&);
  std::uint32_t queue_readable(open_run&, item_span, std::exception_ptr& error);
  std::uint32_t load(open_run&, const item_span&, std::exception_ptr& error);
  bool recall(wire::reader&);
  bool close(wire::reader&);
  open_run* find(run_id);

  [[noreturn]] void give_up(const std::exception_ptr& why);

  const make_threads make_threads_;
  uplink up_;
  flight_recorder recorder_;
  std::once_flag initialized_;
  std::shared_ptr<detail::pool_core> core_;
  std::map<run_id, open_run> runs_;
};

}  // namespace fmap::remote
