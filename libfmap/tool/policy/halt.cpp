// SPDX-License-Identifier: BSD-3-Clause
// --halt.
#include "tool/policy/halt.hpp"

#include <charconv>
#include <stdexcept>
#include <string_view>

namespace fmap::tool {

halt_rule::halt_rule(const std::string& text) {
  const auto wrong = [] {
    return std::invalid_argument{
        "write never, or soon or now, a comma, and fail=N, success=N, done=N or a percentage "
        "of them: now,fail=1"};
  };
  if (text == "never") return;
  const auto comma = text.find(',');
  if (comma == std::string::npos) throw wrong();
  const std::string_view when = std::string_view{text}.substr(0, comma);
  std::string_view rest = std::string_view{text}.substr(comma + 1);
  if (when != "soon" && when != "now") throw wrong();
  what_ = when == "soon" ? what::soon : what::now;
  const auto equals = rest.find('=');
  const std::string_view name = rest.substr(0, equals);
  if (name == "success")
    why_ = why::success;
  else if (name == "done")
    why_ = why::done;
  else if (name != "fail")
    throw wrong();
  if (equals == std::string_view::npos) throw wrong();
  rest.remove_prefix(equals + 1);
  if (rest.ends_with('%')) {
    percent_ = true;
    rest.remove_suffix(1);
  }
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), limit_);
  if (error != std::errc{} || end != rest.data() + rest.size() || limit_ == 0
      || (percent_ && limit_ > 100))
    throw wrong();
}

halt_rule::what halt_rule::note(std::uint64_t ended, std::uint64_t failed,
                                std::optional<std::uint64_t> total) {
  ended_ += ended;
  failed_ += failed;
  if (what_ == what::never) return what::never;
  const std::uint64_t many = why_ == why::fail      ? failed_
                             : why_ == why::success ? ended_ - failed_
                                                    : ended_;
  bool met = many >= limit_;
  if (percent_) {
    const std::uint64_t of = why_ == why::done ? total.value_or(0) : ended_;
    met = (why_ == why::done || ended_ >= least_ended) && of != 0 && many * 100 >= limit_ * of;
  }
  return met ? what_ : what::never;
}

}  // namespace fmap::tool
