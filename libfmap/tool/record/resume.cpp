// SPDX-License-Identifier: BSD-3-Clause
// Reads journals.
#include "tool/record/resume.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "tool/record/json_text.hpp"

namespace fmap::tool {

namespace {

std::uint64_t number_of_hex(const std::string& text) {
  std::uint64_t n = 0;
  std::from_chars(text.data(), text.data() + text.size(), n, 16);
  return n;
}

std::shared_ptr<const saved_result> saved_from(const json& line) {
  auto s = std::make_shared<saved_result>();
  s->end.how = line.contains("signal") ? ending::kind::signalled : ending::kind::exited;
  s->end.code = line.value("signal", line.value("status", 0));
  s->end.timed_out = line.value("timed_out", false);
  if (line.contains("problem")) {
    s->end.how = ending::kind::not_run;
    s->end.why = line["problem"].get<std::string>();
  }
  s->used.attempts = line.value("attempts", 1u);
  s->used.started = std::chrono::system_clock::time_point{
      std::chrono::microseconds{line.value("start_us", std::int64_t{0})}};
  s->used.wall = std::chrono::microseconds{line.value("wall_us", std::int64_t{0})};
  s->used.sent = line.value("sent", std::uint64_t{0});
  s->used.arguments = texts_from(line, "argv");
  s->name = line.value("files", std::string{});
  s->out = line.value("out", std::string{});
  s->err = line.value("err", std::string{});
  if (line.contains("out_size")) s->out_size = line["out_size"].get<std::int64_t>();
  if (line.contains("err_size")) s->err_size = line["err_size"].get<std::int64_t>();
  return s;
}

}  // namespace

std::uint64_t hash_of(const item& i) {
  std::uint64_t h = 14695981039346656037u;  // FNV-1a
  const auto add = [&](std::string_view bytes) {
    for (const char c : bytes) h = (h ^ static_cast<unsigned char>(c)) * 1099511628211u;
    h = (h ^ 256u) * 1099511628211u;  // where it ends
  };
  for (const std::string& column : i.columns) add(column);
  if (i.block != nullptr) add(*i.block);
  return h;
}

std::string hex(std::uint64_t n) {
  char text[17];
  const auto end = std::to_chars(text, text + sizeof text, n, 16).ptr;
  return {text, end};
}

void resume_book::read(std::string_view text) {
  for (std::uint64_t number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) break;  // torn
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    const json j = json::parse(line, nullptr, false);
    const auto wrong = [&] {
      return std::runtime_error{"line " + std::to_string(number) + " is no line of a journal"};
    };
    if (!j.is_object()) throw wrong();
    try {
      if (number == 1) {
        if (j.value("fmap_journal", 0) != 1) throw wrong();
        for (const auto& [name, value] : j.at("run").items())
          head_.emplace_back(name, value.get<std::string>());
        continue;
      }
      if (j.contains("resumed_by_item")) {
        mixed_ = true;
        continue;
      }
      const std::uint64_t hash = number_of_hex(j.at("item").get<std::string>());
      if (j.contains("begin")) {
        const auto n = j["begin"].get<std::uint64_t>();
        hashes_[n] = hash;
        begun_[n] = {j.at("pid").get<pid_t>(), j.at("start").get<std::uint64_t>()};
      } else if (j.contains("ended")) {
        const auto n = j["ended"].get<std::uint64_t>();
        hashes_[n] = hash;
        saved_[n] = saved_from(j);
        saved_items_.emplace(hash, saved_[n]);
        begun_.erase(n);
      } else if (j.contains("done")) {
        const auto n = j["done"].get<std::uint64_t>();
        hashes_[n] = hash;
        done_[n] = j.value("failed", false);
        saved_.erase(n);
        begun_.erase(n);
        if (const auto s = saved_items_.find(hash); s != saved_items_.end()) saved_items_.erase(s);
        if (!failed_too_ || !done_[n]) ++done_items_[hash];
        output_ = j.value("output", output_);
      }
    } catch (const json::exception&) {
      throw wrong();
    }
  }
}

std::string resume_book::difference(const fingerprint& now) const {
  for (std::size_t at = 0; at < std::max(head_.size(), now.size()); ++at) {
    if (at >= head_.size() || at >= now.size() || head_[at].first != now[at].first)
      return "another version of fmap wrote it";
    if (head_[at].second != now[at].second)
      return now[at].first + " was " + head_[at].second + " and is " + now[at].second;
  }
  return {};
}

resume_book::verdict resume_book::of(const item& i) {
  if (by_item_) {
    const std::uint64_t hash = hash_of(i);
    if (const auto d = done_items_.find(hash); d != done_items_.end() && d->second > 0) {
      --d->second;
      return {fate::done, nullptr};
    }
    const auto s = saved_items_.find(hash);
    if (s == saved_items_.end()) return {};
    verdict v{fate::saved, s->second};
    saved_items_.erase(s);
    return v;
  }
  if (const auto d = done_.find(i.number); d != done_.end())
    return {failed_too_ && d->second ? fate::run : fate::done, nullptr};
  const auto s = saved_.find(i.number);
  return s == saved_.end() ? verdict{} : verdict{fate::saved, s->second};
}

bool resume_book::same(const item& i) const {
  const auto known = hashes_.find(i.number);
  return by_item_ || known == hashes_.end() || known->second == hash_of(i);
}

bool resume_book::needs(const std::string& name) const {
  const auto has = [&](const auto& entry) { return entry.second->name == name; };
  return by_item_ ? std::any_of(saved_items_.begin(), saved_items_.end(), has)
                  : std::any_of(saved_.begin(), saved_.end(), has);
}

std::vector<resume_book::process> resume_book::open() const {
  std::vector<process> all;
  all.reserve(begun_.size());
  for (const auto& [number, p] : begun_) all.push_back(p);
  return all;
}

}  // namespace fmap::tool
