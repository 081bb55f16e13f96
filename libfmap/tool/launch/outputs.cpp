// SPDX-License-Identifier: BSD-3-Clause
// The outputs of all jobs.
#include "tool/launch/outputs.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace fmap::tool {

namespace {

/// A file that nobody else sees and that is gone when it is closed; -1 if there can be none.
int unnamed_file() {
  const char* directory = std::getenv("TMPDIR");
  if (directory == nullptr || *directory == '\0') directory = "/tmp";
  int file = ::open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file >= 0) return file;
  std::string name = std::string{directory} + "/fmap-XXXXXX";
  file = ::mkostemp(name.data(), O_CLOEXEC);
  if (file >= 0) ::unlink(name.c_str());
  return file;
}

/// Fills `bytes` with what is in the file at `from`. Throws std::system_error.
void read_back(int file, std::int64_t from, std::string& bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = ::pread(file, bytes.data() + done, bytes.size() - done,
                              static_cast<off_t>(from) + static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0)
      throw std::system_error{n < 0 ? errno : EIO, std::generic_category(),
                              "cannot read an output back"};
    done += static_cast<std::size_t>(n);
  }
}

}  // namespace

outputs::outputs(std::uint64_t memory_limit, std::uint64_t file_limit) {
  room_.memory_limit = memory_limit;
  room_.file_limit = file_limit;
}

std::size_t outputs::may_read(job& j, stream_of which) {
  std::lock_guard guard{mutex_};
  held& h = which == stream_of::out ? j.out : j.err;
  const bool flows = j.attached && (which == stream_of::out || j.err_through);
  place where = flows ? room::flows(h, 2 * block) : room_.waits(h);
  if (where == place::nowhere && j.attached && !flows) {
    j.err_through = true;
    more_.notify_all();
    where = room::flows(h, 2 * block);
  }
  if (where == place::nowhere) refused_ = true;
  return where == place::nowhere ? 0 : block;
}

void outputs::put(job& j, stream_of which, std::string_view bytes) {
  std::lock_guard guard{mutex_};
  held& h = which == stream_of::out ? j.out : j.err;
  const bool flows = j.attached && (which == stream_of::out || j.err_through);
  if (!flows && room_.waits(h) == place::file && put_in_file(h, bytes)) return;
  (h.in_file() || !h.after.empty() ? h.after : h.before).emplace_back(bytes);
  h.in_memory += bytes.size();
  room_.in_memory += bytes.size();
  if (j.attached) more_.notify_all();
}

bool outputs::put_in_file(held& h, std::string_view bytes) {
  if (h.file < 0) h.file = unnamed_file();
  std::size_t done = 0;
  while (h.file >= 0 && done < bytes.size()) {
    const ssize_t n = ::pwrite(h.file, bytes.data() + done, bytes.size() - done,
                               h.written_to + static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  if (done < bytes.size()) {  // the disk is full: no more than this
    room_.file_limit = room_.in_files;
    return false;
  }
  h.written_to += static_cast<std::int64_t>(done);
  room_.in_files += done;
  return true;
}

void outputs::ended(job& j, ending how) {
  std::lock_guard guard{mutex_};
  j.end = std::move(how);
  j.ended = true;
  more_.notify_all();
}

void outputs::keep(job& j) {
  std::lock_guard guard{mutex_};
  j.out_kept = j.out.here();
  j.err_kept = j.err.here();
}

bool outputs::drop(job& j) {
  std::lock_guard guard{mutex_};
  if (j.attached) return false;
  room_.cut(j.out, j.out_kept);
  room_.cut(j.err, j.err_kept);
  released();
  return true;
}

void outputs::look_at(job& j, stream_of which, const std::function<void(std::string_view)>& see) {
  std::lock_guard guard{mutex_};
  const held& h = which == stream_of::out ? j.out : j.err;
  for (const std::string& piece : h.before) see(piece);
  std::string bytes;
  for (std::int64_t at = h.read_to; at < h.written_to;) {
    bytes.resize(static_cast<std::size_t>(std::min<std::int64_t>(block, h.written_to - at)));
    read_back(h.file, at, bytes);
    see(bytes);
    at += static_cast<std::int64_t>(bytes.size());
  }
  for (const std::string& piece : h.after) see(piece);
}

void outputs::lend(job& j, stream_of which, int file, std::int64_t size) {
  std::lock_guard guard{mutex_};
  held& h = which == stream_of::out ? j.out : j.err;
  h.file = file;
  h.borrowed = true;
  h.written_to = size;
  room_.in_files += static_cast<std::uint64_t>(size);
}

std::optional<outputs::piece> outputs::next(job& j) {
  std::unique_lock lock{mutex_};
  if (!std::exchange(j.attached, true)) released();
  for (;;) {
    if (!j.out.empty()) return take(lock, j.out, stream_of::out);
    if ((j.ended || j.err_through) && !j.err.empty()) return take(lock, j.err, stream_of::err);
    if (j.ended) break;
    more_.wait(lock);
  }
  for (held* h : {&j.out, &j.err})
    if (h->file >= 0) ::close(std::exchange(h->file, -1));
  return std::nullopt;
}

std::optional<outputs::piece> outputs::take(std::unique_lock<std::mutex>& lock, held& from,
                                            stream_of which) {
  piece p{which, {}};
  if (from.before.empty() && from.in_file()) {
    const auto size = std::min<std::int64_t>(block, from.written_to - from.read_to);
    p.bytes.resize(static_cast<std::size_t>(size));
    lock.unlock();  // the launcher only appends
    read_back(from.file, from.read_to, p.bytes);
    lock.lock();
    from.read_to += size;
    if (!from.in_file()) {
      room_.in_files -= static_cast<std::uint64_t>(from.written_to);
      from.read_to = from.written_to = 0;
      while (!from.borrowed && ::ftruncate(from.file, 0) < 0 && errno == EINTR) {}
    }
  } else {
    auto& pieces = from.before.empty() ? from.after : from.before;
    p.bytes = std::move(pieces.front());
    pieces.pop_front();
    from.in_memory -= p.bytes.size();
    room_.in_memory -= p.bytes.size();
  }
  released();
  return p;
}

void outputs::released() {
  if (std::exchange(refused_, false) && wake_) wake_();
}

}  // namespace fmap::tool
