// SPDX-License-Identifier: BSD-3-Clause
// One map's use of its journal.

#include <chrono>
#include <optional>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include <unistd.h>

#include <fmap/detail/demangle.hpp>
#include <fmap/detail/exception_codec.hpp>
#include <fmap/detail/job.hpp>
#include <fmap/detail/journal_run.hpp>

#include "src/core/host_name.hpp"
#include "src/journal/book.hpp"
#include "src/journal/index.hpp"

namespace fmap::detail {

using journals::digest;

namespace {

std::int64_t now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// Whether an item has this error because nobody has executed it to its end.
bool says_nothing_of_the_item(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const broken_pool&) {
    return true;
  } catch (const pool_shutdown&) {
    return true;
  } catch (const cancelled_error&) {
    return true;
  } catch (...) {
    return false;
  }
}

const journal_codec& checked(const journal_codec* codec) {
  if (codec == nullptr)
    throw std::invalid_argument{
        "fmap: journal: include <fmap/journal.hpp> in the file that makes the map"};
  if (codec->save_item == nullptr)
    throw std::invalid_argument{"fmap: journal: items (" + type_name(*codec->item)
                                + ") and results (" + type_name(*codec->value)
                                + ") must be such as can be sent to another process"};
  return *codec;
}

}  // namespace

struct journal_run::impl {
  impl(std::shared_ptr<journal_book> b, const journal_codec& c) : book{std::move(b)}, codec{c} {}

  const std::shared_ptr<journal_book> book;
  const journal_codec codec;
  const std::string host = host_name();

  // The source's.
  journals::index_by_place by_place;
  journals::index_by_item by_item;
  std::string scratch;

  // The consumer's: the outcome that it has.
  std::optional<journals::ending> held;
  std::string outcome;

  // Everybody's.
  struct executed {
    digest item;
    bool again = false;
  };
  std::mutex mutex;
  std::unordered_map<std::uint64_t, executed> under_way;
  std::uint64_t running = 0;  // those, and the one that the consumer has
  std::unordered_map<std::uint64_t, std::uint64_t> replayed;  // places of records

  void load() {
    const bool by_index = book->options.match == match_policy::by_index;
    const std::lock_guard guard{book->mutex};
    book->file.each([&](std::uint64_t place, std::string_view payload) {
      const auto r = journals::decode(payload).what;
      const auto* e = std::get_if<journals::ending>(&r);
      if (e == nullptr) return;
      if (by_index)
        by_place.add(place, *e);
      else
        by_item.add(place, *e);
    });
    by_place.complete();
  }

  /// What is recorded of an item.
  std::optional<journals::entry> look(std::uint64_t index, const digest& item) {
    if (book->options.match == match_policy::by_item) return by_item.take(item);
    using match = journals::index_by_place::match;
    const auto found = by_place.look(index, item);
    if (found.how == match::other_item) throw journal_mismatch{book->file.path(), index};
    if (found.how == match::none) return {};
    return found.what;
  }

  void begin(std::uint64_t index, const executed& what) {
    const std::lock_guard guard{mutex};
    under_way.emplace(index, what);
    book->file.running(++running);
  }

  /// The item has an outcome. None: it was recorded in another life.
  std::optional<executed> take(std::uint64_t index) {
    const std::lock_guard guard{mutex};
    const auto found = under_way.find(index);
    if (found == under_way.end()) return {};
    const executed result = found->second;
    under_way.erase(found);
    return result;
  }

  /// The consumer has finished with it.
  void end() {
    const std::lock_guard guard{mutex};
    book->file.running(--running);
  }

  bool ended = false;
};

journal_run::journal_run(journal& j, const journal_codec* codec, const std::type_info& function)
    : impl_{std::make_unique<impl>(j.book_, checked(codec))} {
  impl_->book->begin({type_name(*codec->item), type_name(*codec->value), type_name(function),
                      impl_->host, static_cast<std::uint32_t>(::getpid()), now()});
  try {
    impl_->load();
  } catch (...) {
    impl_->book->end();
    throw;
  }
}

journal_run::~journal_run() { end(); }

bool journal_run::admit(std::uint64_t index, const void* item) {
  impl_->scratch.clear();
  impl_->codec.save_item(impl_->scratch, item);
  const digest d = journals::digest_of(impl_->scratch);
  const auto known = impl_->look(index, d);
  const bool again = known && known->failed && impl_->book->options.retry_failed;
  if (!known || again) {
    impl_->begin(index, {d, again});
    return true;
  }
  if (impl_->book->options.replay) {
    const std::lock_guard guard{impl_->mutex};
    impl_->replayed.emplace(index, known->place);
  }
  return false;
}

void journal_run::recall(job& work, chunk& c, std::uint32_t offset) noexcept {
  try {
    std::uint64_t place = 0;
    {
      const std::lock_guard guard{impl_->mutex};
      const auto found = impl_->replayed.find(c.first + offset);
      if (found == impl_->replayed.end()) return;
      place = found->second;
      impl_->replayed.erase(found);
    }
    const std::string payload = impl_->book->file.read_at(place);
    const auto [what, outcome] = journals::decode(payload);
    if (!std::get<journals::ending>(what).failed) {
      impl_->codec.load_value(outcome, c.value(offset));
      return c.state(offset).store(slot_state::value, std::memory_order_release);
    }
    wire::reader r{outcome};
    const std::exception_ptr error = decode_exception(r);
    r.throw_if_failed();
    work.fail(c, offset, error);
  } catch (...) {
    work.fail(c, offset, std::current_exception());
  }
}

void journal_run::hold(chunk& c, std::uint32_t offset, std::uint32_t attempts) {
  const std::uint64_t index = c.first + offset;
  const auto what = impl_->take(index);
  if (!what) return;
  const bool failed = c.state(offset).load(std::memory_order_acquire) == slot_state::error;
  if (failed && says_nothing_of_the_item(c.error(offset))) return impl_->end();
  impl_->outcome.clear();
  if (failed)
    impl_->outcome = encode_exception(c.error(offset), impl_->host, static_cast<int>(::getpid()));
  else
    impl_->codec.save_value(impl_->outcome, c.value(offset));
  impl_->held = {index, what->item, failed, what->again, attempts, now()};
}

void journal_run::commit() {
  if (!impl_->held) return;
  impl_->book->write(*impl_->held, impl_->outcome);
  impl_->end();
  impl_->held.reset();
}

void journal_run::make_durable() {
  if (!impl_->book->options.durable) return;
  const std::lock_guard guard{impl_->book->mutex};
  impl_->book->file.sync();
}

void journal_run::end() noexcept {
  if (!std::exchange(impl_->ended, true)) impl_->book->end();
}

void job::recall(chunk& c, std::uint32_t offset) { journal->recall(*this, c, offset); }

}  // namespace fmap::detail
