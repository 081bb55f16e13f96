// SPDX-License-Identifier: BSD-3-Clause
// What a reader makes of bytes that no writer wrote. FMAP_FUZZ_INPUTS says how many, FMAP_SEED which.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <deque>
#include <forward_list>
#include <list>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

#include <fmap/detail/exception_codec.hpp>
#include <fmap/wire.hpp>

#include "support/catch.hpp"
#include "support/seed.hpp"
#include "support/wire_types.hpp"

namespace {

namespace wire = fmap::wire;

// -- memory that is counted ------------------------------------------------------------------------

std::size_t allocated = 0;

template <class T>
struct counting {
  using value_type = T;
  counting() = default;
  template <class U>
  counting(const counting<U>&) {}  // NOLINT(google-explicit-constructor)
  T* allocate(std::size_t n) {
    allocated += n * sizeof(T);
    return std::allocator<T>{}.allocate(n);
  }
  void deallocate(T* p, std::size_t n) { std::allocator<T>{}.deallocate(p, n); }
  bool operator==(const counting&) const = default;
};

template <class T>
using vec = std::vector<T, counting<T>>;
using text = std::basic_string<char, std::char_traits<char>, counting<char>>;
template <class K, class V>
using dictionary = std::map<K, V, std::less<>, counting<std::pair<const K, V>>>;
struct text_hash {
  std::size_t operator()(const text& t) const { return std::hash<std::string_view>{}(t); }
};
template <class V>
using hashed =
    std::unordered_map<text, V, text_hash, std::equal_to<>, counting<std::pair<const text, V>>>;

/// Contains itself.
struct node {
  int value = 0;
  vec<node> children;
  std::unique_ptr<node> next;

  static void* operator new(std::size_t n) {
    allocated += n;
    return ::operator new(n);
  }
  static void operator delete(void* p) { ::operator delete(p); }
};
template <class Inspector>
bool inspect(Inspector& f, node& x) {
  return f.object(x).fields(f.field("value", x.value), f.field("children", x.children),
                            f.field("next", x.next));
}

// -- bytes -----------------------------------------------------------------------------------------

using testing::dice;

std::string noise(dice& random, std::size_t size) {
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random.below(256));
  return bytes;
}

/// A few changes to one of the seeds, or nothing but noise.
std::string mutant(dice& random, const std::vector<std::string>& seeds) {
  std::string bytes = seeds[random.below(seeds.size())];
  for (std::size_t changes = 1 + random.below(3); changes != 0; --changes) {
    const std::size_t at = random.below(bytes.size() + 1);
    const std::string& other = seeds[random.below(seeds.size())];
    switch (random.below(8)) {
      case 0: bytes.resize(at); break;
      case 1: bytes += noise(random, random.below(9)); break;
      case 2: bytes = noise(random, random.below(65)); break;
      case 3: bytes.replace(at, bytes.size(), other, random.below(other.size() + 1)); break;
      case 4: bytes.insert(at, random.below(10), '\xff').insert(at, 1, '\x7f'); break;
      case 5: bytes.erase(at, random.below(5)); break;
      default:
        if (at < bytes.size())
          bytes[at] = static_cast<char>(random.below(std::size_t{2} << random.below(8)));
    }
  }
  return bytes;
}

std::string hex(std::string_view bytes) {
  std::string s;
  for (const unsigned char c : bytes) {
    s += "0123456789abcdef"[c >> 4];
    s += "0123456789abcdef"[c & 15];
  }
  return s;
}

std::size_t number_of_inputs() {
  const char* given = std::getenv("FMAP_FUZZ_INPUTS");
  return given != nullptr ? std::stoull(given) : 1'000'000;
}

/// A share of all inputs, each in memory of just its size. `read` returns what is wrong, if anything.
template <class Read>
void feed(const std::vector<std::string>& seeds, Read read) {
  constexpr std::size_t shares = 17;
  const std::uint64_t seed = testing::seed();
  dice random{seed};
  for (std::size_t i = number_of_inputs() / shares + 1; i != 0; --i) {
    const std::string made = mutant(random, seeds);
    const auto bytes = std::make_unique<char[]>(made.size());
    made.copy(bytes.get(), made.size());
    const std::string_view in{bytes.get(), made.size()};
    const std::string wrong = read(in);
    if (!wrong.empty()) FAIL(testing::seed_message(seed) << ", " << hex(in) << ": " << wrong);
  }
}

/// Reads mutants of some Ts. Each byte of the input justifies `per_byte` bytes of memory: the size of an
/// element and its node in memory by the least size of its encoding.
template <class T>
void fuzz(std::size_t per_byte, const std::vector<T>& samples) {
  std::vector<std::string> seeds;
  for (const T& x : samples) seeds.push_back(wire::encode(x));
  std::size_t accepted = 0;
  feed(seeds, [&](std::string_view in) -> std::string {
    allocated = 0;
    T x{};
    wire::reader r{in};
    const bool good = r.apply(x) && r.expect_end();
    if (allocated > per_byte * in.size() + 1024)
      return std::to_string(allocated) + " bytes allocated";
    if (good != r.reason().empty()) return "a failure without a reason";
    if (!good) return {};
    ++accepted;
    const std::string again = wire::encode(x);
    return wire::encode(wire::decode<T>(again)).size() == again.size() ? "" : "not the same again";
  });
  CHECK(accepted > 0);
}

/// Some Ts, of which some cannot be copied.
template <class T, class... U>
std::vector<T> some(U&&... values) {
  std::vector<T> all;
  (all.push_back(std::forward<U>(values)), ...);
  return all;
}

}  // namespace

TEST_CASE("wire fuzz: numbers and texts") {
  fuzz<vec<std::int64_t>>(1, {{}, {1, 2, 3}, vec<std::int64_t>(40)});
  fuzz<text>(2, {"", "abc", text(300, 'x')});
  fuzz<vec<text>>(33, {{}, {"", "a", "bc"}, vec<text>(200)});
  fuzz<std::vector<bool, counting<bool>>>(
      8, {{}, {true, false}, std::vector<bool, counting<bool>>(100)});
  fuzz<std::tuple<bool, double, std::byte, std::array<short, 3>, std::chrono::nanoseconds>>(
      0, {{}, {true, 2.5, std::byte{1}, {1, 2, 3}, std::chrono::nanoseconds{5}}});
}

TEST_CASE("wire fuzz: containers") {
  fuzz<vec<vec<vec<char>>>>(49, {{}, {{{'a', 'b'}, {}}, {{'c'}}}, {{}, {}, {}, {{}}}});
  fuzz<dictionary<text, vec<double>>>(50, {{}, {{"a", {1, 2}}, {"b", {}}}});
  fuzz<hashed<std::optional<text>>>(100, {{}, {{"a", {}}, {"b", text(100, 'y')}}});
  fuzz<std::list<std::pair<text, int>, counting<std::pair<text, int>>>>(12,
                                                                        {{}, {{"a", 1}, {"", 2}}});
  fuzz<std::forward_list<text, counting<text>>>(42, {{}, {"a", "b"}});
  fuzz<std::deque<vec<char>, counting<vec<char>>>>(33, {{}, {{'a'}, {}, {'b', 'c'}}});
  fuzz<std::set<text, std::less<>, counting<text>>>(66, {{}, {"a", "b", "c"}});
  fuzz<std::variant<int, text, vec<std::optional<vec<int>>>>>(
      33, {{7}, {"abc"}, {vec<std::optional<vec<int>>>{{}, vec<int>{1}}}});
}

TEST_CASE("wire fuzz: objects with inspect") {
  fuzz<vec<testing::token>>(1, {{}, vec<testing::token>(100)});
  fuzz<vec<std::variant<testing::old_style, testing::percentage>>>(
      sizeof(std::variant<testing::old_style>) + 16,
      {{}, {testing::old_style{1, "a"}, testing::percentage{7}}});
  node tree;
  tree.children.resize(5);
  tree.children[3].children.resize(3);
  tree.next = std::make_unique<node>();
  tree.next->next = std::make_unique<node>();
  fuzz<node>(sizeof(node), some<node>(node{}, std::move(tree)));
}

TEST_CASE("wire fuzz: exceptions") {
  std::vector<std::string> seeds;
  for (const auto& e :
       {std::make_exception_ptr(std::system_error{7, std::system_category(), "x"}),
        std::make_exception_ptr(fmap::worker_lost{1, 2, {}}), std::make_exception_ptr(7),
        std::make_exception_ptr(std::bad_alloc{}), std::make_exception_ptr(std::range_error{"r"})})
    seeds.push_back(fmap::detail::encode_exception(e, "host", 1));
  feed(seeds, [](std::string_view in) -> std::string {
    wire::reader r{in};
    const auto e = fmap::detail::decode_exception(r);
    return (e != nullptr) == r.ok() ? "" : "neither an exception nor a failure";
  });
}
