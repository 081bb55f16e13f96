// SPDX-License-Identifier: BSD-3-Clause
// Calls that are made by the name of their function's type, as in a worker process.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>

#include <fmap/detail/registry.hpp>
#include <fmap/detail/travelling_function.hpp>

namespace testing {

struct call {
  virtual ~call() = default;
  virtual std::string_view key() const = 0;
  virtual int apply(int) const = 0;
};
using make_call = std::unique_ptr<call> (*)(fmap::wire::reader&);

template <class F>
struct typed_call final : call {
  explicit typed_call(F f) : f{std::move(f)} {}

  static std::unique_ptr<call> make(fmap::wire::reader& in) {
    return std::make_unique<typed_call>(fmap::detail::read_function<F>(in));
  }
  std::string_view key() const override { return key_; }
  int apply(int x) const override { return std::invoke(f, x); }

  F f;

private:
  static inline const std::string_view key_ =
      fmap::detail::registry<make_call>::add(typeid(typed_call), &make);
};

/// What arrives at the other side when f is sent.
template <class F>
std::unique_ptr<call> send(const F& f) {
  std::string state;
  fmap::wire::writer out{state};
  fmap::detail::write_function(out, f);
  fmap::wire::reader in{state};
  const auto make = fmap::detail::registry<make_call>::find(typed_call<F>{f}.key());
  return make != nullptr ? make(in) : nullptr;
}

/// In each file that includes this a lambda of its own, with the same name in all of them.
static inline auto local_lambda() {  // NOLINT(misc-definitions-in-headers)
  return [](int x) { return x + FMAP_TEST_FILE_NUMBER; };
}

}  // namespace testing
