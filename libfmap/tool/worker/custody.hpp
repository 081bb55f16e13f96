// SPDX-License-Identifier: BSD-3-Clause
// Which worker has which items, and who is to blame when a worker dies. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

namespace fmap::tool {

/// Items are known by their numbers, workers by theirs; neither is used twice.
///
/// When a worker dies, its first unanswered item is the suspect: it is tried again alone, by a new worker that gets
/// the end of its input behind it, so that one that keeps its answers gives them. The others go elsewhere. If the suspect
/// is answered, the worker that died had kept answers: from then on the unanswered items of a death are tried by halves,
/// each half with the end of the input behind it, until one is alone. An item is convicted by so many deaths alone.
class custody {
public:
  using id = std::uint64_t;

  /// `deaths`: alone, that convict.
  explicit custody(unsigned deaths) : deaths_{deaths} {}

  void add(id item) { waiting_.push_back(item); }
  /// It goes before those that were never begun.
  void add_first(id item) { waiting_.push_front(item); }

  bool empty() const { return waiting_.empty() && trials_.empty(); }
  bool has_trial() const { return !trials_.empty(); }
  std::size_t waiting() const { return waiting_.size(); }
  /// The next item for any worker that is not on trial.
  std::optional<id> next() const {
    return waiting_.empty() ? std::nullopt : std::optional{waiting_.front()};
  }

  /// Gives that worker the next item; there is one.
  id give(id worker);
  /// Gives a new worker the items of a trial, behind which its input ends; there is one.
  const std::deque<id>& give_trial(id worker);

  /// Takes all that no worker has.
  std::vector<id> take_back();

  /// The worker's answer to that item, or to the first that is open. None: it has no such item.
  std::optional<id> answered(id worker, std::optional<id> item = {});

  const std::deque<id>& open(id worker) const;
  bool on_trial(id worker) const;

  /// The worker has gone before it has looked at its items.
  void returned(id worker);

  /// How the loss of a worker is explained.
  struct loss {
    std::optional<id> suspect;    // whom it is blamed on for now
    std::optional<id> convicted;  // for good: nobody has it any more
  };
  /// The worker has gone; its open items are with nobody, or on trial. `sentence`: the suspect is convicted at once.
  loss lost(id worker, bool sentence = false);

private:
  struct held {
    std::deque<id> items;  // open, in the order in which they were given
    bool trial = false;
    std::size_t given = 0;
  };
  void try_again(std::deque<id> items);

  unsigned deaths_;
  bool keeps_answers_ = false;  // it has been seen
  std::deque<id> waiting_;
  std::deque<std::deque<id>> trials_;
  std::map<id, held> workers_;
  std::map<id, unsigned> alone_;  // deaths alone, of suspects
};

}  // namespace fmap::tool
