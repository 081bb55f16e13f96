// SPDX-License-Identifier: BSD-3-Clause
// Everything of fmap that needs no CAF header.
#pragma once

#include <fmap/errors.hpp>
#include <fmap/executor.hpp>
#include <fmap/future.hpp>
#include <fmap/future_map.hpp>
#include <fmap/init.hpp>
#include <fmap/on_batches.hpp>
#include <fmap/options.hpp>
#include <fmap/outcome.hpp>
#include <fmap/promise.hpp>
#include <fmap/thread_pool.hpp>
#include <fmap/wait.hpp>
#include <fmap/with_state.hpp>
