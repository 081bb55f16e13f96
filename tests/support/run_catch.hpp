// SPDX-License-Identifier: BSD-3-Clause
// A Catch2 session as a plain function.
#pragma once

/// Runs the test cases that the command line asks for; returns the exit code.
int run_catch(int argc, char** argv);
