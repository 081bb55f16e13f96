// SPDX-License-Identifier: BSD-3-Clause
// The launcher reads what commands print and gives them what they read.
#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include <unistd.h>

#include "tool/launch/launcher.hpp"

namespace fmap::tool {

namespace {

constexpr std::size_t longest_line = 1u << 20;  // what is longer passes in pieces
constexpr std::size_t last_bytes_kept = 512;

}  // namespace

void launcher::read_some(running& r, stream_of which) {
  static thread_local std::string bytes(65536, '\0');
  int& end = r.pipe(which);
  if (end < 0) return;
  const std::size_t most = options_.lines == nullptr    ? to_.may_read(*r.of.what, which)
                           : options_.lines->has_room() ? bytes.size()
                                                        : 0;
  if (most == 0) {
    if (!std::exchange(r.refused[running::at(which)], true)) unwatch(end);
    help_out();
    return;
  }
  const ssize_t got = ::read(end, bytes.data(), std::min(most, bytes.size()));
  if (got > 0) {
    const std::string_view read{bytes.data(), static_cast<std::size_t>(got)};
    if (options_.lines != nullptr)
      read_lines(r, which, read);
    else
      to_.put(*r.of.what, which, read);
    r.last_bytes += read.substr(read.size() - std::min(read.size(), last_bytes_kept));
    if (r.last_bytes.size() > 2 * last_bytes_kept)
      r.last_bytes.erase(0, r.last_bytes.size() - last_bytes_kept);
    r.last_sign = clock::now();
  } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
    close_stream(r, which);
  }
}

/// Passes on the lines that are whole.
void launcher::read_lines(running& r, stream_of which, std::string_view bytes) {
  std::string& begun = r.lines[running::at(which)];
  const auto end = bytes.rfind('\n');
  if (end == std::string_view::npos) {
    begun += bytes;
    if (begun.size() > longest_line)
      options_.lines->put({r.of.what, which, std::exchange(begun, {}), {}});
    return;
  }
  std::string whole = std::exchange(begun, std::string{bytes.substr(end + 1)});
  whole += bytes.substr(0, end + 1);
  options_.lines->put({r.of.what, which, std::move(whole), {}});
}

/// A command that does not read all has not failed for it.
void launcher::feed(running& r) {
  while (r.in >= 0) {
    if (r.sent == r.input->size()) {
      close_input(r);
      return;
    }
    const ssize_t n = ::write(r.in, r.input->data() + r.sent, r.input->size() - r.sent);
    if (n > 0)
      r.sent += static_cast<std::size_t>(n);
    else if (n < 0 && errno == EAGAIN)
      return;
    else if (n < 0 && errno != EINTR)
      close_input(r);
  }
}

void launcher::close_input(running& r) {
  if (r.in < 0) return;
  unwatch(r.in);
  ::close(std::exchange(r.in, -1));
}

void launcher::resume_refused() {
  for (const auto& [serial, r] : running_) {
    for (const stream_of which : {stream_of::out, stream_of::err}) {
      if (!std::exchange(r->refused[running::at(which)], false) || r->pipe(which) < 0) continue;
      watch(r->pipe(which), tag(serial, which == stream_of::out ? about::out : about::err));
    }
  }
}

void launcher::hand_over(order& o) {
  if (std::exchange(o.what->handed, true)) return;
  handed_.fetch_add(1);
  if (options_.lines == nullptr) {
    std::exchange(o.promised, {}).set_value(o.what);
    return;
  }
  // Behind its last line.
  const auto promised = std::make_shared<promise<job_ptr>>(std::exchange(o.promised, {}));
  options_.lines->put(
      {o.what, stream_of::out, {}, [promised, what = o.what] { promised->set_value(what); }});
}

/// When all outputs wait for room and nobody has one to write, the oldest job's output flows. In input order that is the
/// first item's, even if it was begun late.
void launcher::help_out() {
  room_.store(true);  // written() wakes us: then there may be nobody else
  if (options_.lines != nullptr) return;
  if (!options_.ordered) {
    if (handed_.load() != 0) return;
    for (const auto& [serial, r] : running_) {
      if (r->of.what->handed) continue;
      hand_over(r->of);
      return;
    }
    return;
  }
  running* first = nullptr;
  for (const auto& [serial, r] : running_)
    if (first == nullptr || r->of.what->what.number < first->of.what->what.number) first = r.get();
  const auto before = [&](const order& o) {
    return o.what->what.number < first->of.what->what.number;
  };
  if (first == nullptr || std::any_of(waiting_.begin(), waiting_.end(), before)
      || std::any_of(later_.begin(), later_.end(), [&](const auto& l) { return before(l.second); }))
    return;
  hand_over(first->of);
}

void launcher::close_stream(running& r, stream_of which) {
  int& end = r.pipe(which);
  if (end < 0) return;
  unwatch(end);
  ::close(std::exchange(end, -1));
  std::string& begun = r.lines[running::at(which)];
  if (!begun.empty()) options_.lines->put({r.of.what, which, std::exchange(begun, {}), {}});
}

}  // namespace fmap::tool
