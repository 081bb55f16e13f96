// SPDX-License-Identifier: BSD-3-Clause
// What a pool believes a worker process to hold.
#include <memory>
#include <string>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

#include <fmap/detail/travelling_task.hpp>
#include <fmap/process_pool.hpp>

#include "src/remote/flight_recorder.hpp"
#include "src/remote/plain_stream.hpp"
#include "src/remote/transfer.hpp"
#include "support/catch.hpp"
#include "support/every_port.hpp"

using namespace fmap::remote;

namespace {

struct same {
  int operator()(int x) const { return x; }
};

template <class... T>
std::string bytes_of(const T&... values) {
  std::string result;
  fmap::wire::writer w{result};
  (w.apply(values), ...);
  return result;
}

}  // namespace

TEST_CASE("an item that was sent back may be sent again while others of its batch are still out") {
  shared_mailbox mailbox{1};
  testing::every_port box{mailbox};
  fmap::kernel::worker self;
  session_port port{mailbox, self};
  port.join(std::make_shared<fmap::kernel::parker>(), 4, 8192);
  const auto work = std::make_shared<fmap::detail::travelling_job<int, same>>(same{});
  const run_ptr r = box.open({.buffersize = 64, .chunksize = 4}, work, nullptr, nullptr);
  auto items = std::make_unique<chunk>(0, 4, work->layout);
  for (std::uint32_t i = 0; i != 4; ++i) {
    ::new (items->at(i)) int(static_cast<int>(i));
    items->state(i).store(fmap::detail::slot_state::item);
  }
  box.push(*r, std::move(items), 4);
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  {
    connection line{std::make_unique<plain_stream>(ends[0]), other_end::peer};
    flight_recorder recorder;
    transfer sent{port, line, in_transit{recorder, suspects{}}};
    const in_transit& held = sent.held();
    const auto send = [&] {
      while (const parcel p = port.take(any_number)) sent.send(p);
    };
    const auto finish = [&](std::uint64_t first, std::vector<int> values) {
      std::string all;
      std::vector<std::uint32_t> sizes;
      for (const int v : values) {
        const std::string one = bytes_of(false, v);
        sizes.push_back(static_cast<std::uint32_t>(one.size()));
        all += one;
      }
      const std::string content = bytes_of(frames::outcomes{r->id, first, 0, sizes}) + all;
      fmap::wire::reader reader{content};
      return sent.outcomes(reader);
    };
    send();
    REQUIRE(held.size() == 4);
    const std::string sent_back = bytes_of(frames::returned{r->id, 1, 3});
    fmap::wire::reader reader{sent_back};
    REQUIRE(sent.returned(reader));
    send();
    REQUIRE(held.size() == 4);
    CHECK(held.state_of({r->id, 2}) == mark::waiting);
    CHECK(finish(1, {1, 2, 3}));
    CHECK(finish(0, {0}));
    CHECK_FALSE(finish(0, {0}));
    CHECK(held.empty());
    box.leave(self);
    box.close(*r);
  }
  ::close(ends[1]);
}
