// SPDX-License-Identifier: BSD-3-Clause
// Writes the journal.
#include "tool/record/journal.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool/record/json_text.hpp"

namespace fmap::tool {

namespace {

constexpr std::size_t longest_inline = 4096;

/// False, and errno, if not all could be written.
bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(file, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

journal::journal(journal_options options, int out)
    : options_{std::move(options)}, book_{options_.by_item, options_.failed_too}, out_{out} {
  open();
  struct stat about {};
  ::fstat(file_, &about);
  if (about.st_size == 0) {
    json head;
    head["fmap_journal"] = 1;
    head["run"] = json::object();
    for (const auto& [name, value] : options_.run) head["run"][name] = value;
    write(as_line(head));
    if (options_.resume) cut_output();
    tidy_folder();
    return;
  }
  if (!options_.resume)
    throw journal_refused{options_.file
                          + " is there already: go on with --resume, or remove it to begin anew"};
  read_earlier();
  wait_for_the_earlier();
  tidy_folder();
  if (options_.by_item) write("{\"resumed_by_item\":true}\n");
}

journal::~journal() {
  if (file_ >= 0) ::close(file_);
  ::rmdir((options_.file + ".d").c_str());  // if nothing is left in it
}

void journal::began(const job& j, pid_t process) {
  json line;
  line["begin"] = j.what.number;
  line["item"] = hex(hash_of(j.what));
  line["pid"] = process;
  line["start"] = start_of(process);
  write(as_line(line));
}

void journal::ended(job& j, const ending& e, outputs& from) {
  if (e.cut_off || e.how == ending::kind::not_started || j.handed) return;
  const std::string hash = hex(hash_of(j.what));
  json line;
  line["ended"] = j.what.number;
  line["item"] = hash;
  if (e.how == ending::kind::signalled)
    line["signal"] = e.code;
  else
    line["status"] = e.code;
  if (e.how == ending::kind::not_run || e.how == ending::kind::lost) line["problem"] = e.why;
  if (e.timed_out) line["timed_out"] = true;
  line["attempts"] = j.used.attempts;
  const auto microseconds = [](auto time) {
    return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
  };
  line["start_us"] = microseconds(j.used.started.time_since_epoch());
  line["wall_us"] = microseconds(j.used.wall);
  if (j.used.sent != 0) line["sent"] = j.used.sent;
  put_texts(line, "argv", j.used.arguments);
  const std::string name = std::to_string(j.what.number) + "-" + hash;
  for (const stream_of which : {stream_of::out, stream_of::err}) {
    const char* const as = which == stream_of::out ? "out" : "err";
    std::string bytes;
    bool small = true;
    from.look_at(j, which, [&](std::string_view piece) {
      small = small && bytes.size() + piece.size() <= longest_inline;
      if (small) bytes += piece;
    });
    if (small && is_utf8(bytes)) {
      if (!bytes.empty()) line[as] = bytes;
      continue;
    }
    const auto size = save(j, which, from, name);
    if (!size) return;
    line["files"] = name;
    line[std::string{as} + "_size"] = *size;
  }
  write(as_line(line));
}

std::optional<std::int64_t> journal::save(job& j, stream_of which, outputs& from,
                                          const std::string& name) {
  const std::string folder = options_.file + ".d";
  ::mkdir(folder.c_str(), 0777);
  const std::string path = path_of(name, which);
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  bool well = file >= 0;
  std::int64_t size = 0;
  if (well)
    from.look_at(j, which, [&](std::string_view piece) {
      well = well && write_all(file, piece);
      size += static_cast<std::int64_t>(piece.size());
    });
  if (well && options_.sync) well = ::fdatasync(file) == 0;
  if (!well) fail(path);
  if (file >= 0) ::close(file);
  if (!well) ::unlink(path.c_str());
  return well ? std::optional{size} : std::nullopt;
}

ending journal::lend(job& j, outputs& to) {
  const saved_result& s = *j.what.saved;
  j.used = s.used;
  for (const stream_of which : {stream_of::out, stream_of::err}) {
    const auto size = which == stream_of::out ? s.out_size : s.err_size;
    if (size) {
      const std::string path = path_of(s.name, which);
      const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
      if (file < 0)
        fail(path);
      else
        to.lend(j, which, file, *size);
    } else {
      const std::string& bytes = which == stream_of::out ? s.out : s.err;
      if (!bytes.empty()) to.put(j, which, bytes);
    }
  }
  return s.end;
}

void journal::delivered(const job& j) {
  const std::string hash = hex(hash_of(j.what));
  json line;
  line["done"] = j.what.number;
  line["item"] = hash;
  if (j.end.how == ending::kind::signalled)
    line["signal"] = j.end.code;
  else
    line["status"] = j.end.code;
  if (failed(j.end)) line["failed"] = true;
  line["attempts"] = j.used.attempts;
  if (out_ >= 0) {
    if (options_.sync && ::fdatasync(out_) != 0 && errno != EINVAL) fail("the output file");
    const off_t at = ::lseek(out_, 0, SEEK_CUR);
    if (at >= 0) line["output"] = at;
  }
  write(as_line(line));
  if (options_.sync && ::fdatasync(file_) != 0) fail(options_.file);
  const std::string name =
      j.what.saved != nullptr ? j.what.saved->name : std::to_string(j.what.number) + "-" + hash;
  if (name.empty()) return;
  for (const stream_of which : {stream_of::out, stream_of::err})
    ::unlink(path_of(name, which).c_str());
}

std::string journal::path_of(const std::string& name, stream_of which) const {
  return options_.file + ".d/" + name + (which == stream_of::out ? ".out" : ".err");
}

void journal::write(const std::string& line) {
  if (!write_all(file_, line)) fail(options_.file);
}

void journal::fail(const std::string& what) {
  const std::string why = std::strerror(errno);
  std::lock_guard guard{mutex_};
  if (problem_.empty()) problem_ = what + ": " + why;
}

std::string journal::problem() const {
  std::lock_guard guard{mutex_};
  return problem_;
}

}  // namespace fmap::tool
