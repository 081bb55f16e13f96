// SPDX-License-Identifier: BSD-3-Clause
// The word of a future while some wait, give up, complete and cancel: in every order that there is.

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include <fmap/detail/future_word.hpp>

#include "support/catch.hpp"
#include "support/interleavings.hpp"
#include "support/watched_memory.hpp"

using namespace testing;
using fmap::detail::basic_future_word;
using status = fmap::detail::state_status;

namespace {

constexpr std::uint32_t waiters = 2;
constexpr std::uint32_t gone = 0x80;  // the links of a waiter that does not exist any more

/// What the parties share; the word and the links come first.
enum cell : std::uint32_t {
  word,
  links,  // two for each waiter
  result = links + 2 * waiters,
  faults,
  told,  // one for each waiter
  cells = told + waiters
};

struct node;

struct word_memory : traced_memory {
  static std::uintptr_t number(const node* n);
  template <class Node>
  static Node* pointer(std::uintptr_t number);

  static std::uintptr_t load_clear(const atomic<std::uintptr_t>& at, std::uintptr_t bits) {
    return at.load_clear(bits);
  }
};

/// A pointer that no atomic protects.
class link {
public:
  link& operator=(node* n) {
    party::now->store(cell_, static_cast<std::uint32_t>(word_memory::number(n)));
    return *this;
  }
  explicit(false) operator node*() const;

private:
  const std::uint32_t cell_ = party::next_cell++;
};

struct node {
  link next_, previous_;
  bool thread = true;
  bool is_thread() const { return thread; }
};

using word_type = basic_future_word<word_memory, node>;

/// As each party sees it.
struct view {
  word_type word;
  std::array<node, waiters> nodes;

  static inline view* now = nullptr;
  view() { now = this; }
};

std::uintptr_t word_memory::number(const node* n) {
  return n == nullptr ? 0 : 16 * static_cast<std::uintptr_t>(n - view::now->nodes.data() + 1);
}

template <class Node>
Node* word_memory::pointer(std::uintptr_t number) {
  if (number == 0) return nullptr;
  if (number != gone) return &view::now->nodes[number / 16 - 1];
  party::now->add(faults);
  return nullptr;
}

link::operator node*() const { return word_memory::pointer<node>(party::now->load(cell_)); }

void destroy(party& p, std::uint32_t i) {
  p.store(links + 2 * i, gone);
  p.store(links + 2 * i + 1, gone);
}

void notify(party& p, std::uint32_t i) {
  if (p.load(links + 2 * i) == gone) p.add(faults);
  traced_memory::fence();  // as a mutex or a condition variable would
  p.add(told + i);
}

/// As future_state_base::notify_all() does it.
void notify_all(party& p, view& v, node* newest) {
  const auto number = [&](node& n) { return static_cast<std::uint32_t>(&n - v.nodes.data()); };
  node* w = word_type::notify_threads(newest, [&](node& n) { notify(p, number(n)); });
  while (w != nullptr) {
    node* const next = w->next_;
    notify(p, number(*w));
    destroy(p, number(*w));
    w = next;
  }
}

void look_at_result(party& p, const view& v, bool has_to_be_done) {
  const status s = v.word.now();
  if (has_to_be_done && s < status::value) p.add(faults);
  if (s == status::value && p.load(result) == 0) p.add(faults);
}

/// Waits until it is notified, or gives up at any time: as a waiting_thread does it.
void waits(party& p, std::uint32_t i, bool gives_up) {
  view v;
  bool done = true;
  if (v.word.add(v.nodes[i])) {
    if (!gives_up) p.await(told + i, 1);
    done = !v.word.remove(v.nodes[i]);
    if (done) p.await(told + i, 1);
  }
  destroy(p, i);
  look_at_result(p, v, done || !gives_up);
}

/// As future::add_done_callback() does it.
void adds_callback(party& p, std::uint32_t i) {
  view v;
  for (node& n : v.nodes) n.thread = false;
  if (v.word.add(v.nodes[i])) return;
  look_at_result(p, v, true);
  p.add(told + i);
  destroy(p, i);
}

/// The last of the waiters is the callback, if there is one.
struct scene {
  bool callback = false, gives_up = false, cancels = false;
  std::uint32_t threads = 0;

  std::uint32_t all() const { return threads + (callback ? 1 : 0); }

  void see_kinds(view& v) const {
    if (callback) v.nodes[threads].thread = false;
  }

  void completes(party& p) const {
    view v;
    see_kinds(v);
    if (!v.word.change(status::pending, status::running)) return;
    p.store(result, 1);
    notify_all(p, v, v.word.finish(status::value));
  }

  void cancel(party& p) const {
    view v;
    see_kinds(v);
    node* newest = nullptr;
    v.word.cancel(newest);
    notify_all(p, v, newest);
  }

  bool right(const interleavings::cells& m) const {
    const auto end = static_cast<status>(m[word]);  // and neither lock nor list
    bool ok = m[faults] == 0 && (end == status::value || (cancels && end == status::cancelled));
    ok = ok && m[result] == (end == status::value ? 1U : 0U);
    for (std::uint32_t i = 0; i != all(); ++i)
      ok = ok && m[links + 2 * i] == gone && m[links + 2 * i + 1] == gone && m[told + i] <= 1;
    return ok && (!callback || m[told + threads] == 1);
  }

  interleavings with(memory_rules rules) const {
    std::vector<interleavings::code> parties{[this](party& p) { completes(p); }};
    if (cancels) parties.emplace_back([this](party& p) { cancel(p); });
    for (std::uint32_t i = 0; i != threads; ++i)
      parties.emplace_back([this, i](party& p) { waits(p, i, gives_up && i == 0); });
    if (callback) parties.emplace_back([this](party& p) { adds_callback(p, threads); });
    return {rules, interleavings::cells(cells), std::move(parties),
            [this](const interleavings::cells& m) { return right(m); }};
  }
};

constexpr scene scenes[] = {
    {.cancels = true, .threads = 1},
    {.gives_up = true, .cancels = true, .threads = 1},
    {.callback = true, .cancels = true},
    {.threads = 2},
    {.gives_up = true, .threads = 2},
    {.callback = true, .gives_up = true, .threads = 1},
#if !FMAP_MEMORY_IS_WATCHED  // Four parties have millions of orders, and this looks at orders only.
    {.gives_up = true, .cancels = true, .threads = 2},
    {.callback = true, .gives_up = true, .cancels = true, .threads = 1},
#endif
};

}  // namespace

TEST_CASE("in every order all who wait for a future are told once, and see its result") {
  for (const bool in_order : {true, false}) {
    for (const scene& s : scenes) {
      CAPTURE(in_order, s.callback, s.gives_up, s.cancels, s.threads);
      const auto all = s.with({.in_order = in_order});
      CHECK(all.ends() > 0);
      CHECK(all.wrong() == 0);
      CHECK(all.states() > 100);
    }
  }
}

TEST_CASE("the orders that are tried show that a future's word needs its releases") {
  for (const scene& s : scenes)
    CHECK(s.with({.in_order = false, .releases_work = false}).wrong() > 0);
}

TEST_CASE("the orders that are tried show that a future's word is only changed as it was seen") {
  for (const scene& s : scenes) CHECK(s.with({.exchanges_compare = false}).wrong() > 0);
}
