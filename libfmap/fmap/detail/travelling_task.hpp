// SPDX-License-Identifier: BSD-3-Clause
// Tasks for worker processes.
#pragma once

#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <fmap/detail/api.hpp>
#include <fmap/detail/task.hpp>
#include <fmap/detail/travelling_job.hpp>

namespace fmap::detail {

/// A task that is executed elsewhere.
class remote_task : public task {
public:
  /// Appends the call; from now on it counts as started. False: it was cancelled.
  virtual bool save(wire::writer&) = 0;

  /// Completes the future with the value read; throws, and does not, if that cannot be read.
  virtual void load(wire::reader&) = 0;

  /// There is no executing it here.
  void run() noexcept final {}

protected:
  ~remote_task() = default;
};

/// The call of a remote task as the worker process sees it.
class remote_call {
public:
  virtual ~remote_call() = default;
  /// Calls the function and appends its result; throws what the function throws.
  virtual void invoke(wire::writer&) = 0;
};

/// Reads a call; throws wire::error if it is malformed.
using call_factory = std::unique_ptr<remote_call> (*)(wire::reader&);

template <class Call>
inline const std::string_view call_key = registry<call_factory>::add(typeid(Call), &Call::make);

template <class R, class Fn, class... Args>
class typed_call final : public remote_call {
public:
  explicit typed_call(wire::reader& r)
      : fn_(function_codec<Fn>::load(r)), args_(r.take_new<std::tuple<Args...>>()) {}

  static std::unique_ptr<remote_call> make(wire::reader& r) {
    return std::make_unique<typed_call>(r);
  }

  void invoke(wire::writer& w) override {
    if constexpr (std::is_void_v<R>) {
      std::apply(std::move(fn_), std::move(*args_));
    } else {
      // Not on the stack, for which it may be too large.
      const std::unique_ptr<R> result{new R(std::apply(std::move(fn_), std::move(*args_)))};
      w.apply(*result);
      w.throw_if_failed();
    }
  }

private:
  Fn fn_;
  std::unique_ptr<std::tuple<Args...>> args_;
};

template <class R, class Fn, class... Args>
class travelling_task final : public remote_task, public future_state<R> {
  using call = typed_call<R, Fn, Args...>;

public:
  static_assert(function_codec<Fn>::check());
  static_assert((require_travels<Args>() && ...));
  static_assert(require_travels<stored<R>>());

  template <class F, class... A>
  explicit travelling_task(F&& fn, A&&... args)
      : fn_{std::forward<F>(fn)}, args_{std::forward<A>(args)...} {}

  bool save(wire::writer& w) override {
    if (!started_ && !(started_ = this->try_start())) return false;
    w.apply(std::string{call_key<call>});
    function_codec<Fn>::save(w, fn_);
    w.apply(args_);
    return true;
  }

  void load(wire::reader& r) override {
    if constexpr (std::is_void_v<R>) {
      this->emplace();
    } else {
      r.template take_at<R>(this->place());
      this->finish(future_state_base::status::value);
    }
  }

  void refuse(const std::exception_ptr& error) noexcept override {
    if (started_ || this->try_start()) this->fail(error);
  }

  /// One that was handed to a worker process counts as started, and does not wait for another one.
  void cancel() noexcept override {
    if (!started_)
      future_state_base::cancel();
    else
      this->fail(std::make_exception_ptr(
          cancelled_error{"fmap: the task was cancelled after its worker process had died"}));
  }
  void release() noexcept override { future_state_base::release(); }

private:
  const Fn fn_;
  const std::tuple<Args...> args_;
  bool started_ = false;
};

/// The tasks of a process pool, in the process that submits them.
class remote_task_job final : public typed_job<task_ptr, std::monostate>, public remote_job {
public:
  remote_task_job() { delivers = true; }

  static constexpr std::string_view name = "fmap tasks";
  std::string_view key() const override { return name; }
  void save_function(wire::writer&) const override {}

  std::uint32_t apply(chunk&, std::uint32_t i, progress&, std::uint32_t) override { return i; }

  bool save_item(wire::writer& w, chunk& c, std::uint32_t i) override {
    if (at(c, i).save(w)) return true;
    clear(c, i, i + 1);
    return false;
  }

  void load_value(wire::reader& r, chunk& c, std::uint32_t i) override {
    wire::reader value{r.view()};
    at(c, i).load(value);
    clear(c, i, i + 1);
  }

  void fail(chunk& c, std::uint32_t i, const std::exception_ptr& error) override {
    if (error)
      at(c, i).refuse(error_of_task(error));
    else
      at(c, i).cancel();
    clear(c, i, i + 1);
  }

  void load_item(wire::reader&, chunk&, std::uint32_t) override {}
  void save_value(wire::writer&, chunk&, std::uint32_t) override {}

private:
  static remote_task& at(chunk& c, std::uint32_t i) {
    return static_cast<remote_task&>(**static_cast<task_ptr*>(c.at(i)));
  }
};

/// The same in a worker process: results are bytes.
FMAP_API made_job make_call_job(wire::reader&);

}  // namespace fmap::detail
