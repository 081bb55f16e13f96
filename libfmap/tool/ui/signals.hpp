// SPDX-License-Identifier: BSD-3-Clause
// Which signals are handled, and how fmap dies of one.
#pragma once

#include <signal.h>

namespace fmap::tool {

/// Blocks the signals that fmap reads from a descriptor, in this thread and those that it will start, and returns
/// them; those that were ignored when fmap was started stay so. A closed pipe is an error of write() from here on.
sigset_t take_signals();

/// Dies of that signal, as if it had not been handled.
[[noreturn]] void die_of(int signal);

}  // namespace fmap::tool
