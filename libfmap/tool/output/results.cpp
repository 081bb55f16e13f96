// SPDX-License-Identifier: BSD-3-Clause
// Files of outputs.
#include "tool/output/results.hpp"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "tool/policy/exit_status.hpp"

namespace fmap::tool {

namespace {

constexpr std::size_t longest_name = 240;
constexpr const char* unfinished = ".part";

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error{errno, std::generic_category(), "--results: " + what};
}

void write_all(int file, std::string_view bytes, const std::string& name) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(file, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(name);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

int create(const std::string& name) {
  const int file =
      ::open((name + unfinished).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) fail(name);
  return file;
}

void appear(const std::string& name) {
  if (std::rename((name + unfinished).c_str(), name.c_str()) != 0) fail(name);
}

void write_file(const std::string& name, const std::string& text) {
  const int file = create(name);
  write_all(file, text, name);
  ::close(file);
  appear(name);
}

}  // namespace

std::string as_file_name(std::string_view text) {
  if (text.empty()) return "%";
  std::string name;
  for (const char c : text) {
    if (c == '/')
      name += "%2F";
    else if (c == '%')
      name += "%25";
    else if (c == '\0')
      name += "%00";
    else
      name += c;
  }
  if (name == "." || name == "..") name.replace(0, 1, "%2E");
  if (name.size() > longest_name) {
    std::size_t h = 14695981039346656037u;
    for (const char c : name) h = (h ^ static_cast<unsigned char>(c)) * 1099511628211u;
    name = name.substr(0, longest_name - 20) + "%" + std::to_string(h);
  }
  return name;
}

results::results(const std::string& where, bool named) : folder_{where}, template_{where, named} {
  is_template_ = where.find('{') != std::string::npos;
}

std::string results::place_of(const job& j) const {
  if (is_template_) return template_.expand(j.what, {j.used.slot, {}});
  std::string place = folder_;
  for (std::size_t c = 0; c < j.what.columns.size(); ++c)
    place += "/" + std::to_string(c + 1) + "/" + as_file_name(j.what.columns[c]);
  if (j.what.columns.empty()) place += "/" + std::to_string(j.what.number);  // --pipe
  return place;
}

std::string results::name_of(stream_of which) const {
  if (is_template_) return which == stream_of::out ? place_ : place_ + ".err";
  return place_ + (which == stream_of::out ? "/stdout" : "/stderr");
}

void results::begin(const job& j) {
  place_ = place_of(j);
  const std::filesystem::path place{place_};
  std::error_code error;
  std::filesystem::create_directories(is_template_ ? place.parent_path() : place, error);
  if (error && !place.parent_path().empty()) throw std::system_error{error, "--results: " + place_};
  for (const stream_of which : {stream_of::out, stream_of::err})
    files_[which == stream_of::out ? 0 : 1] = create(name_of(which));
}

void results::write(stream_of which, std::string_view bytes) {
  write_all(files_[which == stream_of::out ? 0 : 1], bytes, name_of(which));
}

void results::finish(const job& j) {
  for (const stream_of which : {stream_of::out, stream_of::err}) {
    ::close(std::exchange(files_[which == stream_of::out ? 0 : 1], -1));
    appear(name_of(which));
  }
  const std::string between = is_template_ ? "." : "/";
  write_file(place_ + between + "seq", std::to_string(j.what.number) + "\n");
  const int status = failed(j.end) ? status_of(j.end) : 0;
  write_file(place_ + between + "status", std::to_string(status) + "\n");
}

}  // namespace fmap::tool
