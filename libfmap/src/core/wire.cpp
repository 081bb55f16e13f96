// SPDX-License-Identifier: BSD-3-Clause
// What both inspectors do that does not depend on a type.

#include <cstddef>
#include <string>
#include <utility>

#include <fmap/detail/demangle.hpp>
#include <fmap/wire.hpp>

namespace fmap::wire {

namespace detail {

bool failure::fail(std::string reason) {
  if (!failed_) reason_ = std::move(reason);
  failed_ = true;
  return false;
}

bool failure::fail_in(const std::type_info& type, std::string_view what) {
  if (failed_) return false;
  return fail(fmap::detail::type_name(type).append(": ").append(what));
}

bool failure::refuse(std::string_view who) {
  if (failed_) return false;
  return fail(std::string{who}.append(" refused the value"));
}

void failure::throw_if_failed() const {
  if (failed_) throw error{reason_};
}

}  // namespace detail

void writer::raw_blocks(const char* data, std::size_t size) {
  out_->reserve(out_->size() + size);
  for (; size > block; data += block, size -= block) out_->append(data, block);
  out_->append(data, size);
}

bool reader::malformed(std::string_view what) {
  if (!ok()) return false;
  const auto where = std::to_string(at_ - begin_), size = std::to_string(end_ - begin_);
  return fail(std::string{what} + ", at byte " + where + " of " + size);
}

bool reader::expect_end() {
  if (ok() && at_ != end_) malformed("bytes after the end");
  return ok();
}

std::uint64_t reader::varint() {
  std::uint64_t n = 0;
  for (unsigned shift = 0; at_ != end_; shift += 7) {
    const auto byte = static_cast<unsigned char>(*at_++);
    if (shift == 63 && byte > 1) break;
    if (shift != 0 && byte == 0) return malformed("a length in more bytes than it needs"), 0;
    n |= std::uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) return n;
  }
  malformed("a length that does not end");
  return 0;
}

std::size_t reader::length(std::size_t least) {
  const std::uint64_t n = varint();
  if (ok() && n > free() / least) malformed("a length that is more than there is");
  return ok() ? static_cast<std::size_t>(n) : 0;
}

void reader::filler() {
  char byte = 0;
  if (raw(&byte, 1) && byte != 0) malformed("an element that should take no bytes");
}

}  // namespace fmap::wire
