// SPDX-License-Identifier: BSD-3-Clause
// Bytes in, items out: what stands between delimiters.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace fmap::tool {

/// Bytes may come in blocks of any size. The last item may lack its delimiter.
class splitter {
public:
  explicit splitter(std::string delimiter) : delimiter_{std::move(delimiter)} {}

  void feed(std::string_view bytes) {
    buffer_.erase(0, begin_);
    from_ -= std::exchange(begin_, 0);
    buffer_ += bytes;
  }

  /// No more bytes will come.
  void finish() { over_ = true; }

  /// The next item that is complete, if there is one.
  std::optional<std::string> next() {
    const auto at = buffer_.find(delimiter_, from_);
    if (at != std::string::npos) {
      std::string item = buffer_.substr(begin_, at - begin_);
      move_to(at + delimiter_.size());
      return item;
    }
    if (over_ && begin_ < buffer_.size()) {
      std::string item = buffer_.substr(begin_);
      move_to(buffer_.size());
      return item;
    }
    // A delimiter may have begun.
    const auto overlap = delimiter_.size() - 1;
    from_ = buffer_.size() > begin_ + overlap ? buffer_.size() - overlap : begin_;
    return std::nullopt;
  }

private:
  void move_to(std::size_t at) { begin_ = from_ = at; }

  std::string delimiter_;
  std::string buffer_;
  std::size_t begin_ = 0;  // of the next item
  std::size_t from_ = 0;   // no delimiter begins before
  bool over_ = false;
};

}  // namespace fmap::tool
