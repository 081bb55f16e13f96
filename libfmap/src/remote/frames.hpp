// SPDX-License-Identifier: BSD-3-Clause
// What a pool and its peers say to each other: one struct for each frame, used by both ends.
#pragma once

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
  // from it
  hello,
  outcomes,
  returned,
  started,
  broken
};

/// Whether frames of this kind go to the peer, and not to the pool.
constexpr bool for_peer(kind k) { return k <= kind::quit; }

inline constexpr kind last_kind = kind::broken;

/// Items and outcomes are gathered until a frame has this size. A larger one holds one item.
inline constexpr std::size_t full_size = 1u << 20;

/// No frame is longer: one holds less than a megabyte and one item of less than 4 GiB.
inline constexpr std::uint64_t longest = (std::uint64_t{1} << 32) + (1u << 24);

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

/// A run, before its first batch: the name of its function's type, and what the function object carries.
struct open {
  static constexpr kind is = kind::open;

  std::uint64_t run = 0;
  std::string function;
  std::string state;

  bool operator==(const open&) const = default;
};

/// Consecutive items of a run: the size of each, and where the witness looks for the first. The items follow.
struct batch {
  static constexpr kind is = kind::batch;
  using body = void;

  std::uint64_t run = 0;
  std::uint64_t first = 0;
  std::uint32_t place = 0;
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

/// Finish and exit.
struct quit {
  static constexpr kind is = kind::quit;

  bool operator==(const quit&) const = default;
};

/// Once, first.
struct hello {
  static constexpr kind is = kind::hello;

  std::uint32_t version = detail::protocol_version;
  std::string fingerprint;

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

/// Once: the initializer has returned.
struct started {
  static constexpr kind is = kind::started;

  bool operator==(const started&) const = default;
};

/// The peer cannot work. The exception that says why follows.
struct broken {
  static constexpr kind is = kind::broken;
  using body = void;

  bool operator==(const broken&) const = default;
};

template <class Inspector>
auto inspect(Inspector& f, setup& x) {
  return f(x.threads, x.initializer, x.nice, x.address_space_limit);
}
template <class Inspector>
auto inspect(Inspector& f, open& x) {
  return f(x.run, x.function, x.state);
}
template <class Inspector>
auto inspect(Inspector& f, batch& x) {
  return f(x.run, x.first, x.place, x.sizes);
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
auto inspect(Inspector& f, quit&) {
  return f();
}
template <class Inspector>
auto inspect(Inspector& f, hello& x) {
  return f(x.version, x.fingerprint);
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
auto inspect(Inspector& f, broken&) {
  return f();
}

/// Reads a frame's fields. False: it is malformed. What follows them, if anything does, is left in the reader.
template <class Frame>
bool read(wire::reader& r, Frame& x) {
  if (!r.apply(x)) return false;
  if constexpr (!has_body<Frame>) return r.expect_end();
  return true;
}

}  // namespace fmap::remote::frames
