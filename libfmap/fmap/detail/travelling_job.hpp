// SPDX-License-Identifier: BSD-3-Clause
// A map's job for worker processes.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include <fmap/detail/batch_job.hpp>
#include <fmap/detail/function_job.hpp>
#include <fmap/detail/registry.hpp>
#include <fmap/detail/remote_job.hpp>
#include <fmap/detail/travelling_function.hpp>
#include <fmap/detail/zip_input.hpp>

namespace fmap::detail {

/// How a job's function travels.
template <class Fn>
struct function_codec {
  static consteval bool check() { return require_function_travels<Fn>(); }
  static void save(wire::writer& w, const Fn& fn) { write_function(w, fn); }
  static Fn load(wire::reader& r) { return read_function<Fn>(r); }
};

template <class Fn>
struct function_codec<spread<Fn>> {
  static consteval bool check() { return require_function_travels<Fn>(); }
  static void save(wire::writer& w, const spread<Fn>& f) { write_function(w, f.fn); }
  static spread<Fn> load(wire::reader& r) { return {read_function<Fn>(r)}; }
};

template <class R, class F>
struct function_codec<batched<R, F>> {
  static consteval bool check() { return require_function_travels<F>(); }
  static void save(wire::writer& w, const batched<R, F>& f) { write_function(w, f.fn); }
  static batched<R, F> load(wire::reader& r) { return {read_function<F>(r)}; }
};

/// What makes the jobs of a kind in a worker process.
using job_factory = made_job (*)(wire::reader& function);

template <class Job>
inline const std::string_view job_key = registry<job_factory>::add(typeid(Job), &Job::make);

template <class In, class Fn>
class travelling_job final : public applying_job<In, Fn>, public remote_job {
public:
  using out = typename applying_job<In, Fn>::out;

  static_assert(function_codec<Fn>::check());
  static_assert(require_travels<In>());
  static_assert(require_travels<out>());

  explicit travelling_job(Fn fn) : applying_job<In, Fn>{fn}, fn_{std::move(fn)} {}

  std::string_view key() const override { return job_key<travelling_job>; }

  /// An item stays in its slot until its outcome arrives.
  void check_retries() const override {}

  /// For the registry: the job in the worker process.
  static made_job make(wire::reader& state) {
    auto work = std::make_shared<travelling_job>(function_codec<Fn>::load(state));
    return {work, work.get()};
  }

  void save_function(wire::writer& w) const override { function_codec<Fn>::save(w, fn_); }

  bool save_item(wire::writer& w, chunk& c, std::uint32_t i) override {
    return w.apply(*static_cast<const In*>(c.at(i))), true;
  }

  void load_value(wire::reader& r, chunk& c, std::uint32_t i) override {
    this->clear(c, i, i + 1);
    r.take_at<out>(c.value(i));
    c.state(i).store(slot_state::value, std::memory_order_release);
  }

  void load_item(wire::reader& r, chunk& c, std::uint32_t i) override {
    r.take_at<In>(c.at(i));
    c.state(i).store(slot_state::item, std::memory_order_release);
  }

  void save_value(wire::writer& w, chunk& c, std::uint32_t i) override {
    w.apply(*static_cast<const out*>(c.value(i)));
  }

private:
  const Fn fn_;
};

}  // namespace fmap::detail
