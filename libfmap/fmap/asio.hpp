// SPDX-License-Identifier: BSD-3-Clause
// Futures and pools for programs that use Asio: Boost's, or the standalone one.
#pragma once

#include <utility>

#include <fmap/detail/asio.hpp>
#include <fmap/detail/asio_executor.hpp>
#include <fmap/detail/asio_future.hpp>
#include <fmap/detail/asio_get.hpp>
#include <fmap/errors.hpp>
#include <fmap/future.hpp>

/// Header-only, for Boost.Asio from 1.74 and standalone Asio from 1.22; the rest of fmap includes none of it. Boost's is
/// taken where there are both, unless FMAP_STANDALONE_ASIO is defined.
///
/// Besides what follows, `pool.executor()` is a thread_pool as an executor: see pool_executor.

namespace fmap {

/// Waits for a future as an operation of Asio's: with any completion token, of the signature
/// `void(std::exception_ptr, T)`, or `void(std::exception_ptr)` for `future<void>`.
///
///     auto v = co_await fmap::async_get(pool.submit(f, x), asio::use_awaitable);
///
/// The handler is always posted to its own executor, and holds work there meanwhile. Values are copied, or taken if they
/// cannot be copied. With Asio 1.19 (Boost 1.77) and newer a cancellation of the operation calls `cancel()` of the
/// future. If the executor's context is destroyed first, so is the handler, uncalled. Throws `invalid_state` if `f`
/// refers to no result.
template <class T, class Token>
auto async_get(future<T> f, Token&& token) {
  if (!f.valid()) detail::throw_no_state("future");
  return detail::asio::async_initiate<Token, typename detail::asio_get_signature<T>::type>(
      detail::asio_start_get{}, token, std::move(f));
}

struct use_future_t {};

/// A completion token: the operation gives a fmap::future, as `asio::co_spawn(io, fetch(url), fmap::use_future)` does.
/// Its error, if it has one, is the future's; several values are a tuple. An operation whose context is destroyed breaks
/// its promise. To cancel the future does not end the operation; its result is dropped then.
inline constexpr use_future_t use_future{};

}  // namespace fmap

#if defined(FMAP_STANDALONE_ASIO)
namespace asio {
#else
namespace boost::asio {
#endif

template <class R, class... Args>
class async_result<fmap::use_future_t, R(Args...)>
    : public fmap::detail::asio_async_result<Args...> {};

}  // namespace asio
