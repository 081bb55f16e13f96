// SPDX-License-Identifier: BSD-3-Clause
// The wiring of a worker process: frames from the pool become runs on a thread pool of its own.
#pragma once

#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include <fmap/detail/remote_job.hpp>

#include "actors/node/connection.hpp"
#include "actors/node/outcome_sender.hpp"
#include "actors/node/recorder.hpp"
#include "actors/wiring.hpp"

namespace fmap::actors {

/// What a worker process consists of. Trusts nothing that it is sent. One thread calls it.
class node_process {
public:
  /// Takes over the recorder's descriptor.
  node_process(int socket, int recorder_fd) : back_{socket}, recorder_{recorder_fd} {}
  ~node_process();

  /// Acts on a frame; `quit` is the caller's. False: it makes no sense.
  bool receive(frame, wire::reader&);

  /// There is no memory for this frame, whose beginning is known: its item is to blame.
  void blame(std::string_view unfinished_batch);

private:
  struct served {
    run_ptr here;
    std::shared_ptr<detail::job> work;
    detail::remote_job* remote = nullptr;
    std::shared_ptr<outcome_sender> sender;
    std::exception_ptr unusable;  // its function could not be made
  };
  struct batch_head {
    run_id there = 0;
    std::uint64_t first = 0;
    std::uint32_t place = 0;
  };

  bool setup(wire::reader&);
  void initialize(const std::string& key);
  bool open(wire::reader&);
  bool batch(wire::reader&);
  std::uint32_t load(served&, const batch_head&, std::span<const std::uint32_t> sizes,
                     std::string_view bytes, std::exception_ptr& error);
  bool recall(wire::reader&);
  bool close(wire::reader&);
  served* find(run_id);

  way_back back_;
  recorder recorder_;
  std::once_flag initialized_;
  std::shared_ptr<thread_core> core_;
  std::map<run_id, served> runs_;
};

}  // namespace fmap::actors
