// SPDX-License-Identifier: BSD-3-Clause
// A worker process of this machine: this program, started again.

#include "src/remote/child_process.hpp"

#include <cerrno>
#include <system_error>

#include <sys/socket.h>

#include "src/remote/descriptor.hpp"
#include "src/remote/plain_stream.hpp"
#include "src/remote/program.hpp"

namespace fmap::remote {

namespace {

/// Where the two descriptors are in the worker process.
constexpr int socket_there = 3, recorder_there = 4;

constexpr int buffer_size = 1 << 20;

std::pair<descriptor, descriptor> socket_pair(detail::standard_streams& streams) {
  int ends[2];
  const auto open = [](int* them) {
    return ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, them) == 0;
  };
  if (!streams.make(ends, open))
    throw std::system_error{errno, std::generic_category(), "fmap: no socket for a worker process"};
  for (const int end : ends)
    ::setsockopt(end, SOL_SOCKET, SO_SNDBUF, &buffer_size, sizeof buffer_size);
  return {descriptor{ends[0]}, descriptor{ends[1]}};
}

}  // namespace

std::unique_ptr<stream> child_process::start() {
  recorder_.emplace();
  struct closing {
    flight_recorder& it;
    ~closing() { it.close_fd(); }
  } const until_started{*recorder_};
  detail::standard_streams streams;
  auto [ours, theirs] = socket_pair(streams);
  std::unique_ptr<stream> bytes{new plain_stream{ours.release()}};  // allocates before it releases
  process_.emplace(launch{this_program().path,
                          {this_program().name, worker_flag + std::to_string(socket_there) + ","
                                                    + std::to_string(recorder_there)},
                          environment_,
                          {{theirs.get(), socket_there}, {recorder_->fd(), recorder_there}},
                          false,
                          // For the parent to act upon; blocked until the worker handles them.
                          {std::begin(signals_for_the_parent), std::end(signals_for_the_parent)}},
                   streams);
  return bytes;
}

void child_process::kill() noexcept {
  if (process_) process_->kill();
}

void child_process::terminate() noexcept {
  if (process_) process_->terminate();
}

worker_death child_process::reap() { return process_ ? process_->reap() : worker_death{}; }

std::string child_process::description() const { return this_program().path; }

}  // namespace fmap::remote
