// SPDX-License-Identifier: BSD-3-Clause
// An open journal.

#include <stdexcept>
#include <utility>

#include <fmap/journal.hpp>

#include "src/journal/book.hpp"

namespace fmap {

namespace detail {

journal_book::journal_book(const std::string& path, const journal_options& o)
    : options{o}, file{path, [this](std::uint64_t, std::string_view payload) { read(payload); }} {}

void journal_book::read(std::string_view payload) {
  auto r = journals::decode(payload).what;
  if (const auto* e = std::get_if<journals::ending>(&r))
    count(*e);
  else
    last_ = std::get<journals::beginning>(std::move(r));
}

void journal_book::begin(journals::beginning b) {
  const std::lock_guard guard{mutex};
  if (in_use) throw std::logic_error{"fmap: journal " + file.path() + " is in use by another map"};
  if (last_ && (last_->item_type != b.item_type || last_->value_type != b.value_type))
    throw journal_error{"fmap: journal " + file.path() + ": it is one of " + last_->item_type
                        + " -> " + last_->value_type + ", and this map is one of " + b.item_type
                        + " -> " + b.value_type};
  journals::encode(scratch_, b);
  file.append(scratch_);
  last_ = std::move(b);
  in_use = true;
}

void journal_book::end() {
  const std::lock_guard guard{mutex};
  file.running(0);
  in_use = false;
}

void journal_book::write(const journals::ending& e, std::string_view outcome) {
  const std::lock_guard guard{mutex};
  journals::encode(scratch_, e, outcome);
  file.append(scratch_);
  count(e);
}

void journal_book::count(const journals::ending& e) {
  if (e.again) --failed;
  ++(e.failed ? failed : done);
}

}  // namespace detail

journal_mismatch::journal_mismatch(const std::string& path, std::uint64_t index)
    : journal_error{"fmap: journal " + path + ": item " + std::to_string(index)
                    + " is not the one that is recorded for its place; where inputs are reordered "
                      "or extended, set match to by_item"},
      index_{index} {}

journal::journal(const std::string& path, const journal_options& options)
    : book_{std::make_shared<detail::journal_book>(path, options)} {}
journal::~journal() = default;

std::uint64_t journal::done() const {
  const std::lock_guard guard{book_->mutex};
  return book_->done;
}

std::uint64_t journal::failed() const {
  const std::lock_guard guard{book_->mutex};
  return book_->failed;
}

std::string journal::summary() const {
  const auto readable = [](std::uint64_t n) {
    std::string digits = std::to_string(n);
    for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, 1, ' ');
    return digits;
  };
  const std::lock_guard guard{book_->mutex};
  std::string text = readable(book_->done) + " done, " + readable(book_->failed) + " failed";
  if (const std::uint64_t n = book_->file.left_running(); n != 0)
    text += ", " + readable(n) + " running when it was killed";
  return text;
}

}  // namespace fmap
