// SPDX-License-Identifier: BSD-3-Clause
// The launcher starts commands.
#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tool/command/shell_context.hpp"
#include "tool/launch/child.hpp"
#include "tool/launch/launcher.hpp"
#include "tool/launch/pipe.hpp"
#include "tool/ui/messages.hpp"

namespace fmap::tool {

namespace {

constexpr std::chrono::milliseconds start_pause{100};  // before a start is tried again
constexpr std::chrono::milliseconds gate_pause{250};   // before load and memory are looked at again

/// What the command reads: each of the items with a newline.
std::string lines_of(const item& i) {
  if (i.members.empty()) return whole(i) + "\n";
  std::string text;
  for (const item& m : i.members) text += whole(m) + "\n";
  return text;
}

}  // namespace

void launcher::start_some() {
  if (start_again_ && !draining_ && clock::now() < *start_again_) return;
  start_again_.reset();
  while (!waiting_.empty()
         && (draining_ || running_.size() < options_.jobs || first_is_shut_out())) {
    if (!draining_ && !may_begin()) return;
    order o = std::move(waiting_.front());
    waiting_.pop_front();
    if (draining_) {
      ending how = o.what->end;  // of the last try, if there was one
      complete(o, std::move(how));
    } else if (!start_one(o)) {
      waiting_.push_front(std::move(o));
      return;
    }
  }
}

/// Whether pace, load and memory let the next one begin; if not, when to ask again is noted.
bool launcher::may_begin() {
  if (waiting_.front().what->what.saved != nullptr) return true;
  const auto now = clock::now();
  if (options_.pace.next() > now) {
    start_again_ = options_.pace.next();
    return false;
  }
  const std::string why = options_.when.asked_for() ? options_.when.closed() : std::string{};
  if (why.empty()) {
    waits_told_ = false;
    return true;
  }
  if (options_.verbose && !std::exchange(waits_told_, true)) say("begins nothing: " + why);
  start_again_ = now + gate_pause;
  return false;
}

/// In input order: whether the next one to be written waits for a slot, while all that run wait for it to be written,
/// as there is no room for their outputs. Then it is begun beside them.
bool launcher::first_is_shut_out() const {
  if (!options_.ordered || options_.lines != nullptr) return false;
  const std::uint64_t first = waiting_.front().what->what.number;
  return std::all_of(running_.begin(), running_.end(), [&](const auto& each) {
    const running& r = *each.second;
    return r.of.what->what.number > first && (r.refused[0] || r.refused[1]);
  });
}

/// One that had been begun goes before those that had not; in input order to its place.
void launcher::put_back(order o) {
  auto place = waiting_.begin();
  while (options_.ordered && place != waiting_.end()
         && place->what->what.number < o.what->what.number)
    ++place;
  waiting_.insert(place, std::move(o));
}

/// Whether it may turn out that what this try prints is not to be written.
bool launcher::may_change(const job& j) const {
  return j.attempts < options_.retry.tries
         || (options_.split_failed && j.left.back().second - j.left.back().first > 1);
}

/// False: there is no process to be had now.
bool launcher::start_one(order& o) {
  job& j = *o.what;
  if (j.what.saved != nullptr) {
    complete(o, options_.saved(j));
    return true;
  }
  auto made = std::make_unique<running>();
  running& r = *made;
  r.of = std::move(o);
  const auto [first, last] = j.left.back();
  if (last - first < many(j.what)) r.part = part_of(j.what, first, last);
  if (j.attempts > 0 && options_.lines == nullptr) to_.drop(j);  // of the try before
  r.slot = slots_.take();
  r.began = r.last_sign = clock::now();
  r.started = std::chrono::system_clock::now();

  bool again = false;
  start_process(r, again);
  if (r.process < 0) {
    for (int& end : r.pipes) close_if_open(end);
    close_if_open(r.in);
    slots_.give_back(r.slot);
    o = std::move(r.of);
    if (again) {  // another job's end, or some time, helps
      start_again_ = clock::now() + start_pause;
      return false;
    }
    if (r.end.how == ending::kind::not_started) drain();
    settle(std::move(o), std::move(r.end));
    return true;
  }

  options_.pace.begun(r.began);
  ++j.attempts;
  j.used.attempts = j.attempts;
  r.serial = ++serial_;
  r.handle = static_cast<int>(::syscall(SYS_pidfd_open, r.process, 0));
  running_.emplace(r.serial, std::move(made));
  watch(r.handle, tag(r.serial, about::process));
  if (r.pipes[0] >= 0) watch(r.pipes[0], tag(r.serial, about::out));
  if (r.pipes[1] >= 0) watch(r.pipes[1], tag(r.serial, about::err));
  if (r.in >= 0) {
    watch(r.in, tag(r.serial, about::in), true);
    feed(r);
  }
  if (options_.began) options_.began(j, r.process);
  const bool at_once = (options_.ordered || options_.jobs == 1) && options_.lines == nullptr;
  if (at_once && !options_.output_stays && !may_change(j)) hand_over(r.of);
  return true;
}

/// Leaves the process in `r`, or why there is none.
void launcher::start_process(running& r, bool& again) {
  job& j = *r.of.what;
  r.end.how = ending::kind::not_run;
  r.end.why = r.runs().problem;
  if (!r.end.why.empty()) return;
  try {
    j.used.arguments = command_(r.runs(), r.slot);
  } catch (const not_runnable& e) {
    r.end.why = e.what();
    return;
  }
  std::string folder;
  if (options_.folder) {
    folder = options_.folder(r.runs(), r.slot);
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (!std::filesystem::is_directory(folder, error)) {
      r.end.why = "--workdir: " + folder + ": "
                  + (error ? error.message() : std::string{"that is no folder"});
      return;
    }
  }
  j.used.started = r.started;
  j.used.slot = r.slot;
  int in = -1;
  int theirs[2] = {-1, -1};
  started s;
  r.input = j.what.block;
  if (options_.item_to_input) r.input = std::make_shared<const std::string>(lines_of(r.runs()));
  if (r.input != nullptr) s.error = make_pipe(r.in, in, true);
  for (int at = 0; at < 2 && !options_.ungrouped && s.error == 0; ++at)
    s.error = make_pipe(r.pipes[at], theirs[at], false);
  if (s.error == 0) {
    if (options_.show_commands) say_command(j.used.arguments);
    const std::vector<std::string> environment = environment_for(r);
    child_options o;
    o.arguments = &j.used.arguments;
    o.environment = &environment;
    o.in = in >= 0 ? in : null_;
    o.out = theirs[0];
    o.err = theirs[1];
    o.dies_with_us = guard_ != nullptr;
    if (guard_ != nullptr && r.slot <= guard_->size()) o.seat = &guard_->of(r.slot);
    if (options_.files) o.files = &*options_.files;
    o.surroundings = &options_.surroundings;
    if (!folder.empty()) o.folder = folder.c_str();
    o.own_group = r.own_group = !options_.tty;
    s = tool::start(o);
  }
  r.process = s.process;
  for (int& end : theirs) close_if_open(end);
  close_if_open(in);
  if (s.error == E2BIG)
    r.end.why = "it is too long for an argument";
  else if (s.error == EAGAIN || s.error == ENOMEM || s.error == EMFILE || s.error == ENFILE)
    again = true;
  else if (s.error != 0)
    r.end = {ending::kind::not_started, s.error, false, false, j.used.arguments.front()};
}

/// Nothing more is done for it: its output may be written.
void launcher::complete(order& o, ending how) {
  job& j = *o.what;
  if (how.how != ending::kind::skipped) {
    ++finished_;
    if (options_.ended && j.what.saved == nullptr) options_.ended(j, how);
    count(j, how);
  }
  to_.ended(j, std::move(how));
  hand_over(o);
}

std::vector<std::string> launcher::environment_for(const running& r) const {
  const job& j = *r.of.what;
  std::vector<std::string> all = options_.environment;
  all.push_back("FMAP_SEQ=" + std::to_string(j.what.number));
  all.push_back("FMAP_SLOT=" + std::to_string(r.slot));
  all.push_back("FMAP_ATTEMPT=" + std::to_string(j.attempts + 1));
  return all;
}

}  // namespace fmap::tool
