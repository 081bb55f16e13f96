// SPDX-License-Identifier: BSD-3-Clause
// Exceptions as bytes.

#include <any>
#include <array>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <future>
#include <ios>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <variant>
#include <vector>

#include <cxxabi.h>

#include <fmap/detail/demangle.hpp>
#include <fmap/detail/exception_codec.hpp>
#include <fmap/remote_error.hpp>
#include <fmap/retry.hpp>

namespace fmap::detail {

namespace {

// -- what is told of an exception ------------------------------------------------------------------

enum class category : std::uint8_t { generic, system, iostream, future, other };

struct coded {
  category where{};
  int value = 0;
  std::string path1{}, path2{};  // of a filesystem_error
};
template <class Inspector>
auto inspect(Inspector& f, coded& x) {
  return f(x.where, x.value, x.path1, x.path2);
}

/// A longer text is cut off; so the whole of an exception takes less than the 4 GiB that an outcome may.
constexpr std::size_t longest_text = 128u << 20;

/// Causes of causes beyond this are not told.
constexpr std::uint8_t deepest = 16;

struct about_item {
  std::uint64_t index = 0;
  std::uint32_t attempts = 0;
  worker_death death{};
};
template <class Inspector>
auto inspect(Inspector& f, about_item& x) {
  worker_death& d = x.death;
  return f(x.index, x.attempts, d.signal, d.exit_code, d.host, d.pid, d.reason);
}

struct portrait {
  std::uint8_t known_as = 0;  // place in the table below
  std::string what{}, type_name{}, host{};
  int pid = 0;
  std::variant<std::monostate, coded, about_item, std::string> more{};
};
template <class Inspector>
auto inspect(Inspector& f, portrait& x) {
  return f(x.known_as, x.what, x.type_name, x.host, x.pid, x.more);
}

remote_origin origin_of(const portrait& p) { return {p.type_name, p.host, p.pid}; }

// -- error codes -----------------------------------------------------------------------------------

/// Of codes whose category only the other process knows.
class foreign_category final : public std::error_category {
public:
  const char* name() const noexcept override { return "another process"; }
  std::string message(int) const override { return "an error of a category not known here"; }
};

const std::error_category& to_category(category c) {
  static const auto& foreign = *new foreign_category;  // never destroyed: error codes refer to it
  switch (c) {
    case category::generic: return std::generic_category();
    case category::system: return std::system_category();
    case category::iostream: return std::iostream_category();
    case category::future: return std::future_category();
    case category::other: break;
  }
  return foreign;
}

coded to_coded(const std::error_code& code) {
  for (const category c :
       {category::generic, category::system, category::iostream, category::future})
    if (code.category() == to_category(c)) return {c, code.value()};
  return {category::other, code.value()};
}

std::error_code to_code(const coded& c) { return {c.value, to_category(c.where)}; }

// -- the types that are known on both sides --------------------------------------------------------

/// The part of a portrait that E needs; one in its initial state if a peer left it out.
template <class T>
T part(const portrait& p) {
  const T* found = std::get_if<T>(&p.more);
  return found != nullptr ? *found : T{};
}

template <class E>
E rebuild(const portrait& p) {
  if constexpr (std::is_same_v<E, std::filesystem::filesystem_error>) {
    const auto c = part<coded>(p);
    return {p.what, c.path1, c.path2, to_code(c)};
  } else if constexpr (std::is_same_v<E, std::ios_base::failure>) {
    return E{p.what, to_code(part<coded>(p))};
  } else if constexpr (std::is_same_v<E, std::system_error>) {
    return {to_code(part<coded>(p)), p.what};
  } else if constexpr (std::is_same_v<E, std::future_error>) {
    return E{static_cast<std::future_errc>(part<coded>(p).value)};
  } else if constexpr (std::is_same_v<E, worker_lost>) {
    auto item = part<about_item>(p);
    return {item.index, item.attempts, std::move(item.death)};
  } else if constexpr (std::is_same_v<E, item_timeout>) {
    return {part<about_item>(p).index, std::chrono::nanoseconds{}};
  } else if constexpr (std::is_same_v<E, broken_pool>) {
    return E{std::make_exception_ptr(remote_error{part<std::string>(p), origin_of(p)})};
  } else if constexpr (std::is_constructible_v<E, const std::string&>) {
    return E{p.what};
  } else {
    return E{};
  }
}

/// An E with the original's text, and the knowledge of where that was thrown.
template <class E>
class carried : public E, public remote_origin {
public:
  explicit carried(const portrait& p)
      : E{rebuild<E>(p)}, remote_origin{origin_of(p)}, what_{std::make_shared<const std::string>(
                                                           p.what)} {}

  const char* what() const noexcept override { return what_->c_str(); }

private:
  std::shared_ptr<const std::string> what_;
};

template <>
class carried<remote_error> : public remote_error {
public:
  explicit carried(const portrait& p) : remote_error{p.what, origin_of(p)} {}
};

/// One that was thrown because of another one, as std::throw_with_nested() does it. The other one is the exception
/// that is being handled while this is made.
template <class E>
class with_cause final : public carried<E>, public std::nested_exception {
  using carried<E>::carried;
};

template <class E>
std::exception_ptr make(const portrait& p, const std::exception_ptr& cause) {
  if (!cause) return std::make_exception_ptr(carried<E>{p});
  try {
    std::rethrow_exception(cause);
  } catch (...) {
    return std::make_exception_ptr(with_cause<E>{p});
  }
}

struct known_type {
  bool (*is)(const std::exception&);
  std::exception_ptr (*make)(const portrait&, const std::exception_ptr& cause);
};

template <class E>
constexpr known_type row() {
  return {[](const std::exception& e) { return dynamic_cast<const E*>(&e) != nullptr; }, make<E>};
}

/// Derived types before their bases. The first, which is no type, is whatever is none of the others.
constexpr std::array known_types{
    known_type{[](const std::exception&) { return false; }, make<remote_error>},
    // fmap's
    row<timeout_error>(), row<cancelled_error>(), row<pool_shutdown>(), row<would_deadlock>(),
    row<invalid_state>(), row<broken_promise>(), row<broken_pool>(), row<worker_lost>(),
    row<item_timeout>(), row<not_delivered>(), row<transient>(), row<wire::error>(),
    known_type{[](const std::exception& e) { return dynamic_cast<const error*>(&e) != nullptr; },
               make<remote_error>},
    // std::logic_error and what derives from it
    row<std::invalid_argument>(), row<std::domain_error>(), row<std::length_error>(),
    row<std::out_of_range>(), row<std::future_error>(), row<std::logic_error>(),
    // std::runtime_error and what derives from it
    row<std::filesystem::filesystem_error>(), row<std::ios_base::failure>(),
    row<std::system_error>(), row<std::range_error>(), row<std::overflow_error>(),
    row<std::underflow_error>(), row<std::runtime_error>(),
    // the others
    row<std::bad_array_new_length>(), row<std::bad_alloc>(), row<std::bad_any_cast>(),
    row<std::bad_cast>(), row<std::bad_typeid>(), row<std::bad_function_call>(),
    row<std::bad_optional_access>(), row<std::bad_variant_access>(), row<std::bad_weak_ptr>(),
    row<std::bad_exception>()};

std::string shortened(std::string_view text) {
  return text.size() <= longest_text ? std::string{text}
                                     : std::string{text.substr(0, longest_text)} + " ...";
}

void add_details(portrait& p, const std::exception& e) {
  if (const auto* files = dynamic_cast<const std::filesystem::filesystem_error*>(&e)) {
    auto& c = p.more.emplace<coded>(to_coded(files->code()));
    c.path1 = files->path1().native();
    c.path2 = files->path2().native();
  } else if (const auto* system = dynamic_cast<const std::system_error*>(&e)) {
    p.more = to_coded(system->code());
  } else if (const auto* future = dynamic_cast<const std::future_error*>(&e)) {
    p.more = to_coded(future->code());
  } else if (const auto* lost = dynamic_cast<const worker_lost*>(&e)) {
    p.more = about_item{lost->index(), lost->attempts(), lost->death()};
  } else if (const auto* late = dynamic_cast<const item_timeout*>(&e)) {
    p.more = about_item{late->index()};
  } else if (const auto* broken = dynamic_cast<const broken_pool*>(&e)) {
    p.more = shortened(describe(broken->cause()));
  }
}

portrait portray(const std::exception_ptr& thrown, std::string_view host, int pid) {
  portrait p{.host = std::string{host}, .pid = pid};
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& e) {
    for (std::uint8_t i = 0; i != known_types.size() && p.known_as == 0; ++i)
      if (known_types[i].is(e)) p.known_as = i;
    p.what = shortened(what_of(e));
    add_details(p, e);
    if (const auto* origin = dynamic_cast<const remote_origin*>(&e)) {
      p.type_name = origin->type_name();
      p.host = origin->host();
      p.pid = origin->pid();
    } else {
      p.type_name = type_name(typeid(e));
    }
  } catch (...) {
    const std::type_info* type = abi::__cxa_current_exception_type();
    p.type_name = type != nullptr ? type_name(*type) : "unknown";
    p.what = "an exception that is not a std::exception, but " + p.type_name;
  }
  return p;
}

/// What it was thrown because of, if that is known.
std::exception_ptr cause_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::nested_exception& e) {
    return e.nested_ptr();
  } catch (...) {
    return nullptr;
  }
}

/// Portraits of an exception, of its cause, and so on.
using chain = std::vector<portrait>;

chain portray_all(std::exception_ptr thrown, std::string_view host, int pid) {
  chain result;
  for (; thrown && result.size() != deepest; thrown = cause_of(thrown))
    result.push_back(portray(thrown, host, pid));
  if (result.empty())
    result.push_back({.what = "no exception", .host = std::string{host}, .pid = pid});
  return result;
}

bool read(wire::reader& r, chain& all) {
  std::uint8_t n = 0;
  if (!r.apply(n)) return false;
  if (n == 0 || n > deepest) return r.refuse("the causes of an exception"), false;
  for (all.resize(n); portrait & p : all) {
    if (!r.apply(p)) return false;
    if (p.known_as >= known_types.size()) return r.refuse("the list of exceptions"), false;
  }
  return true;
}

}  // namespace

std::string encode_exception(const std::exception_ptr& thrown, std::string_view host,
                             int pid) noexcept try {
  std::string result;
  wire::writer w{result};
  const chain all = portray_all(thrown, host, pid);
  w.apply(static_cast<std::uint8_t>(all.size()));
  for (const portrait& p : all) w.apply(p);
  w.throw_if_failed();
  return result;
} catch (...) {
  return {};
}

std::exception_ptr decode_exception(wire::reader& r) noexcept try {
  if (r.ok() && r.left() == 0) {
    const portrait p{.what = "an exception that there was no memory to describe"};
    return make<remote_error>(p, nullptr);
  }
  chain all;
  if (!read(r, all)) return nullptr;
  std::exception_ptr result;
  for (auto p = all.rbegin(); p != all.rend(); ++p)
    result = known_types[p->known_as].make(*p, result);
  return result;
} catch (...) {
  return std::current_exception();
}

}  // namespace fmap::detail
