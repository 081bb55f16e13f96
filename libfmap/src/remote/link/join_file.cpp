// SPDX-License-Identifier: BSD-3-Clause
// All that a node needs to find its pool and to be let in, as one text.

#include "src/remote/link/join_file.hpp"

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/remote/descriptor.hpp"

namespace fmap::remote {

namespace {

constexpr std::string_view first_line = "fmap join file 1";

// Each is a line with the content below it, up to the line that ends it.
constexpr std::string_view part_names[] = {"ca", "certificate", "key"};

std::string* part(tls_material& m, std::string_view name) {
  if (name == "ca") return &m.ca;
  if (name == "certificate") return &m.certificate;
  return name == "key" ? &m.key : nullptr;
}

[[noreturn]] void refuse(const std::string& why) {
  throw std::invalid_argument{"fmap: no join file: " + why};
}

/// Takes a line off the text.
std::string_view next_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  return line;
}

/// What stands before a part's end.
std::string content(std::string_view& text, std::string_view name) {
  const std::string end = "end " + std::string{name};
  std::string result;
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    if (line == end) return result;
    result.append(line).push_back('\n');
  }
  refuse("it has no line \"" + end + "\": it was not copied as a whole");
}

}  // namespace

std::string to_text(const join_file& j) {
  std::string result = std::string{first_line} + "\n";
  for (const address& a : j.addresses) result += "address " + to_string(a) + "\n";
  if (!j.name.empty()) result += "name " + j.name + "\n";
  if (!j.has_certificate()) return result;
  tls_material m = j.node;
  for (const std::string_view name : part_names) {
    const std::string n{name};
    result.append(n).append("\n").append(*part(m, name)).append("end ").append(n).append("\n");
  }
  return result;
}

join_file parse_join_file(std::string_view text) {
  join_file result;
  if (next_line(text) != first_line)
    refuse("it does not begin with the line \"" + std::string{first_line} + "\"");
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    constexpr std::string_view address_is = "address ", name_is = "name ";
    if (line.starts_with(address_is)) {
      result.addresses.push_back(parse_address(line.substr(address_is.size())));
    } else if (line.starts_with(name_is)) {
      result.name = line.substr(name_is.size());
    } else if (std::string* const to = part(result.node, line)) {
      *to = content(text, line);
    } else if (!line.empty()) {
      refuse("it has a line that is not known: \"" + std::string{line.substr(0, 80)} + "\"");
    }
  }
  if (result.addresses.empty()) refuse("it has no address");
  const tls_material& m = result.node;
  const bool all = !m.ca.empty() && !m.certificate.empty() && !m.key.empty();
  const bool none = m.ca.empty() && m.certificate.empty() && m.key.empty();
  if (!all && !none) refuse("it has not all of ca, certificate and key");
  return result;
}

join_file read_join_file(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  if (!in) refuse(path + " cannot be read: " + std::generic_category().message(errno));
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  return parse_join_file(text);
}

void write_join_file(const join_file& j, const std::string& path) {
  const auto fail = [&](const std::string& what) {
    throw std::system_error{errno, std::generic_category(), "fmap: " + path + " " + what};
  };
  const std::string text = to_text(j), before = path + "." + std::to_string(::getpid());
  {
    const descriptor out{::open(before.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
    if (out.get() < 0) fail("cannot be written");
    std::size_t done = 0;
    while (done != text.size()) {
      const ssize_t n = ::write(out.get(), text.data() + done, text.size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) break;
      done += static_cast<std::size_t>(n);
    }
    const bool kept =
        done == text.size() && ::fchmod(out.get(), 0600) == 0 && ::fsync(out.get()) == 0;
    if (kept && ::rename(before.c_str(), path.c_str()) == 0) return;
  }
  const int error = errno;
  ::unlink(before.c_str());
  errno = error;
  fail("cannot be written");
}

}  // namespace fmap::remote
