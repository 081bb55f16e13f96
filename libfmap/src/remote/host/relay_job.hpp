// SPDX-License-Identifier: BSD-3-Clause
// A run's job where nobody knows its types: items and outcomes are bytes.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include <fmap/detail/function_job.hpp>
#include <fmap/detail/remote_job.hpp>

namespace fmap::remote {

/// Passes items on to worker processes and keeps their outcomes as they come. A value is an outcome with its first
/// byte (see outcome_kind); an empty one says that the pool here is broken.
class relay_job final : public detail::typed_job<std::string, std::string>,
                        public detail::remote_job {
public:
  /// The name of the function's type, and what the function object carries.
  relay_job(std::string key, std::string state) : key_{std::move(key)}, state_{std::move(state)} {}

  std::string_view key() const override { return key_; }
  void save_function(wire::writer& w) const override { w.raw(std::string_view{state_}); }
  bool save_item(wire::writer&, detail::chunk&, std::uint32_t) override;
  void load_value(wire::reader&, detail::chunk&, std::uint32_t) override;
  void load_item(wire::reader&, detail::chunk&, std::uint32_t) override;
  void save_value(wire::writer&, detail::chunk&, std::uint32_t) override;
  bool relays() const override { return true; }

  /// Nobody executes items here.
  std::uint32_t apply(detail::chunk&, std::uint32_t i, detail::progress&, std::uint32_t) override {
    return i;
  }

  /// How an item ended becomes an outcome, too.
  void fail(detail::chunk&, std::uint32_t, const std::exception_ptr&) override;

private:
  void store(detail::chunk&, std::uint32_t, std::string outcome);

  const std::string key_, state_;
};

}  // namespace fmap::remote
