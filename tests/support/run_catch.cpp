// SPDX-License-Identifier: BSD-3-Clause
// The one file that compiles the implementation of Catch2 2.13.
#include "support/run_catch.hpp"

#if !__has_include(<catch2/catch_all.hpp>)
#  define CATCH_CONFIG_RUNNER
#endif
#include "support/catch.hpp"

int run_catch(int argc, char** argv) { return Catch::Session().run(argc, argv); }
