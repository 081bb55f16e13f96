// SPDX-License-Identifier: BSD-3-Clause
// The shared mailbox: the ledger and the batches themselves, under one short-held mutex.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmap/detail/job.hpp>
#include <fmap/detail/task.hpp>

#include "actors/doorbell.hpp"
#include "actors/short_mutex.hpp"
#include "actors/spinner.hpp"
#include "src/kernel/ledger.hpp"

namespace fmap::actors {

using namespace kernel;

using detail::chunk;
using detail::input;
using detail::job;
using detail::progress;
using clock = std::chrono::steady_clock;

/// Everything that belongs to one run and is not accounting. Opened, filled and closed by the mailbox;
/// its members are guarded by the mailbox's mutex unless said otherwise.
struct run {
  run(run_id id, const run_limits& limits, std::shared_ptr<job> work, std::unique_ptr<input> from)
      : id{id}, limits{limits}, work{std::move(work)}, from{std::move(from)} {}
  ~run();

  /// Destroys what the slots hold.
  void clear();

  /// Nothing more is to be pulled.
  bool over() const { return stopped || input_over || cut; }

  const run_id id;
  const run_limits limits;
  std::shared_ptr<job> work;
  const clock::time_point opened = clock::now();

  std::vector<std::unique_ptr<chunk>> chunks;  // by chunk id
  std::vector<chunk*> unused;
  std::vector<std::uint32_t> vacant;  // ids of chunks that came from elsewhere and are gone

  // upstream
  std::unique_ptr<input> from;  // touched by whoever is `in_source`, without the mutex
  chunk* open = nullptr;        // the chunk that is being filled
  std::uint32_t filled = 0;     // its slots that the source has filled and published
  std::uint32_t granted = 0;    // its slots that the source may fill
  clock::time_point published_at{};
  bool at_hand = false;    // workers pull it, between batches
  bool instant = false;    // in no time worth measuring
  bool thirsty = false;    // one of them is to do so
  bool in_source = false;  // a thread is inside `from`, or has been lent slots
  bool lent = false;       // the latter: nobody need be there, and a closing pool waits for nobody
  bool source_waiting = false;     // for tokens
  bool source_looking = false;     // for tokens, while it gives way
  bool input_over = false;         // the input has ended by itself
  std::exception_ptr input_error;  // why it ended, if it threw
  bool cut = false;                // pulling was stopped from outside before the input was over
  doorbell_ptr source_bell;
  spinner source_spin;  // the source's

  // downstream
  bool sink_waiting = false;
  bool sink_looking = false;  // gives way
  bool sink_ticks = false;    // he has to, nobody else will soon; he reads it without the mutex
  bool task_waits =
      false;  // the sink that waits is a task of this pool, and has done so since then
  clock::time_point waits_since{};
  clock::time_point rescued_at{};  // a reserve came for its items
  doorbell_ptr sink_bell;
  doorbell_ptr drained;  // somebody waits for the run to drain

  ledger::duration cost{};              // of an item, lately; 0 while unknown
  std::uint64_t wake_after = 1;         // so many items are worth waking source or sink for
  std::uint64_t at_a_time = unbounded;  // so many are pulled of an input at hand
  unsigned heavy_batches = 0;           // that might have been watched

  // read and written without the mutex
  alignas(64) std::atomic<std::uint32_t> flush_every{1};
  alignas(64) std::atomic<std::uint64_t> taken{0};  // results the consumer has made current
  std::atomic<bool> stopped{false};

  // looked at without the mutex by those who wait, to be looked up under it
  alignas(64) std::atomic<std::uint64_t> free_tokens{0};
  std::atomic<bool> something_for_sink{false};  // that is worth coming for
  std::atomic<bool> light{false};               // an item takes less than waking somebody up
  std::atomic<bool> cheap{false};               // even what is brought at a time does
};

using run_ptr = std::shared_ptr<run>;

class bells;
class shared_mailbox;

/// A worker's place at the mailbox. The thread that joined uses it; the rest is the mailbox's.
struct worker {
  progress at;
  worker_id id = 0;
  doorbell_ptr bell;
  bool idle = false;
  bool coming = false;  // it will look for work: it was rung, or is at a batch
  run* busy_with = nullptr;
  chunk* in = nullptr;
  span batch;                 // what it still holds; others shorten it under the mutex
  clock::time_point since{};  // it was rung, began to look for work, or found some
  bool teaches = false;       // its batch was measured well
  spinner spin;
  bool supervised = false;  // counts among the pool's workers
  bool retired = false;     // did so, and has been replaced
  bool remote = false;      // a stub: its batches are executed elsewhere
  bool light = false;       // its last batch was of a run of light items
  bool cheap = false;       // and of a cheap one
  bool hurry = false;       // a stub: takes whatever there is, until there is nothing
  bool reserve = false;     // comes only for runs that tasks wait for and that nobody else is at
};

/// The pool whose work this thread is doing, if any.
extern constinit thread_local shared_mailbox* working_for;

/// Says so for as long as it lives.
class working_in {
public:
  explicit working_in(shared_mailbox* box) : before_{std::exchange(working_for, box)} {}
  ~working_in() { working_for = before_; }
  working_in(const working_in&) = delete;
  working_in& operator=(const working_in&) = delete;

private:
  shared_mailbox* const before_;
};

/// While this lives its thread waits for something to end that is running already: if it is a worker, its pool may
/// have another one meanwhile. Such a wait is never refused: who waits like that may be a destructor.
class seeing_out {
public:
  seeing_out() noexcept;
  ~seeing_out();
  seeing_out(const seeing_out&) = delete;
  seeing_out& operator=(const seeing_out&) = delete;

private:
  shared_mailbox* const box_;
};

/// Outcomes that the consumer may take: the `count` slots of a chunk that end at `end`.
struct outcome_span {
  chunk* in = nullptr;
  std::uint32_t end = 0, count = 0;
};

/// Slots for items that are brought one by one: `next` up to `end` of a chunk.
struct lent_slots {
  chunk* in = nullptr;
  std::uint32_t next = 0, end = 0;
};

/// A batch on its way to another process.
struct parcel {
  run_ptr of;
  chunk* in = nullptr;
  span items;

  explicit operator bool() const { return in != nullptr; }
};

/// Figures of one run at one moment.
struct run_stats {
  run_counts counts;
  std::uint64_t buffersize = 0, taken = 0, ready = 0, failed = 0;
  clock::duration elapsed{};
};

/// Where source, workers, sink and the stubs of remote nodes of one pool meet. Within a process a
/// batch lies here until somebody who is free takes it; those who have nothing to do are woken by
/// their doorbell. User code never runs under the mutex, bells are rung after it is released.
///
/// What is withheld for the sake of larger batches (pulled items, the rest of a batch behind a slow
/// item, results before it) is set free by tick(), which the supervisor calls while there is any.
class shared_mailbox {
public:
  static constexpr std::uint32_t any_number = 1u << 30;

  /// `workers`: how many the pool may have; they are started one by one through `supervisor`.
  explicit shared_mailbox(std::uint32_t workers) : capacity_{workers} {}

  // -- supervisor -------------------------------------------------------------

  void set_supervisor(doorbell_ptr);

  /// The supervisor has ended. Unless the pool was shut down and all is done, that breaks it.
  void supervisor_gone(std::exception_ptr why);

  struct duties {
    std::uint32_t start = 0;  ///< workers to start now
    /// Call tick() after tick_interval, instead of when it was to be called, if it was.
    bool tick = false;
    bool quit = false;  ///< the pool has been shut down and nothing is left to do
  };
  /// What the supervisor has been rung for.
  duties visit();

  /// Sets free what has been withheld for too long, and returns when to call again, unless visit() says so
  /// earlier; 0: only then. Workers that come by do the same, and then the tick need not come that often; least
  /// of all where all inputs are at hand: consumers of such runs do not rely on it, but call tick_now().
  std::chrono::microseconds tick();
  static constexpr std::chrono::microseconds tick_interval{500}, long_tick_interval{2000},
      longest_tick_interval{16000}, patience{200};

  /// Does the same at once, and has it done often again.
  void tick_now();

  /// Waking somebody up costs about this much, his time and the waker's.
  static constexpr std::chrono::microseconds worth_waking{20};

  /// Source and sink are woken for so many times the workers' time that it costs.
  static constexpr int wake_share = 40;

  /// No new runs and tasks; sources stop pulling, what was pulled is finished, workers leave when all is
  /// done. Tasks that have not been started are cancelled if wished.
  void shut_down(bool cancel_tasks = false);

  /// Every queued item, now and later, ends as an outcome with this error.
  void break_up(std::exception_ptr cause);

  /// After shut_down(): blocks until all that was pulled is finished and no worker is left.
  void wait_until_left();

  bool closing() const;
  std::exception_ptr broken() const;

  // -- workers ----------------------------------------------------------------

  void join(worker&, doorbell_ptr);

  /// Takes and runs batches until there are none. False: the pool is closing, leave.
  bool work(worker&);

  /// The worker will not look here until its next work() or take(), whatever there is.
  void rest(worker&);

  /// A worker is about to wait for something else: another one may be started meanwhile. Throws
  /// would_deadlock if too many wait already.
  void block();
  void unblock();

  /// So many tasks may wait at a time, each at the cost of a thread.
  static constexpr std::uint32_t most_blocked = 1000;

  /// Where no worker has come by for so long while a task waits for a run that nobody is at, all workers may be at
  /// items that wait for that task: the pool gets a reserve.
  static constexpr std::chrono::milliseconds stuck{100};

  /// The same for what is never refused; see seeing_out.
  void step_aside() noexcept;
  void step_back() noexcept;

  void leave(worker&);

  /// A worker that the supervisor was to start has ended before it joined.
  void never_came();

  /// A worker could not be started. The next one is tried after a while, and then after longer ones; what fails
  /// meanwhile counts as the same failure. True: nobody is left who could work, not even one of the `proven`,
  /// and more than so many starts in a row were in vain.
  bool start_failed(std::size_t in_vain, std::uint32_t proven = any_number);
  void start_succeeded();
  static constexpr std::size_t starts_in_vain = 5;

  // -- workers whose batches are executed elsewhere -----------------------------

  /// Joins as a stub of `weight` threads elsewhere that holds up to `capacity` items.
  void join_remote(worker&, doorbell_ptr, std::uint32_t weight, std::uint32_t capacity);

  /// The next batch for a stub, at most `most` items. None: its bell will ring.
  parcel take(worker&, std::uint32_t most = any_number);

  /// Items that a worker holds are done, their slots filled, and took so long in all; 0: nobody knows. Late and
  /// repeated reports are ignored.
  void finished(run&, worker_id, std::uint64_t first, std::uint32_t count,
                clock::duration took = {});

  /// Items that a worker holds have not begun and can go to somebody else.
  void give_back(run&, worker_id, std::uint64_t first, std::uint32_t count);

  /// A stub's worker is gone: `what` says how far it got with each item, `why` is the error of an item
  /// that ends with it. The stub leaves.
  void lose(worker&, const std::function<mark(run_id, std::uint64_t)>& what,
            const std::function<std::exception_ptr(const casualty&)>& why);

  /// A stub takes no more; another worker may be started in its place.
  void retire(worker&);

  /// Whether a stub with nothing in its hands may leave: the pool is broken, or closing and done.
  bool may_leave() const;

  // -- upstream ---------------------------------------------------------------

  /// Throws broken_pool or pool_shutdown. `sink` is rung when there are outcomes after a wait.
  run_ptr open(const run_limits&, std::shared_ptr<job>, std::unique_ptr<input>, doorbell_ptr sink);

  /// `source` is rung now, and whenever there is demand or the source should look up why not.
  void attach_source(run&, doorbell_ptr source);

  /// The run has no source: its input is at hand, and workers pull it when there is nothing queued.
  void pull_by_workers(run&);

  /// The source is gone; its run gets no more input.
  void detach_source(run&, std::exception_ptr why);

  enum class pulled { something, out_of_tokens, over };

  /// Pulls from the run's input as far as its tokens go, or, if `once`, only until there is something.
  /// Out of tokens: the source's bell will ring. Over: the source is done. Only one thread at a time may
  /// be in here for a run.
  pulled pull(run&, bool once = false);

  /// Lends slots for which there are tokens to whoever brings items instead of having them pulled from the
  /// run's input; none if there are no tokens, or the run takes no more.
  lent_slots lend_slots(run&);

  /// Queues what has been made in the slots before `next`. Until then nobody is told of it.
  void return_slots(run&, const lent_slots&);

  /// Queues a task. Throws broken_pool or pool_shutdown.
  void push(detail::task_ptr);

  /// The job of the tasks, if it is not the one for threads. Before the first push().
  void set_task_job(std::shared_ptr<job> tasks);

  /// Queues the items in the first `count` slots of a chunk that came from elsewhere; the run has no
  /// source of its own.
  void push(run&, std::unique_ptr<chunk>, std::uint32_t count);

  /// Takes what is queued of a run out of it. The slots keep their items, until release().
  std::vector<outcome_span> withdraw(run&);
  void release(run&, const outcome_span&);

  /// Time per item, measured or else expected; 0 while unknown.
  ledger::duration cost(const run&) const;

  // -- downstream -------------------------------------------------------------

  enum class next_result { outcomes, wait, end };

  /// Gives back the slots of the last span and the tokens of all taken results, and hands out the next
  /// outcomes. `wait`: there are none yet; if `will_sleep`, the sink's bell will ring. If it has not after
  /// tick_interval, and the run says `sink_ticks`, the sink is to call tick_now().
  next_result next(run&, outcome_span&, bool will_sleep = true);

  /// The consumer has been waiting for longer than a light item takes.
  void doubt(run&);

  /// Returns the tokens of all results taken so far.
  void give_tokens_back(run&);

  /// Throws pool_shutdown or broken_pool if there may have been more input than was pulled.
  void throw_if_cut(const run&);

  /// Stops a run: no more pulls; what is queued or ready is dropped, running calls finish.
  void stop(run&);

  /// Stops a run and returns when nobody touches its input, its function or its slots any more.
  void close(run&);

  /// Stops a run and returns at once; whoever touches it last closes it, and then rings `closed`.
  static void abandon(const std::shared_ptr<shared_mailbox>&, const run_ptr&,
                      doorbell_ptr closed = nullptr);

  run_stats stats(const run&);
  std::uint32_t attempts(const run&, std::uint64_t index);

private:
  void pull_some(run&, std::unique_lock<short_mutex>&, bells&);
  bool quench(std::unique_lock<short_mutex>&, bells&);
  void pull_at_hand(run&, std::unique_lock<short_mutex>&, bells&);
  void look_up_thirst(run&, bool few = false);
  std::uint64_t pullable(const run&) const;
  std::uint64_t enough_tokens(const run&) const;
  void publish(run&, std::uint32_t filled, bells&);
  void harvest(run&, bells&);
  void hurry_source(run&, std::uint32_t flush_every, bells&);
  std::uint32_t fillable(run&);
  void end_source(run&, bells&);
  void cut(run&, bells&);
  void bury(run_id only, const std::exception_ptr& why);
  void bury_if_broken(std::unique_lock<short_mutex>&);
  void collect(run&);
  void release(run&, chunk&, std::uint32_t count);
  run& tasks();
  void check_open() const;
  bool release_withheld(clock::time_point now, bells&);
  void tick_in_passing(clock::time_point now, bells&);
  void settle(worker&, clock::time_point now, clock::duration took, bells&);
  void split(worker&, bells&);
  void split_batches(run&, bells&);
  void halt(run&, bells&);
  void count_taken(run&);
  void wake_worker(bells&, bool at_once = false);
  void wake_source(run&, bells&, bool at_once = false);
  void wake_sink(run&, bells&, bool at_once = false);
  void appraise(run&);
  void remember_cost(const run&);
  void doubt(run&, bells&);
  ledger::duration time_to_do() const;
  bool starving() const;
  bool worth_spinning(const worker&) const;
  bool look(worker&, std::unique_lock<short_mutex>&, bells&);
  void give_way(worker&, std::unique_lock<short_mutex>&, bells&);
  bool soon_free() const;
  std::uint32_t allowed() const;
  bool surplus() const;
  void dismiss_surplus(bells&);
  bool urgent(bool at_once) const;
  bool forsaken(const run&) const;
  run* most_forsaken() const;
  void call_reserve(bells&);
  bool rescue(clock::time_point now, bells&);
  void want_tick(bells&);
  void hasten_tick(bells&);
  bool relies_on_tick(const run&) const;
  bool tick_is_rare() const;
  void widen(run&, bells&);
  bool exhausted(const run&) const;
  bool worth_taking(const run&) const;
  bool look_up_sink(run&);
  bool somebody_looks(const run&) const;
  bool stalled(const run&) const;
  bool idle_for_good() const;
  bool settled() const;
  void wake_all(bells&);
  void notify_drained(run&, bells&);

  mutable short_mutex mutex_;
  ledger ledger_;
  std::unordered_map<run_id, run_ptr> runs_;
  std::vector<worker*> workers_, idle_, idle_reserves_;
  std::uint32_t capacity_, started_ = 0, to_start_ = 0, retiring_ = 0;
  std::uint32_t blocked_ = 0, aside_ = 0;  // workers that wait, and those that see something out
  std::uint32_t reserves_ = 0, reserves_to_join_ = 0;  // of those started
  doorbell_ptr supervisor_;
  std::shared_ptr<job> task_job_;
  run_ptr tasks_;
  std::unordered_map<std::size_t, ledger::duration>
      costs_;                   // of items in earlier runs, by kind_of(job)
  std::deque<run*> thirsty_;    // runs whose input a worker is to pull
  std::uint32_t spinning_ = 0;  // workers
  std::atomic<bool> something_to_do_{false};
  clock::time_point released_at_{}, ticked_at_{};
  std::chrono::microseconds next_tick_ = tick_interval;
  bool tick_wanted_ = false, ticking_ = false, active_ = false, closing_ = false;
  std::exception_ptr broken_;
  std::size_t failed_starts_ = 0;  // in a row
  clock::time_point next_start_{};
  std::vector<doorbell_ptr> left_;  // wait for the pool to be done
};

}  // namespace fmap::actors
