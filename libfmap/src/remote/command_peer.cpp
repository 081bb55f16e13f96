// SPDX-License-Identifier: BSD-3-Clause
// A command whose standard input and output are the connection.

#include "src/remote/command_peer.hpp"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include "src/remote/descriptor.hpp"
#include "src/remote/plain_stream.hpp"

namespace fmap::remote {

namespace {

struct pipe_ends {
  descriptor read, write;
};

pipe_ends make_pipe(detail::standard_streams& streams) {
  int ends[2];
  if (!streams.make(ends, [](int* them) { return ::pipe2(them, O_CLOEXEC) == 0; }))
    throw std::system_error{errno, std::generic_category(), "fmap: no pipe for a command"};
  return {descriptor{ends[0]}, descriptor{ends[1]}};
}

}  // namespace

std::unique_ptr<stream> command_peer::start() {
  detail::standard_streams streams;
  pipe_ends to = make_pipe(streams), from = make_pipe(streams);
  process_.emplace(launch{"/bin/sh",
                          {"sh", "-c", command_},
                          environment_,
                          {{to.read.get(), 0}, {from.write.get(), 1}},
                          true},
                   streams);
  auto result = std::make_unique<plain_stream>(from.read.get(), to.write.get());
  from.read.release();
  to.write.release();
  return result;
}

void command_peer::kill() noexcept {
  if (process_) process_->kill();
}

void command_peer::terminate() noexcept {
  if (process_) process_->terminate();
}

worker_death command_peer::reap() { return process_ ? process_->reap() : worker_death{}; }

}  // namespace fmap::remote
