// SPDX-License-Identifier: BSD-3-Clause
// An Asio operation that waits for a future.
#pragma once

#include <concepts>
#include <condition_variable>
#include <exception>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

#include <fmap/detail/asio.hpp>
#include <fmap/future.hpp>

namespace fmap::detail {

class asio_operations;

/// An operation in the list of its context.
class asio_operation {
public:
  asio_operation() = default;
  asio_operation(const asio_operation&) = delete;
  asio_operation& operator=(const asio_operation&) = delete;
  virtual ~asio_operation() = default;

  /// Destroys the handler: it will not be called.
  virtual void drop() noexcept = 0;

private:
  friend asio_operations;
  std::list<std::shared_ptr<asio_operation>>::iterator place_;
  bool waits_ = false;
};

/// The operations that wait for futures, of one context. The context owns their handlers: when it is destroyed it drops
/// them, though the futures may complete at that very moment.
class asio_operations {
public:
  void add(std::shared_ptr<asio_operation> op) {
    {
      std::lock_guard guard{mutex_};
      if (!closed_) {
        asio_operation& added = *waiting_.emplace_back(std::move(op));
        added.place_ = std::prev(waiting_.end());
        added.waits_ = true;
        return;
      }
    }
    op->drop();
  }

  /// Calls `post`, which uses the context, unless that is gone.
  template <class Post>
  void complete(asio_operation& op, Post post) {
    {
      std::lock_guard guard{mutex_};
      if (!std::exchange(op.waits_, false)) return;
      waiting_.erase(op.place_);
      ++posting_;
    }
    const posted here{*this};
    post();
  }

  /// Called when the context is about to be destroyed.
  void close() noexcept {
    std::list<std::shared_ptr<asio_operation>> dropped;
    {
      std::unique_lock lock{mutex_};
      closed_ = true;
      dropped.swap(waiting_);
      for (const auto& op : dropped) op->waits_ = false;
      idle_.wait(lock, [this] { return posting_ == 0; });
    }
    for (const auto& op : dropped) op->drop();
  }

private:
  struct posted {
    asio_operations& all;
    ~posted() {
      std::lock_guard guard{all.mutex_};
      if (--all.posting_ == 0) all.idle_.notify_all();
    }
  };

  std::mutex mutex_;
  std::condition_variable idle_;
  std::list<std::shared_ptr<asio_operation>> waiting_;
  int posting_ = 0;
  bool closed_ = false;
};

class asio_service final : public asio::execution_context::service {
public:
  static inline asio::execution_context::id id;

  explicit asio_service(asio::execution_context& context)
      : asio::execution_context::service(context) {}

  /// Outlives the service: futures refer to it.
  const std::shared_ptr<asio_operations>& all() const noexcept { return all_; }

private:
  void shutdown() noexcept override { all_->close(); }

  const std::shared_ptr<asio_operations> all_ = std::make_shared<asio_operations>();
};

template <class Executor>
asio::execution_context& context_of(const Executor& executor) {
  if constexpr (asio::execution::is_executor<Executor>::value)
    return asio::query(executor, asio::execution::context);
  else
    return executor.context();
}

/// What a handler is called with.
template <class T>
struct asio_result {
  static_assert(std::default_initializable<T>,
                "fmap: async_get() hands an error over beside a value: the future's type needs a "
                "default constructor");
  std::exception_ptr error{};
  T value{};

  void read(const future<T>& done) {
    if constexpr (std::copy_constructible<T>)
      value = T(done.get());
    else
      value = done.take();
  }
  template <class Handler>
  void give(Handler& handler) {
    std::move(handler)(std::move(error), std::move(value));
  }
};
template <>
struct asio_result<void> {
  std::exception_ptr error{};

  void read(const future<void>& done) { done.get(); }
  template <class Handler>
  void give(Handler& handler) {
    std::move(handler)(std::move(error));
  }
};

/// What is posted to a handler's executor.
template <class T, class Handler>
struct asio_completion {
  using allocator_type = typename asio::associated_allocator<Handler>::type;

  Handler handler;
  asio_result<T> result;

  allocator_type get_allocator() const noexcept { return asio::get_associated_allocator(handler); }

  void operator()() {
#if defined(FMAP_ASIO_CANCELS)
    if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected())
      slot.clear();
#endif
    result.give(handler);
  }
};

template <class T, class Handler>
class asio_get final : public asio_operation {
  using executor = typename asio::associated_executor<Handler>::type;

public:
  asio_get(Handler&& handler, const executor& where, std::shared_ptr<asio_operations> all)
      : all_{std::move(all)}, where_{where}, work_{std::in_place, where}, handler_{
                                                                              std::move(handler)} {}

  void complete(const future<T>& done) {
    asio_result<T> result;
    try {
      result.read(done);
    } catch (...) {
      result.error = std::current_exception();
    }
    all_->complete(*this, [&] {
      const dropped_at_last here{*this};
      asio::post(*where_, asio_completion<T, Handler>{std::move(*handler_), std::move(result)});
    });
  }

  void drop() noexcept override {
    handler_.reset();
    work_.reset();
    where_.reset();
  }

private:
  /// Also when there was no memory, or the executor takes nothing any more: what is left uses the context.
  struct dropped_at_last {
    asio_get& op;
    ~dropped_at_last() { op.drop(); }
  };

  const std::shared_ptr<asio_operations> all_;
  std::optional<executor> where_;
  std::optional<asio::executor_work_guard<executor>> work_;
  std::optional<Handler> handler_;
};

struct asio_start_get {
  template <class Handler, class T>
  void operator()(Handler&& handler, future<T> f) const {
    using kept = std::decay_t<Handler>;
    const auto where = asio::get_associated_executor(handler);
    const auto all = asio::use_service<asio_service>(context_of(where)).all();
#if defined(FMAP_ASIO_CANCELS)
    if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected())
      slot.assign([f](asio::cancellation_type_t) { f.cancel(); });
#endif
    const auto op =
        std::make_shared<asio_get<T, kept>>(kept(std::forward<Handler>(handler)), where, all);
    all->add(op);
    f.add_done_callback([op](const future<T>& done) { op->complete(done); });
  }
};

template <class T>
struct asio_get_signature {
  using type = void(std::exception_ptr, T);
};
template <>
struct asio_get_signature<void> {
  using type = void(std::exception_ptr);
};

}  // namespace fmap::detail
