// SPDX-License-Identifier: BSD-3-Clause
// What a pool and its peers say to each other: one struct for each frame, used by both ends.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <fmap/detail/program_fingerprint.hpp>
#include <fmap/wire.hpp>

/// The fields of a frame are written in the order of its `inspect`. Whoever changes one changes
/// detail::protocol_version, too. docs/protocol.md tells who sends which, and when.
namespace fmap::remote::frames {

enum class kind : std::uint8_t {
  // to the peer
  setup,
  open,
  batch,
  recall,
  close,
  quit,
  welcome,
  refused,
  leave,
  // both ways
  beat,
  // from it
  hello,
  outcomes,
  returned,
  started,
  closed,
  leaving,
  broken
};

/// Whether frames of this kind go to the peer; and whether they go to the pool.
constexpr bool for_peer(kind k) { return k <= kind::beat; }
constexpr bool for_pool(kind k) { return k >= kind::beat; }

inline constexpr kind last_kind = kind::broken;

/// Items and outcomes are gathered until a frame has this size. A larger one holds one item.
inline constexpr std::size_t full_size = 1u << 20;

/// No frame is longer: one holds less than a megabyte and one item of less than 4 GiB.
inline constexpr std::uint64_t longest = (std::uint64_t{1} << 32) + (1u << 24);

/// Nor is one of a node before its pool knows who it is.
inline constexpr std::uint64_t longest_hello = 1u << 16;

/// Frames that more bytes follow: items, outcomes, an exception.
template <class Frame>
concept has_body = requires {
  typename Frame::body;
};

/// Once, first.
struct setup {
  static constexpr kind is = kind::setup;

  std::uint32_t threads = 1;
  std::string initializer;
  int nice = 0;
  std::optional<std::uint64_t> address_space_limit;

  bool operator==(const setup&) const = default;
};

/// A run, before its first batch: the name of its function's type, what the function object carries, and for how many
/// nanoseconds a node lets an item run; 0: for ever. `whole`: a batch is one call, with at most
/// `chunksize` items unless that is 0.
struct open {
  static constexpr kind is = kind::open;

  std::uint64_t run = 0;
  std::string function;
  std::string state;
  std::uint64_t item_timeout = 0;
  bool whole = false;
  std::uint32_t chunksize = 0;

  bool operator==(const open&) const = default;
};

/// Consecutive items of a run: the size of each, and where the witness looks for the first. The items follow. `alone`:
/// it is one item, and a node has it executed by a process that holds no other.
struct batch {
  static constexpr kind is = kind::batch;
  using body = void;

  std::uint64_t run = 0;
  std::uint64_t first = 0;
  std::uint32_t place = 0;
  bool alone = false;
  std::vector<std::uint32_t> sizes;

  bool operator==(const batch&) const = default;
};

/// Send back what has not begun of a run.
struct recall {
  static constexpr kind is = kind::recall;

  std::uint64_t run = 0;

  bool operator==(const recall&) const = default;
};

/// Nothing of the run is wanted any more.
struct close {
  static constexpr kind is = kind::close;

  std::uint64_t run = 0;

  bool operator==(const close&) const = default;
};

/// Finish and exit. A node that has dialled may come again, for the next pool at that address.
struct quit {
  static constexpr kind is = kind::quit;

  bool again = false;

  bool operator==(const quit&) const = default;
};

/// To a node, once, first: how its processes are to be, how large an item may be, and when either side is to give a
/// sign of life, and is taken for lost without one; both in nanoseconds.
struct welcome {
  static constexpr kind is = kind::welcome;

  std::uint64_t heartbeat = 0, silence = 0;
  std::uint64_t largest_item = 0;
  std::uint32_t threads = 1;
  std::string initializer;
  std::optional<std::uint64_t> max_items;
  std::uint64_t restarts = 0, restart_window = 0;
  std::vector<std::string> environment{};
  int nice = 0;
  std::optional<std::uint64_t> address_space_limit;

  bool operator==(const welcome&) const = default;
};

/// To a node, instead of that: why it cannot be one of the pool's; whether it can be one later.
struct refused {
  static constexpr kind is = kind::refused;

  std::string why;
  bool later = false;

  bool operator==(const refused&) const = default;
};

/// To a node: give back what has not begun, finish the rest within so many nanoseconds.
struct leave {
  static constexpr kind is = kind::leave;

  std::uint64_t time = 0;

  bool operator==(const leave&) const = default;
};

/// A node is there. The last beat that came from the other side, and how many nanoseconds ago.
struct beat {
  static constexpr kind is = kind::beat;

  std::uint64_t number = 0, echo = 0, lay = 0;

  bool operator==(const beat&) const = default;
};

/// Once, first. A node also says who it is, and how many processes it has. Its incarnation is a number that no other
/// process has had; one that comes again shows the same.
struct hello {
  static constexpr kind is = kind::hello;

  std::uint32_t version = detail::protocol_version;
  std::string fingerprint{};
  std::string name{};
  std::string host{};
  int pid = 0;
  std::uint32_t workers = 0;
  std::array<std::uint64_t, 2> incarnation{};

  bool operator==(const hello&) const = default;
};

/// Of consecutive items: how long each took on average, and the size of each outcome. The outcomes follow.
struct outcomes {
  static constexpr kind is = kind::outcomes;
  using body = void;

  std::uint64_t run = 0;
  std::uint64_t first = 0;
  std::uint64_t ns_each = 0;
  std::vector<std::uint32_t> sizes;

  bool operator==(const outcomes&) const = default;
};

/// Consecutive items that had not begun.
struct returned {
  static constexpr kind is = kind::returned;

  std::uint64_t run = 0;
  std::uint64_t first = 0;
  std::uint32_t count = 0;

  bool operator==(const returned&) const = default;
};

/// Once: the initializer has returned. Of a node: it can take items.
struct started {
  static constexpr kind is = kind::started;

  bool operator==(const started&) const = default;
};

/// A node has nothing of a run that was closed, and says nothing of it any more.
struct closed {
  static constexpr kind is = kind::closed;

  std::uint64_t run = 0;

  bool operator==(const closed&) const = default;
};

/// A node takes nothing more, and ends after so many nanoseconds at the latest.
struct leaving {
  static constexpr kind is = kind::leaving;

  std::string why;
  std::uint64_t time = 0;

  bool operator==(const leaving&) const = default;
};

/// The peer cannot work, and perhaps no other peer could either. The exception that says why follows.
struct broken {
  static constexpr kind is = kind::broken;
  using body = void;

  bool everywhere = true;

  bool operator==(const broken&) const = default;
};

template <class Inspector>
auto inspect(Inspector& f, setup& x) {
  return f(x.threads, x.initializer, x.nice, x.address_space_limit);
}
template <class Inspector>
auto inspect(Inspector& f, open& x) {
  return f(x.run, x.function, x.state, x.item_timeout, x.whole, x.chunksize);
}
template <class Inspector>
auto inspect(Inspector& f, batch& x) {
  return f(x.run, x.first, x.place, x.alone, x.sizes);
}
template <class Inspector>
auto inspect(Inspector& f, recall& x) {
  return f(x.run);
}
template <class Inspector>
auto inspect(Inspector& f, close& x) {
  return f(x.run);
}
template <class Inspector>
auto inspect(Inspector& f, quit& x) {
  return f(x.again);
}
template <class Inspector>
auto inspect(Inspector& f, hello& x) {
  return f(x.version, x.fingerprint, x.name, x.host, x.pid, x.workers, x.incarnation);
}
template <class Inspector>
auto inspect(Inspector& f, outcomes& x) {
  return f(x.run, x.first, x.ns_each, x.sizes);
}
template <class Inspector>
auto inspect(Inspector& f, returned& x) {
  return f(x.run, x.first, x.count);
}
template <class Inspector>
auto inspect(Inspector& f, started&) {
  return f();
}
template <class Inspector>
auto inspect(Inspector& f, welcome& x) {
  return f(x.heartbeat, x.silence, x.largest_item, x.threads, x.initializer, x.max_items,
           x.restarts, x.restart_window, x.environment, x.nice, x.address_space_limit);
}
template <class Inspector>
auto inspect(Inspector& f, refused& x) {
  return f(x.why, x.later);
}
template <class Inspector>
auto inspect(Inspector& f, leave& x) {
  return f(x.time);
}
template <class Inspector>
auto inspect(Inspector& f, leaving& x) {
  return f(x.why, x.time);
}
template <class Inspector>
auto inspect(Inspector& f, beat& x) {
  return f(x.number, x.echo, x.lay);
}
template <class Inspector>
auto inspect(Inspector& f, closed& x) {
  return f(x.run);
}
template <class Inspector>
auto inspect(Inspector& f, broken& x) {
  return f(x.everywhere);
}

/// Reads a frame's fields. False: it is malformed. What follows them, if anything does, is left in the reader.
template <class Frame>
bool read(wire::reader& r, Frame& x) {
  if (!r.apply(x)) return false;
  if constexpr (!has_body<Frame>) return r.expect_end();
  return true;
}

}  // namespace fmap::remote::frames
