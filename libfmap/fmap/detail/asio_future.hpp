// SPDX-License-Identifier: BSD-3-Clause
// An Asio operation whose result is a fmap::future.
#pragma once

#include <exception>
#include <tuple>
#include <type_traits>
#include <utility>

#include <fmap/detail/asio.hpp>
#include <fmap/future.hpp>
#include <fmap/promise.hpp>

namespace fmap::detail {

/// Nothing, a value, or several as a tuple.
template <class... Values>
struct asio_value {
  using type = std::tuple<std::decay_t<Values>...>;
};
template <class Value>
struct asio_value<Value> {
  using type = std::decay_t<Value>;
};
template <>
struct asio_value<> {
  using type = void;
};

/// The handler of an operation without an error, whose arguments are the value. If it is destroyed without having been
/// called, the future gets `broken_promise`.
template <class... Values>
class asio_setter {
public:
  using value = typename asio_value<Values...>::type;

  template <class... Given>
  void operator()(Given&&... given) {
    if constexpr (sizeof...(Given) < 2)
      promise_.set_value(std::forward<Given>(given)...);
    else
      promise_.set_value(value(std::forward<Given>(given)...));
  }

  future<value> get_future() const { return promise_.get_future(); }

protected:
  promise<value> promise_;
};

/// The same where an error comes first.
template <class Error, class... Values>
class asio_error_setter : public asio_setter<Values...> {
public:
  template <class... Given>
  void operator()(const Error& error, Given&&... given) {
    if (!error)
      asio_setter<Values...>::operator()(std::forward<Given>(given)...);
    else if constexpr (std::is_same_v<Error, std::exception_ptr>)
      this->promise_.set_exception(error);
    else
      this->promise_.set_exception(asio_system_error{error});
  }
};

template <class... Args>
struct asio_handler {
  using type = asio_setter<Args...>;
};
template <class First, class... Rest>
  requires(
      std::is_same_v<std::decay_t<First>,
                     std::exception_ptr> || std::is_same_v<std::decay_t<First>, asio_error_code>)
struct asio_handler<First, Rest...> {
  using type = asio_error_setter<std::decay_t<First>, Rest...>;
};

template <class... Args>
struct asio_async_result {
  using handler = typename asio_handler<Args...>::type;
  using return_type = future<typename handler::value>;

  template <class Initiation, class Token, class... Given>
  static return_type initiate(Initiation&& initiation, Token&&, Given&&... given) {
    handler h;
    auto result = h.get_future();
    std::forward<Initiation>(initiation)(std::move(h), std::forward<Given>(given)...);
    return result;
  }
};

}  // namespace fmap::detail
