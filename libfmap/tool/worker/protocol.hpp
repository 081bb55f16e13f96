// SPDX-License-Identifier: BSD-3-Clause
// What workers are told and what they answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fmap::tool {

enum class protocol_kind { lines, lines0, jsonl, batches, frames };

/// Throws std::invalid_argument.
protocol_kind protocol_from(const std::string& name);

/// What a worker is asked.
struct question {
  std::uint64_t seq = 0;
  std::string_view item;
  bool is_json = false;  // the item is a JSON value, and goes as one
  unsigned attempt = 1;
};

/// What it says.
struct answer {
  std::optional<std::uint64_t> seq;  // none: to the first question that is open
  std::string output;
  std::string error;  // what went wrong, if `failed`
  bool failed = false;
};

/// What a worker says makes no sense. `bytes`: what it said.
struct protocol_error : std::runtime_error {
  protocol_error(const std::string& what, std::string_view said)
      : runtime_error{what}, bytes{said} {}
  std::string bytes;
};

/// Pure: texts in, texts out.
class protocol {
public:
  /// `answer_end`: the line that ends an answer of several lines; empty: each line is an answer.
  protocol(protocol_kind kind, std::string answer_end)
      : kind_{kind}, answer_end_{std::move(answer_end)} {}

  /// Why that item cannot be put into words; empty: it can.
  std::string problem(std::string_view item) const;

  /// What is written for those questions, of which none has a problem.
  std::string words(const std::vector<question>& questions) const;

  // -- one worker's answers --

  void feed(std::string_view bytes) { buffer_ += bytes; }
  /// Before the first answer: a line, without its end.
  std::optional<std::string> first_line();
  /// The next one that is whole. Throws protocol_error.
  std::optional<answer> next();
  /// What has come of an answer that is not whole.
  std::string_view begun() const { return std::string_view{buffer_}.substr(at_); }

private:
  std::optional<std::string_view> line(char end);
  std::optional<answer> text_answer();
  std::optional<answer> frame();

  protocol_kind kind_;
  std::string answer_end_;
  std::string buffer_;
  std::size_t at_ = 0;        // what is before has been taken
  std::size_t searched_ = 0;  // no line ends before
  std::string lines_;         // of an answer of several lines
};

}  // namespace fmap::tool
