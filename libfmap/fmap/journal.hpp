// SPDX-License-Identifier: BSD-3-Clause
// A run that survives its process: its outcomes are recorded in a file, and what is recorded is not done again.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>

#include <fmap/detail/api.hpp>
#include <fmap/detail/journal_codec.hpp>
#include <fmap/errors.hpp>
#include <fmap/wire.hpp>

namespace fmap {

/// How a journal knows an item again.
enum match_policy {
  by_index,  ///< by its place in the input, where the same item must be
  by_item    ///< by itself, wherever it is: the input may be reordered or extended
};

struct journal_options {
  /// Hand out what is recorded, without executing it: a cache. Left off, it is passed over.
  bool replay = false;

  /// Execute items again whose recorded outcome is an error.
  bool retry_failed = false;

  /// Records are on the disk before their tokens go back, and so outlive the machine's crash. Left off, they outlive
  /// that of the program.
  bool durable = false;

  match_policy match = by_index;
};

/// A journal that cannot be used, or can no more. The map that met it has ended; what is recorded stays.
class FMAP_API journal_error : public error {
  using error::error;
};

/// The input has another item than the one that is recorded for its index.
class FMAP_API journal_mismatch : public journal_error {
public:
  explicit journal_mismatch(const std::string& path, std::uint64_t index);

  /// The item's place in the input. It has not been executed.
  std::uint64_t index() const noexcept { return index_; }

private:
  std::uint64_t index_;
};

/// A file that keeps the outcomes of a map, `map_options::journal`. A program that was killed is started again, makes
/// the same map with the same file, and goes on where it was: the input is pulled from its start, and items that are
/// recorded are not executed.
///
///     fmap::journal done{"run.journal"};
///     for (auto& o : fmap::future_map(pool, simulate, inputs, {.journal = &done}).outcomes()) write(o);
///
/// An outcome is recorded when its consumer takes the next one, before its token goes back. So after a kill the one
/// that the consumer had comes again, and at most `buffersize` items are executed again. The last one that was taken
/// from a map that is left early is not recorded; an error that ends the iteration over values is not, either.
///
/// What says nothing of an item is not recorded: that its pool was broken or shut down, that its future was cancelled.
///
/// Items and results must be encodable as for worker processes, and an item's bytes a function of its value: no padding
/// in `travels_as_bytes`, no hash tables that were filled in different orders. Maps of others throw
/// `std::invalid_argument`, and so do those that were made in a file that does not include this header before it makes
/// them. In a file that does, all maps' types are asked whether they can be encoded. One map at a time may use a
/// journal. A map with a journal has a thread of its own that pulls; it needs 24 bytes for each recorded item while it
/// runs, and about 60 `by_item`.
///
/// Where a map's results are the input of another one, the second is their consumer: what it holds comes again only
/// with `replay`. An error of a type of yours comes back as `remote_error`. A process that was forked from this one, and
/// is no other program, keeps the file locked until it ends. A static journal would be opened by each worker process,
/// too: make it in main, after fmap::init. The members may be called from any thread.
class FMAP_API journal {
public:
  /// Opens or makes the file, and locks it as long as this object and its map live. A last record that was cut off, by
  /// a crash for instance, is removed. Throws journal_error if that is no journal, one of a later version, damaged, in
  /// use by a process that lives, or if the system refuses.
  explicit journal(const std::string& path, const journal_options& = {});
  ~journal();
  journal(const journal&) = delete;
  journal& operator=(const journal&) = delete;

  /// Items whose recorded outcome is a value, and an error.
  std::uint64_t done() const;
  std::uint64_t failed() const;

  /// "812 000 done, 31 failed, 169 running when it was killed"
  std::string summary() const;

private:
  friend class detail::journal_run;
  std::shared_ptr<detail::journal_book> book_;
};

namespace detail {

/// The functions are null if one of the types does not travel.
template <class In, class Out>
struct journal_codec_for {
  static void save_item(std::string& out, const void* item) {
    wire::append(out, *static_cast<const In*>(item));
  }
  static void save_value(std::string& out, const void* value) {
    wire::append(out, *static_cast<const Out*>(value));
  }
  static void load_value(std::string_view bytes, void* place) {
    wire::reader r{bytes};
    Out* const made = r.take_at<Out>(place);
    if (r.expect_end()) return;
    std::destroy_at(made);
    r.throw_if_failed();
  }
  static constexpr journal_codec make() {
    if constexpr (travels<In> && travels<Out>)
      return {&typeid(In), &typeid(Out), save_item, save_value, load_value};
    else
      return {&typeid(In), &typeid(Out), nullptr, nullptr, nullptr};
  }
  static constexpr journal_codec codec = make();
};

}  // namespace detail

}  // namespace fmap
