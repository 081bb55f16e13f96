// SPDX-License-Identifier: BSD-3-Clause
// Protocols.
#include "tool/worker/protocol.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "tool/record/json_text.hpp"

namespace fmap::tool {

namespace {

constexpr std::size_t longest_frame = 1u << 30;
constexpr std::size_t frame_head = 4;

void put_length(std::string& to, std::size_t n) {
  for (int byte = 0; byte < 4; ++byte) to += static_cast<char>(n >> (8 * byte) & 255);
}

std::size_t length_at(std::string_view bytes) {
  std::size_t n = 0;
  for (int byte = 3; byte >= 0; --byte)
    n = n << 8 | static_cast<unsigned char>(bytes[static_cast<std::size_t>(byte)]);
  return n;
}

void put_json(std::string& to, const question& q) {
  to += "{\"seq\":" + std::to_string(q.seq) + ",\"item\":";
  to += q.is_json ? std::string{q.item} : json(q.item).dump();
  to += ",\"attempt\":" + std::to_string(q.attempt) + "}\n";
}

/// A result: a text as it is, all else as JSON; each as a line.
std::string text_of(const json& value) {
  return (value.is_string() ? value.get<std::string>() : value.dump()) + "\n";
}

answer json_answer(std::string_view line) {
  json said;
  try {
    said = json::parse(line);
  } catch (const json::exception&) {
    throw protocol_error{"its answer is no JSON", line};
  }
  const auto seq = said.is_object() ? said.find("seq") : said.end();
  if (!said.is_object() || seq == said.end() || !seq->is_number_unsigned())
    throw protocol_error{"its answer has no \"seq\"", line};
  answer a;
  a.seq = seq->get<std::uint64_t>();
  const auto result = said.find("result"), error = said.find("error");
  if ((result == said.end()) == (error == said.end()))
    throw protocol_error{"its answer needs a \"result\" or an \"error\"", line};
  if (result != said.end()) {
    a.output = text_of(*result);
  } else {
    a.failed = true;
    a.error = text_of(*error);
  }
  return a;
}

}  // namespace

protocol_kind protocol_from(const std::string& name) {
  if (name == "lines") return protocol_kind::lines;
  if (name == "lines0") return protocol_kind::lines0;
  if (name == "jsonl") return protocol_kind::jsonl;
  if (name == "batches") return protocol_kind::batches;
  if (name == "frames") return protocol_kind::frames;
  throw std::invalid_argument{"write lines, lines0, jsonl, batches or frames"};
}

std::string protocol::problem(std::string_view item) const {
  switch (kind_) {
    case protocol_kind::lines:
    case protocol_kind::batches:
      if (item.find('\n') != std::string_view::npos)
        return "it holds a newline, which would end it; --worker=lines0, jsonl and frames can "
               "take it";
      break;
    case protocol_kind::lines0:
      if (item.find('\0') != std::string_view::npos) return "it holds a NUL byte";
      break;
    case protocol_kind::jsonl:
      if (!is_utf8(item)) return "it is no UTF-8, so no text in JSON";
      break;
    case protocol_kind::frames:
      if (item.size() > longest_frame) return "it is too long for a frame";
      break;
  }
  return {};
}

std::string protocol::words(const std::vector<question>& questions) const {
  std::string text;
  if (kind_ == protocol_kind::batches) text = std::to_string(questions.size()) + "\n";
  for (const question& q : questions) {
    switch (kind_) {
      case protocol_kind::lines:
      case protocol_kind::batches: text.append(q.item) += '\n'; break;
      case protocol_kind::lines0: text.append(q.item) += '\0'; break;
      case protocol_kind::jsonl: put_json(text, q); break;
      case protocol_kind::frames:
        put_length(text, q.item.size());
        text += q.item;
        break;
    }
  }
  return text;
}

/// With its end.
std::optional<std::string_view> protocol::line(char end) {
  const auto found = buffer_.find(end, std::max(at_, searched_));
  if (found == std::string::npos) {
    buffer_.erase(0, std::exchange(at_, 0));
    searched_ = buffer_.size();
    return std::nullopt;
  }
  const std::string_view whole{buffer_.data() + at_, found + 1 - at_};
  at_ = found + 1;
  return whole;
}

std::optional<std::string> protocol::first_line() {
  const auto whole = line('\n');
  if (!whole) return std::nullopt;
  return std::string{whole->substr(0, whole->size() - 1)};
}

std::optional<answer> protocol::text_answer() {
  const char end = kind_ == protocol_kind::lines0 ? '\0' : '\n';
  while (const auto whole = line(end)) {
    if (answer_end_.empty()) return answer{{}, std::string{*whole}, {}, false};
    if (whole->substr(0, whole->size() - 1) == answer_end_)
      return answer{{}, std::exchange(lines_, {}), {}, false};
    lines_ += *whole;
  }
  return std::nullopt;
}

std::optional<answer> protocol::frame() {
  const std::string_view here = begun();
  if (here.empty()) return std::nullopt;
  if (here[0] != 0 && here[0] != 1)
    throw protocol_error{"its answer begins with a byte that is not 0 or 1", here.substr(0, 64)};
  if (here.size() < 1 + frame_head) return std::nullopt;
  const std::size_t length = length_at(here.substr(1));
  if (length > longest_frame)
    throw protocol_error{"its answer says that it is longer than 1 GiB", here.substr(0, 64)};
  if (here.size() < 1 + frame_head + length) {
    buffer_.erase(0, std::exchange(at_, 0));
    return std::nullopt;
  }
  answer a;
  a.failed = here[0] == 1;
  (a.failed ? a.error : a.output) = here.substr(1 + frame_head, length);
  at_ += 1 + frame_head + length;
  return a;
}

std::optional<answer> protocol::next() {
  switch (kind_) {
    case protocol_kind::frames: return frame();
    case protocol_kind::jsonl:
      if (const auto whole = line('\n')) return json_answer(whole->substr(0, whole->size() - 1));
      return std::nullopt;
    case protocol_kind::lines:
    case protocol_kind::lines0:
    case protocol_kind::batches: break;
  }
  return text_answer();
}

}  // namespace fmap::tool
