// SPDX-License-Identifier: BSD-3-Clause
// A run that is killed again and again, and goes on with its journal. Each life appends what it executes and what its
// consumer gets to files; in the end no item is missing, and few were executed or handed out more than once.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>
#include <ranges>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmap/fmap.hpp>
#include <fmap/journal.hpp>
#include <fmap/process_pool.hpp>

using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t bound = 64;

/// Appends numbers to a file.
class notes {
public:
  explicit notes(const std::string& path)
      : fd_{::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600)} {}
  void add(std::uint64_t what) const {
    if (::write(fd_, &what, sizeof what) != sizeof what) std::abort();
  }

private:
  int fd_;
};

/// Takes a while, so that lives end in the middle of it.
struct work {
  std::string path;
  std::uint64_t operator()(std::uint64_t x) const {
    static const notes executed{path};
    executed.add(x);
    const auto end = std::chrono::steady_clock::now() + 60us;
    while (std::chrono::steady_clock::now() < end) {}
    return 3 * x;
  }
};
template <class Inspector>
auto inspect(Inspector& f, work& x) {
  return f(x.path);
}

/// One life. Returns 0 at the end of the input.
template <class Pool>
int live(Pool pool, const std::string& where, std::uint64_t items, bool ordered) {
  const notes taken{where + "/taken"};
  fmap::journal done{where + "/journal"};
  for (auto& o : fmap::future_map{pool,
                                  work{where + "/executed"},
                                  std::views::iota(std::uint64_t{0}, items),
                                  {.buffersize = bound, .ordered = ordered, .journal = &done}}
                     .outcomes()) {
    if (o.value() != 3 * o.index()) return 3;
    taken.add(o.index());
  }
  return 0;
}

std::vector<std::uint64_t> read_all(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  std::vector<std::uint64_t> result;
  for (std::uint64_t x; in.read(reinterpret_cast<char*>(&x), sizeof x);) result.push_back(x);
  return result;
}

/// Where the files of all lives are.
struct room {
  room() {
    if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error{"cannot make " + path};
  }
  ~room() { std::filesystem::remove_all(path); }
  std::string path = (std::filesystem::temp_directory_path() / "fmap-journal-XXXXXX").string();
};

/// Kills so many lives after up to so many milliseconds, and lets the last one end. Whether all was right.
bool survives(const std::string& workers, std::uint64_t items, int kills, std::uint32_t longest) {
  const room here;
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  std::mt19937 random{std::random_device{}()};
  int killed = 0;
  for (bool over = false; !over;) {
    const pid_t child = ::fork();
    if (child == 0) {
      const char* order = killed % 2 == 0 ? "unordered" : "ordered";
      ::execl(self.c_str(), self.c_str(), workers.c_str(), std::to_string(items).c_str(),
              here.path.c_str(), order, nullptr);
      ::_exit(9);
    }
    if (killed != kills) {
      std::this_thread::sleep_for(std::chrono::microseconds{random() % (longest * 1000)});
      ::kill(child, SIGKILL);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) ++killed;
    over = WIFEXITED(status);
    if (over && WEXITSTATUS(status) != 0) {
      std::cerr << "a life ended with " << WEXITSTATUS(status) << "\n";
      return false;
    }
  }
  const auto executed = read_all(here.path + "/executed"), taken = read_all(here.path + "/taken");
  std::vector<int> times(items);
  for (const std::uint64_t i : taken) ++times.at(i);
  const auto missing = std::count(times.begin(), times.end(), 0);
  const auto lives = static_cast<std::uint64_t>(killed);
  std::cout << workers << ": " << items << " items, " << killed << " kills, " << executed.size()
            << " executions, " << taken.size() << " results, " << missing << " missing"
            << std::endl;
  return missing == 0 && executed.size() <= items + lives * bound && taken.size() <= items + lives;
}

}  // namespace

/// With arguments it is one life: the workers, the items, where its files are, the order.
int main(int argc, char** argv) {
  fmap::init(argc, argv);
  if (argc == 5) {
    const std::uint64_t items = std::strtoull(argv[2], nullptr, 10);
    const bool ordered = std::string_view{argv[4]} == "ordered";
    return std::string_view{argv[1]} == "threads"
               ? live(fmap::thread_pool{2}, argv[3], items, ordered)
               : live(fmap::process_pool{2}, argv[3], items, ordered);
  }
  const int kills = argc == 2 ? std::atoi(argv[1]) : 60;
  const bool threads = survives("threads", 100'000, kills, 40);
  const bool processes = survives("processes", 100'000, kills / 3, 300);
  return threads && processes ? 0 : 1;
}
