// SPDX-License-Identifier: BSD-3-Clause
// Programs that end in odd places: each way to do so, in a process of its own, has to end with code 7, and soon.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <fmap/fmap.hpp>
#include <fmap/process_pool.hpp>

using namespace std::chrono_literals;

namespace {

constexpr int good = 7;

std::atomic<int> finished{0};
int wanted = 0;
bool works_late = false;

int twice(int x) { return 2 * x; }
int sleepy(int x) {
  std::this_thread::sleep_for(1ms);
  return x;
}
/// Only one thread of a program may call exit(); the others go on.
void leave() {
  static std::atomic<bool> leaving{false};
  if (!leaving.exchange(true)) std::exit(good);
}
int leaves_at_50(int x) {
  if (x == 50) leave();
  return sleepy(x);
}

/// Is destroyed after everything that fmap has made since.
struct oldest {
  ~oldest() {
    if (wanted != 0) ::_exit(finished == wanted ? good : 1);
    if (!works_late) return;
    int sum = 0;
    fmap::thread_pool threads{2};
    for (int v : fmap::future_map(threads, twice, std::views::iota(0, 10))) sum += v;
    fmap::process_pool processes{1};
    sum += processes.submit(fmap::fn<&twice>, 5).get();
    ::_exit(sum == 100 ? good : 2);
  }
} the_oldest;

std::unique_ptr<fmap::thread_pool> threads;
std::unique_ptr<fmap::process_pool> processes;

auto leaving_input() { return std::views::iota(0) | std::views::transform(leaves_at_50); }

template <class Map>
void exhaust(Map& map) {
  for (auto&& v : map) static_cast<void>(v);
}

fmap::future<int> ready(int x) {
  fmap::promise<int> p;
  p.set_value(leaves_at_50(x));
  return p.get_future();
}

struct leaves_when_copied {
  int x = 0;
  leaves_when_copied() = default;
  leaves_when_copied(const leaves_when_copied& o) : x{leaves_at_50(o.x)} {}
};

struct leaving_state {
  leaving_state() { leave(); }
};

void count(const fmap::future<int>& f) {
  if (f.exception() == nullptr) ++finished;
}

template <class Pool>
bool refuses(Pool& pool) {
  try {
    pool.submit(fmap::fn<&twice>, 1);
  } catch (const fmap::broken_pool&) {
    return true;
  }
  return false;
}

/// Whether a forked process that does this ends well.
template <class F>
bool child_ends(F f) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(10);
    f();
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == good;
}

struct way {
  const char* name;
  void (*go)();
};

const way ways[] = {
    {"a task",
     [] {
       static fmap::thread_pool p{2};
       for (int i = 0; i != 100; ++i) p.submit(sleepy, i);
       p.submit([] { std::exit(good); }).wait();
     }},
    {"an item of a static map",
     [] {
       static fmap::thread_pool p{2};
       static fmap::future_map m{p, leaves_at_50, std::views::iota(0)};
       exhaust(m);
     }},
    {"an item of a static ordered map over two ranges",
     [] {
       static fmap::thread_pool p{2};
       static auto m = p.map([](int a, int) { return leaves_at_50(a); }, std::views::iota(0),
                             std::views::iota(0));
       exhaust(m);
     }},
    {"the worker state of a static map",
     [] {
       static fmap::thread_pool p{2};
       static fmap::future_map m{p,
                                 fmap::with_state([] { return leaving_state{}; },
                                                  [](leaving_state&, int x) { return x; }),
                                 std::views::iota(0)};
       exhaust(m);
     }},
    {"an input iterator, with a static pool",
     [] {
       static fmap::thread_pool p{2};
       fmap::future_map m{p, twice, leaving_input()};
       exhaust(m);
     }},
    {"the input iterator of a static map",
     [] {
       static fmap::thread_pool p{2};
       static fmap::future_map m{p, twice, leaving_input()};
       exhaust(m);
     }},
    {"the input iterators of a static map over two ranges",
     [] {
       static fmap::thread_pool p{2};
       static auto m = p.map(std::plus<>{}, leaving_input(), std::views::iota(0));
       exhaust(m);
     }},
    {"the copying of an item of a static map",
     [] {
       static std::vector<leaves_when_copied> items(100);
       for (int i = 0; i != 100; ++i) items[static_cast<std::size_t>(i)].x = i;
       static fmap::thread_pool p{2};
       static fmap::future_map m{p, [](const leaves_when_copied& i) { return i.x; }, items};
       exhaust(m);
     }},
    {"the input iterator of a static map over processes",
     [] {
       static fmap::process_pool p{1};
       static fmap::future_map m{p, fmap::fn<&twice>, leaving_input()};
       exhaust(m);
     }},
    {"the function of a static map without a pool",
     [] {
       static fmap::future_map m{ready, std::views::iota(0)};
       exhaust(m);
     }},
    {"the input iterator of a static map without a pool",
     [] {
       static fmap::future_map m{[](int x) {
                                   fmap::promise<int> p;
                                   p.set_value(x);
                                   return p.get_future();
                                 },
                                 leaving_input()};
       exhaust(m);
     }},
    {"an initializer of a static pool",
     [] {
       static fmap::thread_pool p{{.workers = 2, .initializer = leave}};
       p.submit(twice, 1).wait();
     }},
    {"a done-callback of a static pool",
     [] {
       static fmap::thread_pool p{2};
       auto f = p.submit(sleepy, 1);
       f.add_done_callback([](const auto&) { std::exit(good); });
       for (;;) ::pause();
     }},
    {"a done-callback of a static pool of processes",
     [] {
       static fmap::process_pool p{1};
       auto f = p.submit(fmap::fn<&sleepy>, 1);
       f.add_done_callback([](const auto&) { std::exit(good); });
       for (;;) ::pause();
     }},
    {"main, while items of a static map run",
     [] {
       static fmap::thread_pool p{2};
       static fmap::future_map m{p, sleepy, std::views::iota(0)};
       m.begin();
       std::exit(good);
     }},
    {"main, with tasks queued in a static pool that is younger than all of fmap's statics",
     [] {
       wanted = 40;
       threads = std::make_unique<fmap::thread_pool>(2);
       for (int i = 0; i != wanted; ++i) threads->submit(sleepy, i).add_done_callback(count);
     }},
    {"main, with tasks queued in a static pool of processes that are replaced",
     [] {
       wanted = 40;
       processes = std::make_unique<fmap::process_pool>(
           fmap::process_pool_options{.workers = 2, .max_items_per_worker = 3});
       processes->submit(fmap::fn<&sleepy>, 0).wait();
       for (int i = 0; i != wanted; ++i)
         processes->submit(fmap::fn<&sleepy>, i).add_done_callback(count);
     }},
    {"the destructor of a static that makes pools then",
     [] {
       works_late = true;
       fmap::thread_pool{1}.submit(twice, 1).get();
       fmap::process_pool{1}.submit(fmap::fn<&twice>, 1).get();
     }},
    {"a forked child, with static pools that the parent goes on to use",
     [] {
       static fmap::thread_pool t{2};
       static fmap::process_pool p{2};
       const auto work = [] {
         return t.submit(twice, 1).get() + p.submit(fmap::fn<&twice>, 1).get() == 4;
       };
       bool well = work() && child_ends([] { std::exit(good); }) && work();
       well = well && child_ends([] {
                fmap::thread_pool fresh{1};
                ::_exit(fresh.submit(twice, 1).get() == 2 && refuses(t) && refuses(p) ? good : 1);
              });
       static fmap::future_map m{t, sleepy, std::views::iota(0)};
       m.begin();
       well = well && child_ends([] { std::exit(good); }) && work();
       std::exit(well ? good : 1);
     }},
    {"main, after an item has destroyed its own map",
     [] {
       fmap::thread_pool p{2};
       std::atomic<bool> begun{false}, destroyed{false};
       std::optional<fmap::future_map<int>> m;
       const auto set = [](std::atomic<bool>& x) {
         x = true;
         x.notify_all();
       };
       m.emplace(
           p,
           [&](int x) {
             if (x == 0) return x;
             begun.wait(false);
             m.reset();
             set(destroyed);
             return x;
           },
           std::vector<int>{0, 1}, 2);
       m->begin();
       set(begun);
       destroyed.wait(false);
       p.shutdown();
       ::_exit(good);
     }},
};

/// Runs one way in a process of its own; says whether it ended well.
bool ends_well(const char* self, std::size_t i) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::execl("/proc/self/exe", self, std::to_string(i).c_str(), nullptr);
    ::_exit(99);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == good) return true;
  std::fprintf(stderr, "%s: %s %d\n", ways[i].name,
               WIFSIGNALED(status) ? "ended by signal" : "ended with code",
               WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  fmap::init(argc, argv);
  if (argc == 2) {
    ::alarm(60);  // who hangs is ended
    ways[std::atoi(argv[1])].go();
    return wanted != 0 || works_late ? 0 : 9;
  }
  bool good_ends = true;
  for (std::size_t i = 0; i != std::size(ways); ++i) good_ends &= ends_well(argv[0], i);
  return good_ends ? 0 : 1;
}
