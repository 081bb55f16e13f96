// SPDX-License-Identifier: BSD-3-Clause
// Items that end with an error instead of a worker.

#include "src/kernel/failing.hpp"

#include "src/kernel/settling.hpp"
#include "src/kernel/working_in.hpp"

namespace fmap::kernel {

void fail_queued(visit& v, run_id only, const std::exception_ptr& why) {
  const temporary_worker hand{v, 1};
  while (const span s = v->ledger.take(hand.id, only)) {
    run& r = *v->runs.at(s.run);
    chunk& c = r.chunks.at(s.chunk);
    v.outside([&] {
      const working_in inside{&v.mailbox()};  // futures are completed here, and run their callbacks
      for (std::uint64_t index = s.first; index != s.end(); ++index)
        r.work->fail(c, c.offset(index), why);
    });
    v->ledger.finished(hand.id, r.id, s.first, s.count, {});
    take_delivered(v, r);
    v.call_sink(r);
    v.touch(r);
  }
  v.touch_all();
}

void fail_if_broken(visit& v) {
  if (v->phase.broken()) fail_queued(v, 0, v->phase.verdict());
}

}  // namespace fmap::kernel
