// SPDX-License-Identifier: BSD-3-Clause
// The Asio that the program has: Boost's or the standalone one.
#pragma once

#include <utility>  // Boost 1.74 uses std::exchange without it

#if !defined(FMAP_STANDALONE_ASIO)                                                                 \
    && !__has_include(<boost/asio/post.hpp>) && __has_include(<asio/post.hpp>)
#  define FMAP_STANDALONE_ASIO 1
#endif

#if defined(FMAP_STANDALONE_ASIO)
#  include <asio/associated_allocator.hpp>
#  include <asio/associated_executor.hpp>
#  include <asio/async_result.hpp>
#  include <asio/execution.hpp>
#  include <asio/execution_context.hpp>
#  include <asio/executor_work_guard.hpp>
#  include <asio/post.hpp>
#  include <asio/query.hpp>
#  if __has_include(<asio/associated_cancellation_slot.hpp>)
#    include <asio/associated_cancellation_slot.hpp>
#    define FMAP_ASIO_CANCELS 1
#  endif
#  include <system_error>
#elif __has_include(<boost/asio/post.hpp>)
#  include <boost/asio/associated_allocator.hpp>
#  include <boost/asio/associated_executor.hpp>
#  include <boost/asio/async_result.hpp>
#  include <boost/asio/execution.hpp>
#  include <boost/asio/execution_context.hpp>
#  include <boost/asio/executor_work_guard.hpp>
#  include <boost/asio/post.hpp>
#  include <boost/asio/query.hpp>
#  if __has_include(<boost/asio/associated_cancellation_slot.hpp>)
#    include <boost/asio/associated_cancellation_slot.hpp>
#    define FMAP_ASIO_CANCELS 1
#  endif
#  include <boost/system/system_error.hpp>
#else
#  error                                                                                           \
      "fmap/asio.hpp needs Boost.Asio 1.74 or newer (libboost-dev) or standalone Asio 1.22 or newer (libasio-dev)"
#endif

namespace fmap::detail {

#if defined(FMAP_STANDALONE_ASIO)
namespace asio = ::asio;
using asio_error_code = std::error_code;
using asio_system_error = std::system_error;
#else
namespace asio = ::boost::asio;
using asio_error_code = boost::system::error_code;
using asio_system_error = boost::system::system_error;
#endif

}  // namespace fmap::detail
