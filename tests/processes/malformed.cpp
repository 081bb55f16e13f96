// SPDX-License-Identifier: BSD-3-Clause
// Whatever a peer sends, on either side: no crash, and no memory that it has not paid for with bytes.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

#include <fmap/detail/exception_codec.hpp>
#include <fmap/detail/travelling_task.hpp>
#include <fmap/process_pool.hpp>

#include "actors/wiring.hpp"
#include "src/remote/plain_stream.hpp"
#include "src/remote/transfer.hpp"
#include "src/remote/worker_process.hpp"
#include "support/catch.hpp"
#include "support/every_port.hpp"
#include "support/seed.hpp"

using namespace fmap::remote;
namespace wire = fmap::wire;
using frames::kind;

// -- how much is asked for at once ------------------------------------------------

namespace {
constinit thread_local bool watching = false;
constinit thread_local std::size_t largest = 0;
}  // namespace

// Not inlined, or GCC sees a malloc and a delete and warns.
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (watching) largest = std::max(largest, size);
  for (;;) {
    if (void* p = std::malloc(size != 0 ? size : 1)) return p;
    const auto handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc{};
    handler();
  }
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return std::malloc(size != 0 ? size : 1);
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }

namespace {

/// The connection's buffer; no message here is larger than a few kilobytes.
constexpr std::size_t allowed = 256 * 1024;

using strings = std::vector<std::string>;
struct pass_on {
  strings operator()(const strings& s) const { return s; }
};
using job_type = fmap::detail::travelling_job<strings, pass_on>;

template <class T>
std::string bytes_of(const T& value) {
  std::string result;
  wire::writer w{result};
  w.apply(value);
  return result;
}

template <class Frame>
std::string message_of(const Frame& frame, const std::string& body = {}) {
  const std::string content = bytes_of(frame) + body;
  return bytes_of(std::uint64_t{content.size() + 1}) + static_cast<char>(Frame::is) + content;
}

/// Frames with a few things wrong, mostly small ones.
std::string mutated(std::string s, testing::dice& d) {
  for (auto n = d.below(4); n != 0 && !s.empty(); --n) {
    const auto at = d.below(s.size());
    switch (d.below(7)) {
      case 0: s[at] = static_cast<char>(d.below(256)); break;
      case 1: s[at] ^= static_cast<char>(1U << d.below(8)); break;
      case 2: s.resize(at); break;
      case 3: s.insert(at, 1 + d.below(8), static_cast<char>(d.below(256))); break;
      case 4: s.erase(at, 1 + d.below(8)); break;
      case 5: s[at] = d.one_in(2) ? '\xff' : '\x7f'; break;
      default: s += s.substr(at); break;
    }
  }
  return s;
}

strings some_strings(testing::dice& d) {
  strings result(d.below(4));
  for (auto& s : result) s.resize(d.below(20), 'x');
  return result;
}

struct ends {
  ends() {
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != 0) std::abort();
  }
  int fd[2];
};

bool write_all(int fd, const std::string& s) {
  return s.size() < 60'000 && ::write(fd, s.data(), s.size()) == static_cast<ssize_t>(s.size());
}

// -- what a pool reads ------------------------------------------------------------

/// A pool's side that holds a few items, and takes one message.
void pool_reads(testing::dice& d) {
  shared_mailbox mailbox{1};
  testing::every_port box{mailbox};
  fmap::kernel::worker self;
  session_port port{mailbox, self};
  port.join(std::make_shared<fmap::kernel::parker>(), 1, 8192);
  const auto work = std::make_shared<job_type>(pass_on{});
  const run_ptr r = box.open({.buffersize = 64, .max_attempts = 2}, work, nullptr, nullptr);
  const auto count = static_cast<std::uint32_t>(1 + d.below(12));
  auto items = std::make_unique<chunk>(0, count, work->layout);
  for (std::uint32_t i = 0; i != count; ++i) {
    const std::string bytes = bytes_of(some_strings(d));
    wire::reader reader{bytes};
    work->load_item(reader, *items, i);
  }
  box.push(*r, std::move(items), count);
  ends e;
  connection line{std::make_unique<plain_stream>(e.fd[0]), other_end::peer};
  flight_recorder recorder;
  transfer sent{port, line, in_transit{recorder, suspects{}}};
  while (const parcel p = port.take(any_number)) sent.send(p);

  std::string message;
  for (std::uint64_t next = 0; next < count;) {
    const auto n = 1 + d.below(count - next);
    if (d.one_in(4)) {
      message += message_of(frames::returned{r->id, next, static_cast<std::uint32_t>(n)});
    } else {
      std::string values;
      std::vector<std::uint32_t> sizes;
      for (std::uint64_t i = 0; i != n; ++i) {
        const auto before = values.size();
        if (d.one_in(3))
          values += '\1'
                    + fmap::detail::encode_exception(
                        std::make_exception_ptr(std::out_of_range{"far"}), "host", 7);
        else
          values += '\0' + bytes_of(some_strings(d));
        sizes.push_back(static_cast<std::uint32_t>(values.size() - before));
      }
      message += message_of(frames::outcomes{r->id, next, d.below(1000), sizes}, values);
    }
    next += n;
  }
  if (write_all(e.fd[1], mutated(std::move(message), d)) && line.fill()) {
    watching = true;
    largest = 0;
    line.each([&](kind what, wire::reader& reader) {
      switch (what) {
        case kind::outcomes: return sent.outcomes(reader);
        case kind::returned: return sent.returned(reader);
        case kind::broken: return fmap::detail::decode_exception(reader) != nullptr;
        default: return false;
      }
    });
    watching = false;
    if (largest > allowed) FAIL("asked for " << largest << " bytes");
  }
  ::close(e.fd[1]);
  box.stop(*r);
  port.lost([](run_id, std::uint64_t) { return mark::waiting; },
            [](const casualty&) { return std::exception_ptr{}; });
  sent.forget();
  box.close(*r);
}

// -- what a worker process reads --------------------------------------------------

/// A worker process' inside, fed with many messages.
void worker_reads(testing::dice& d, int messages) {
  ends e;
  flight_recorder flight;
  std::jthread drain{[fd = e.fd[1]] {
    char buffer[65536];
    while (::read(fd, buffer, sizeof buffer) > 0) {}
  }};
  {
    worker_process worker{e.fd[0], ::dup(flight.fd()), fmap::actors::make_threads};
    const auto give = [&](kind what, const std::string& content) {
      wire::reader reader{content};
      return worker.receive(what, reader);
    };
    REQUIRE(give(kind::setup, bytes_of(frames::setup{})));
    run_id latest = 0;
    std::uint64_t next = 0;
    std::uint32_t place = 0;
    for (int i = 0; i != messages; ++i) {
      if (i % 50 == 0) {
        ++latest;
        frames::open run;
        run.run = latest;
        run.function = job_type{{}}.key();
        give(kind::open, mutated(bytes_of(run), d));
        next = 0;
        continue;
      }
      const auto what = d.one_in(20) ? kind::recall : d.one_in(40) ? kind::close : kind::batch;
      std::string content = bytes_of(latest);
      if (what == kind::batch) {
        std::string values;
        std::vector<std::uint32_t> sizes(1 + d.below(6));
        for (auto& size : sizes) {
          const std::string item = bytes_of(some_strings(d));
          values += item;
          size = static_cast<std::uint32_t>(item.size());
        }
        content = bytes_of(frames::batch{latest, next, place, false, sizes}) + values;
        next += sizes.size();
        place = (place + 8) % (flight_recorder::size - 8);
      }
      content = mutated(std::move(content), d);
      watching = true;
      largest = 0;
      give(d.one_in(50) ? static_cast<kind>(d.below(256) | 16U) : what, content);
      watching = false;
      if (largest > allowed) FAIL("asked for " << largest << " bytes");
    }
  }
  ::shutdown(e.fd[1], SHUT_RDWR);
  drain.join();
  ::close(e.fd[0]);
  ::close(e.fd[1]);
}

void feed(int count) {
  const auto seed = testing::seed();
  INFO(testing::seed_message(seed));
  testing::dice d{seed};
  for (int i = 0; i != count / 2; ++i) pool_reads(d);
  const auto system = fmap::actors::default_system();
  for (int i = 0; i != count / 2; i += 1000) worker_reads(d, 1000);
  SUCCEED();
}

}  // namespace

TEST_CASE("malformed messages") { feed(20'000); }

TEST_CASE("a million malformed messages", "[.long]") { feed(1'000'000); }
