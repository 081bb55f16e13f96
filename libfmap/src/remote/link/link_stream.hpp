// SPDX-License-Identifier: BSD-3-Clause
// A stream to another machine: it begins with a preamble in both directions.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "src/remote/stream.hpp"

namespace fmap::remote {

/// What the first bytes are; the number is the version of the framing.
inline constexpr std::string_view preamble{"FMAP\0\2\r\n", 8};

/// Looks for the preamble in what a login shell may have printed before it. A value.
class preamble_search {
public:
  /// `most`: so many bytes of noise are borne.
  explicit preamble_search(std::size_t most) : most_{most} {}

  /// Takes bytes, up to the end of the preamble; returns how many. Others are left for whoever reads next.
  std::size_t feed(std::string_view bytes);

  bool found() const noexcept { return found_; }
  /// What may be the beginning of a preamble is no noise yet.
  bool hopeless() const noexcept { return !found_ && noise_ >= most_ + preamble.size(); }

  /// The next whole line of noise; all of what is left if the preamble was found. False: there is none.
  bool next_line(std::string& line);

private:
  const std::size_t most_;
  std::size_t noise_ = 0;
  std::string
      text_;  // noise that nobody has asked for, and the beginning of what may be the preamble
  bool found_ = false;
};

/// Adds the preamble to what is written, and strips it from what is read. Noise before it is handed to `tell` line by
/// line; when there is more of it than `most` bytes, the other end counts as gone.
class link_stream final : public stream {
public:
  link_stream(std::unique_ptr<stream> bytes, std::size_t most,
              std::function<void(const std::string& line)> tell)
      : bytes_{std::move(bytes)}, search_{most}, tell_{std::move(tell)} {}

  moved read_some(char* to, std::size_t size) override;
  moved write_some(const char* from, std::size_t size) override;
  int read_fd() const override { return bytes_->read_fd(); }
  int write_fd() const override { return bytes_->write_fd(); }
  bool intact() const override { return bytes_->intact(); }
  void cut() noexcept override { bytes_->cut(); }

private:
  const std::unique_ptr<stream> bytes_;
  preamble_search search_;
  const std::function<void(const std::string&)> tell_;
  std::string_view to_write_ = preamble;
};

}  // namespace fmap::remote
