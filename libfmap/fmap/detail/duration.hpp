// SPDX-License-Identifier: BSD-3-Clause
// Durations, time points and clocks without calendars, time zones and text, which take longer to compile.
#pragma once

#if __has_include(<bits/chrono.h>)  // libstdc++ 11 and newer
#  include <bits/chrono.h>
#else
#  include <chrono>
#endif
