// SPDX-License-Identifier: BSD-3-Clause
// Runs code of several threads in every order in which their accesses to memory can take place.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace testing {

/// How the processors keep the stores of a thread back, and what a fence does.
struct memory_rules {
  bool in_order = true;           ///< stores become visible in the order in which they were made
  bool fences_work = true;        ///< else they do nothing: to see that something is found then
  bool releases_work = true;      ///< else they order nothing: likewise
  bool exchanges_compare = true;  ///< else they store whatever there is: likewise
  bool light_is_free = true;  ///< the light fence does nothing, the heavy one works for all threads
};

/// One access to memory, or a fence.
struct access {
  enum class kind : std::uint8_t {
    load,
    await,  // a load that waits until the bits `mask` are as expected
    store,
    add,
    exchange,  // if the value is as expected
    fence,
    light_fence,
    heavy_fence,
    lock,
    unlock
  };
  kind what;
  std::uint32_t cell = 0, value = 0;
  bool release = false;
  std::uint32_t expected = 0, mask = 0;
};

/// What a thread's code sees: it is run again from its start for each access, with what its earlier ones gave.
class party {
public:
  struct paused {
    access at;
  };

  explicit party(const std::vector<std::uint32_t>& results) : results_{results} {}

  std::uint32_t make(access a) {
    if (next_ == results_.size()) throw paused{a};
    return results_[next_++];
  }

  std::uint32_t load(std::uint32_t cell) { return make({access::kind::load, cell}); }
  std::uint32_t await(std::uint32_t cell, std::uint32_t expected, std::uint32_t mask = ~0U) {
    return make({access::kind::await, cell, 0, false, expected, mask});
  }
  void store(std::uint32_t cell, std::uint32_t value) { make({access::kind::store, cell, value}); }
  /// At once, as far as anybody can see.
  void add(std::uint32_t cell) { make({access::kind::add, cell}); }
  void lock() { make({access::kind::lock}); }
  void unlock() { make({access::kind::unlock}); }

  /// The party whose code is being run.
  static inline party* now = nullptr;
  /// The cell of the next atomic that its code makes.
  static inline std::uint32_t next_cell = 0;

private:
  const std::vector<std::uint32_t>& results_;
  std::size_t next_ = 0;
};

/// Memory whose accesses are the parties' steps.
struct traced_memory {
  template <class T>
  class atomic {
  public:
    explicit(false) atomic(T) : cell_{party::next_cell++} {}
    T load(std::memory_order) const { return static_cast<T>(party::now->load(cell_)); }
    void store(T value, std::memory_order order) {
      party::now->make({access::kind::store, cell_, static_cast<std::uint32_t>(value),
                        order == std::memory_order_release});
    }
    /// A loop of a load and this. It never fails for no reason: that would only be another round.
    bool compare_exchange_weak(T& expected, T value, std::memory_order order, std::memory_order) {
      return party::now->make(
                 {access::kind::exchange, cell_, static_cast<std::uint32_t>(value),
                  order == std::memory_order_acq_rel || order == std::memory_order_release,
                  static_cast<std::uint32_t>(expected)})
             != 0;
    }
    T load_clear(T bits) const {
      return static_cast<T>(party::now->await(cell_, 0, static_cast<std::uint32_t>(bits)));
    }

  private:
    const std::uint32_t cell_;
  };
  static void fence() { party::now->make({access::kind::fence}); }
  static void light_fence() { party::now->make({access::kind::light_fence}); }
  static void heavy_fence() { party::now->make({access::kind::heavy_fence}); }
};

/// Tries all orders, each state once.
class interleavings {
public:
  using code = std::function<void(party&)>;
  using cells = std::vector<std::uint32_t>;
  using judge = std::function<bool(const cells&)>;

  interleavings(memory_rules rules, cells memory, std::vector<code> parties, judge right)
      : rules_{rules}, parties_{std::move(parties)}, right_{std::move(right)} {
    state first;
    first.memory = std::move(memory);
    first.results.resize(parties_.size());
    first.kept_back.resize(parties_.size());
    visit(first);
  }

  std::size_t states() const { return seen_.size(); }
  std::size_t ends() const { return ends_; }
  /// Whether there is an end that is wrong, or at which somebody waits for ever; no others are tried after it.
  std::size_t wrong() const { return wrong_; }

private:
  struct state {
    cells memory;
    std::vector<std::vector<std::uint32_t>> results;  // of the accesses that each party has made
    std::vector<std::vector<access>> kept_back;       // stores that nobody else sees yet
    int locked_by = -1;
  };

  void visit(const state& first) {
    std::vector<state> todo{first};
    while (!todo.empty()) {
      const state s = std::move(todo.back());
      todo.pop_back();
      bool moved = false, all_done = true;
      const auto add = [&](state next) {
        moved = true;
        if (seen_.insert(key(next)).second) todo.push_back(std::move(next));
      };
      for (std::size_t p = 0; p != parties_.size(); ++p) {
        for (std::size_t i = 0; i != s.kept_back[p].size(); ++i)
          if (may_show(s.kept_back[p], i)) add(shown(s, p, i));
        const auto next = next_access(s, p);
        if (!next) continue;
        all_done = false;
        if (auto after = made(s, p, *next)) add(std::move(*after));
      }
      if (moved) continue;
      ++ends_;
      if (all_done && right_(s.memory)) continue;
      ++wrong_;
      return;
    }
  }

  std::optional<access> next_access(const state& s, std::size_t p) const {
    party running{s.results[p]};
    party::now = &running;
    party::next_cell = 0;
    try {
      parties_[p](running);
    } catch (const party::paused& at) {
      return at.at;
    }
    return {};
  }

  bool may_show(const std::vector<access>& kept_back, std::size_t i) const {
    if (i == 0) return true;
    if (rules_.in_order || (kept_back[i].release && rules_.releases_work)) return false;
    for (std::size_t before = 0; before != i; ++before)
      if (kept_back[before].cell == kept_back[i].cell) return false;
    return true;
  }

  static state shown(state s, std::size_t p, std::size_t i) {
    s.memory[s.kept_back[p][i].cell] = s.kept_back[p][i].value;
    s.kept_back[p].erase(s.kept_back[p].begin() + static_cast<std::ptrdiff_t>(i));
    return s;
  }

  /// None: it cannot be made now.
  std::optional<state> made(state s, std::size_t p, const access& a) const {
    auto& own = s.kept_back[p];
    std::uint32_t result = 0;
    switch (a.what) {
      case access::kind::load:
      case access::kind::await:
        result = s.memory[a.cell];
        for (const access& earlier : own)
          if (earlier.cell == a.cell) result = earlier.value;
        if (a.what == access::kind::await && (result & a.mask) != a.expected) return {};
        break;
      case access::kind::store: own.push_back(a); break;
      case access::kind::add: ++s.memory[a.cell]; break;
      case access::kind::exchange: {
        const bool after_all = rules_.in_order || (a.release && rules_.releases_work);
        for (const access& earlier : own)
          if (after_all || earlier.cell == a.cell) return {};
        if (rules_.exchanges_compare && s.memory[a.cell] != a.expected) {
          s.results[p].pop_back();  // back to the load before it: the next round is like the first
          return s;
        }
        s.memory[a.cell] = a.value;
        result = 1;
        break;
      }
      case access::kind::light_fence:
        if (rules_.light_is_free) break;
        [[fallthrough]];
      case access::kind::fence:
        if (rules_.fences_work && !own.empty()) return {};
        break;
      case access::kind::heavy_fence:
        if (!rules_.fences_work) break;
        if (!own.empty()) return {};
        if (!rules_.light_is_free) break;
        for (auto& others : s.kept_back) {
          for (const access& store : others) s.memory[store.cell] = store.value;
          others.clear();
        }
        break;
      case access::kind::lock:
        if (!own.empty() || s.locked_by != -1) return {};
        s.locked_by = static_cast<int>(p);
        break;
      case access::kind::unlock:
        if (!own.empty()) return {};
        s.locked_by = -1;
        break;
    }
    s.results[p].push_back(result);
    return s;
  }

  static std::string key(const state& s) {
    std::string k;
    const auto put = [&](std::uint32_t n) { k.push_back(static_cast<char>(n)); };
    for (const std::uint32_t m : s.memory) put(m);
    for (const auto& results : s.results) {
      put(static_cast<std::uint32_t>(results.size()));
      for (const std::uint32_t r : results) put(r);
    }
    for (const auto& stores : s.kept_back) {
      put(static_cast<std::uint32_t>(stores.size()));
      for (const access& a : stores) {
        put(a.cell);
        put(a.value);
      }
    }
    put(static_cast<std::uint32_t>(s.locked_by + 1));
    return k;
  }

  const memory_rules rules_;
  const std::vector<code> parties_;
  const judge right_;
  std::unordered_set<std::string> seen_;
  std::size_t ends_ = 0, wrong_ = 0;
};

}  // namespace testing
