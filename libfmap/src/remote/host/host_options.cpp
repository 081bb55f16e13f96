// SPDX-License-Identifier: BSD-3-Clause
// What a node was started with: flags, and environment variables where there is no flag.

#include "src/remote/host/host_options.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "src/core/processors.hpp"
#include "src/remote/link/join_file.hpp"

namespace fmap::remote {

namespace {

using std::chrono::seconds;

constexpr std::uint32_t most_workers = 1024;
constexpr std::uint32_t longest = 100'000'000;  // seconds
constexpr std::string_view prefix = "--fmap-";

/// Each is --fmap-NAME=VALUE, or FMAP_NAME=VALUE in the environment.
constexpr std::string_view names[] = {"node",     "name",      "workers",  "drain",
                                      "lifetime", "give-up",   "tls-cert", "tls-key",
                                      "tls-ca",   "pool-name", "quiet"};

/// Before its end a node that knows it has this much more time than it needs to finish.
constexpr seconds spare{5};

[[noreturn]] void refuse(const std::string& why) { throw std::invalid_argument{"fmap: " + why}; }

std::string flag(std::string_view name) { return std::string{prefix} + std::string{name}; }

std::string variable(std::string_view name) {
  std::string result = "FMAP_";
  for (const char c : name)
    result += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return result;
}

/// How many letters have to be changed to make one of the other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j != row.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] != b[j - 1] ? 1 : 0);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row.back();
}

[[noreturn]] void refuse_unknown(std::string_view argument) {
  const std::string_view given = argument.substr(0, argument.find('=')).substr(prefix.size());
  const auto* const nearest =
      std::min_element(std::begin(names), std::end(names),
                       [&](auto a, auto b) { return distance(given, a) < distance(given, b); });
  refuse(std::string{argument} + " is not known; the nearest that is known is " + flag(*nearest));
}

struct setting {
  std::string where, value;  // where it was given, for errors
};
using settings = std::map<std::string_view, setting>;

settings gather(int argc, char** argv, variables v) {
  settings result;
  for (const std::string_view name : names)
    if (std::string value = v(variable(name)); !value.empty())
      result[name] = {variable(name), std::move(value)};
  for (int i = 1; i < argc; ++i) {
    const std::string_view a{argv[i]};
    if (!a.starts_with(prefix)) continue;
    const std::size_t equals = a.find('=');
    const std::string_view given = a.substr(prefix.size(), equals - prefix.size());
    const auto* const name = std::find(std::begin(names), std::end(names), given);
    if (name == std::end(names)) refuse_unknown(a);
    if (equals == a.npos && *name != "quiet")
      refuse(std::string{a} + " needs a value: " + std::string{a} + "=…");
    result[*name] = {flag(*name), equals == a.npos ? "1" : std::string{a.substr(equals + 1)}};
  }
  return result;
}

std::uint32_t number(const settings& all, std::string_view name, std::uint32_t otherwise,
                     std::uint32_t least, std::uint32_t most) {
  const auto it = all.find(name);
  if (it == all.end()) return otherwise;
  const std::string& text = it->second.value;
  std::uint32_t result = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), result);
  if (error != std::errc{} || end != text.data() + text.size() || result < least || result > most)
    refuse(it->second.where + "=" + text + ": give a number from " + std::to_string(least) + " to "
           + std::to_string(most));
  return result;
}

std::string text(const settings& all, std::string_view name) {
  const auto it = all.find(name);
  return it != all.end() ? it->second.value : std::string{};
}

/// Until this node's time is over; none if nobody has said.
std::optional<std::chrono::nanoseconds> lifetime(const settings& all, variables v,
                                                 std::chrono::nanoseconds alive) {
  if (all.contains("lifetime")) return seconds{number(all, "lifetime", 0, 1, longest)} - alive;
  const std::string end = v("SLURM_JOB_END_TIME");  // seconds since 1970
  std::int64_t at = 0;
  const auto [stop, error] = std::from_chars(end.data(), end.data() + end.size(), at);
  if (error != std::errc{} || stop != end.data() + end.size()) return {};
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return seconds{at} - now;
}

void find_pool(host_options& o, const settings& all) {
  const setting& node = all.at("node");
  if (node.value == "-") return;
  tls_material m{text(all, "tls-cert"), text(all, "tls-key"), text(all, "tls-ca"), {}};
  o.pool_name = text(all, "pool-name");
  if (node.value.starts_with('@')) {
    join_file j = read_join_file(node.value.substr(1));
    o.pool = std::move(j.addresses);
    if (o.pool_name.empty()) o.pool_name = std::move(j.name);
    if (m.certificate.empty() && m.key.empty() && m.ca.empty()) m = std::move(j.node);
  } else {
    o.pool = parse_addresses(node.value);
    for (const address& a : o.pool)
      if (a.host.empty() || a.port == "0")
        refuse(node.where + "=" + node.value + ": a node needs the pool's host and port");
  }
  const int given = !m.certificate.empty() + !m.key.empty() + !m.ca.empty();
  if (given == 3) o.tls = std::move(m);
  if (given != 0 && given != 3)
    refuse("--fmap-tls-cert, --fmap-tls-key and --fmap-tls-ca are needed together");
}

}  // namespace

host_options host_options_of(int argc, char** argv, variables v, std::chrono::nanoseconds alive) {
  const settings all = gather(argc, argv, v);
  host_options result;
  const auto usable = std::min<std::size_t>(detail::usable_processors(), most_workers);
  result.agent.workers =
      number(all, "workers", static_cast<std::uint32_t>(usable), 1, most_workers);
  result.agent.name = text(all, "name");
  result.agent.drain = seconds{number(all, "drain", 25, 0, longest)};
  result.give_up = seconds{number(all, "give-up", 600, 0, longest)};
  result.quiet = number(all, "quiet", 0, 0, 1) == 1;
  if (const auto left = lifetime(all, v, alive))
    result.leave_after = std::max<std::chrono::nanoseconds>(*left - result.agent.drain - spare,
                                                            std::chrono::nanoseconds{0});
  find_pool(result, all);
  return result;
}

}  // namespace fmap::remote
