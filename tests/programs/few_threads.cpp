// SPDX-License-Identifier: BSD-3-Clause
// Pools of a user who may have few threads and processes: each use, at each limit, has to end by itself, with results
// or with an error of fmap's. Only root can run this as another user: for root there is no such limit.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <list>
#include <ranges>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <grp.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmap/fmap.hpp>
#include <fmap/process_pool.hpp>

using namespace std::chrono_literals;

/// AddressSanitizer's search for leaks needs a thread of its own, which is not to be had here. Its library sees only
/// what is exported.
extern "C" __attribute__((visibility("default"))) const char* __asan_default_options();
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }

namespace {

constexpr int good = 7, skipped = 77, too_slow = 30;  // seconds

int sleepy(int x) {
  std::this_thread::sleep_for(1ms);
  return x;
}

template <class Map>
int count(Map&& map) {
  int result = 0;
  for (auto&& v : map) result += (static_cast<void>(v), 1);
  return result;
}

struct use {
  const char* name;
  int wanted;
  int (*go)();  // how many results
};

const use uses[] = {
    {"tasks on threads", 100,
     [] {
       fmap::thread_pool pool{50};
       std::vector<fmap::future<int>> all;
       for (int i = 0; i != 100; ++i) all.push_back(pool.submit(sleepy, i));
       for (auto& f : all) f.get();
       return 100;
     }},
    {"a map over a list", 100,
     [] {
       fmap::thread_pool pool{50};
       return count(fmap::future_map(pool, sleepy, std::list<int>(100, 1), 60));
     }},
    {"maps inside of items", 10,
     [] {
       fmap::thread_pool pool{4};
       auto outer = [&](int) {
         return count(fmap::future_map(pool, sleepy, std::list<int>(10, 1), 5));
       };
       return count(fmap::future_map(pool, outer, std::views::iota(0, 10), 5));
     }},
    {"a map over processes", 100,
     [] {
       fmap::process_pool pool{50};
       return count(fmap::future_map(pool, fmap::fn<&sleepy>, std::views::iota(0, 100), 60));
     }},
    {"a map over processes with threads", 100,
     [] {
       fmap::process_pool pool{{.workers = 2, .threads_per_worker = 4}};
       return count(fmap::future_map(pool, fmap::fn<&sleepy>, std::views::iota(0, 100), 60));
     }},
    {"a function that returns futures", 10,
     [] {
       return count(fmap::future_map(
           [](int x) {
             fmap::promise<int> p;
             p.set_value(x);
             return p.get_future();
           },
           std::views::iota(0, 10)));
     }},
};

/// Ends with `good` if there were all results, or an error that says why there are none.
int run(const use& u) {
  ::alarm(too_slow);
  try {
    return u.go() == u.wanted ? good : 1;
  } catch (const fmap::broken_pool&) {
    return good;
  } catch (const std::system_error&) {
    return good;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s: %s\n", u.name, e.what());
    return 2;
  }
}

/// In a new process: becomes another user, one that nobody else is, with a limit.
[[noreturn]] void become(const char* use, rlim_t limit) {
  const auto user = static_cast<uid_t>(1'000'000 + ::getpid());
  const rlimit processes{limit, limit};
  if (::setgroups(0, nullptr) != 0 || ::setresgid(user, user, user) != 0
      || ::setrlimit(RLIMIT_NPROC, &processes) != 0 || ::setresuid(user, user, user) != 0)
    ::_exit(skipped);
  ::execl("/proc/self/exe", "few_threads", use, nullptr);
  ::_exit(skipped);
}

bool ends_well(std::size_t i, rlim_t limit, bool& could_try) {
  const pid_t child = ::fork();
  if (child == 0) become(std::to_string(i).c_str(), limit);
  int status = 0;
  ::waitpid(child, &status, 0);
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  if (code == skipped) could_try = false;
  if (code == good || code == skipped) return true;
  std::fprintf(stderr, "%s, at most %d threads and processes: ended with %d\n", uses[i].name,
               static_cast<int>(limit), code);
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  fmap::init(argc, argv);
  if (argc == 2) return run(uses[std::atoi(argv[1])]);
  bool well = true, could_try = ::geteuid() == 0;
  for (std::size_t i = 0; could_try && i != std::size(uses); ++i)
    for (const rlim_t limit : {1, 2, 3, 4, 5, 6, 7, 8, 10, 14, 20, 40})
      well &= ends_well(i, limit, could_try);
  if (could_try) return well ? 0 : 1;
  std::puts("skipped: only root can become another user, and that one must be able to run this");
  return skipped;
}
