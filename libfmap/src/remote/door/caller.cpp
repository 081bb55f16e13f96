// SPDX-License-Identifier: BSD-3-Clause
// Somebody who has dialled in and has not been let in.

#include "src/remote/door/caller.hpp"

#include <utility>

#include "src/remote/link/link_stream.hpp"
#include "src/remote/plain_stream.hpp"

namespace fmap::remote {

namespace {

std::unique_ptr<connection> line_over(std::unique_ptr<stream> bytes) {
  auto result = std::make_unique<connection>(
      std::make_unique<link_stream>(std::move(bytes), 0, nullptr), other_end::peer);
  result->limit(frames::longest_hello);
  return result;
}

}  // namespace

caller::caller(arrival a, tls_context* tls, std::chrono::steady_clock::time_point now)
    : begun_{now}, host_{std::move(a.host)}, from_{std::move(a.from)} {
  if (tls != nullptr) {
    shaking_ = tls->over(std::move(a.socket), {});
    return;
  }
  line_ = line_over(std::make_unique<plain_stream>(a.socket.get()));
  a.socket.release();
  now_ = state::greeting;
}

pollfd caller::wants() const {
  if (now_ == state::shaking) {
    const bool reads = wants_ == tls_stream::handshake::reads;
    return {shaking_->read_fd(), static_cast<short>(reads ? POLLIN : POLLOUT), 0};
  }
  if (now_ == state::greeting) return {line_->bytes().read_fd(), POLLIN, 0};
  return {-1, 0, 0};
}

void caller::go_on() {
  if (now_ == state::shaking) shake();
  if (now_ == state::greeting) listen();
}

void caller::shake() {
  spoken_ = true;
  wants_ = shaking_->shake_hands();
  if (wants_ == tls_stream::handshake::failed) {
    const std::string why = shaking_->failure();
    return end(why.empty() ? "handshake broken off" : why);
  }
  if (wants_ != tls_stream::handshake::done) return;
  names_ = shaking_->names();
  line_ = line_over(std::move(shaking_));
  now_ = state::greeting;
}

void caller::listen() {
  const std::size_t before = line_->arrived();
  const bool more = line_->fill();
  if (line_->arrived() != before) spoken_ = true;
  bool complete = false;
  const bool sane = line_->each([&](frames::kind kind, wire::reader& r) {
    if (kind != frames::kind::hello || std::exchange(complete, true)) return false;
    return frames::read(r, who_);
  });
  if (!sane) return end("no message");
  if (complete) {
    if (who_.name.empty()) who_.name = who_.host + ":" + std::to_string(who_.pid);
    now_ = state::waiting;
  } else if (!more) {
    end("hung up");
  }
}

void caller::refuse(const frames::refused& answer) {
  line_->send(answer);
  line_->flush();
  end({});
}

std::unique_ptr<connection> caller::leave() {
  auto result = std::move(line_);
  end({});
  return result;
}

void caller::end(std::string why) {
  why_ = std::move(why);
  line_.reset();
  shaking_.reset();
  now_ = state::over;
}

}  // namespace fmap::remote
