// SPDX-License-Identifier: BSD-3-Clause
// One map's use of its journal.
#pragma once

#include <cstdint>
#include <memory>
#include <typeinfo>

#include <fmap/detail/api.hpp>
#include <fmap/detail/chunk.hpp>
#include <fmap/detail/journal_codec.hpp>

namespace fmap::detail {

class job;

/// Tells a source which items are recorded, gives workers what is recorded of them, and writes down what the consumer
/// has finished with.
class FMAP_API journal_run {
public:
  /// Throws std::invalid_argument if `codec` is null or its types do not travel, std::logic_error if the journal is in
  /// use, journal_error if it is one of other types.
  journal_run(journal&, const journal_codec* codec, const std::type_info& function);
  ~journal_run();
  journal_run(const journal_run&) = delete;
  journal_run& operator=(const journal_run&) = delete;

  /// For the source, with each item, in their order. False: it is recorded, and not to be executed. Throws
  /// journal_mismatch.
  bool admit(std::uint64_t index, const void* item);

  /// For a worker, with each item that is not: puts its outcome into its slot if that is to be handed out.
  void recall(job&, chunk&, std::uint32_t offset) noexcept;

  /// For the consumer, who is about to get the outcome in this slot.
  void hold(chunk&, std::uint32_t offset, std::uint32_t attempts);

  /// It has finished with that one. Throws journal_error.
  void commit();

  /// Before its token goes back. Waits for the disk, if the journal is to. Throws journal_error.
  void make_durable();

  /// The map is gone, and another one may use the journal.
  void end() noexcept;

private:
  struct impl;
  const std::unique_ptr<impl> impl_;
};

}  // namespace fmap::detail
