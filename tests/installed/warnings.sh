#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Users may have any warnings on and take fmap's headers for their own; each header compiles alone:
# warnings.sh PREFIX COMPILER...
set -euo pipefail
prefix=$(realpath "${1:?usage: warnings.sh PREFIX COMPILER...}")
shift
cd "$(dirname "$0")"

for compiler in "$@"; do
  check() {
    "$compiler" -fsyntax-only -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wold-style-cast -Wsign-conversion -Werror \
      -I "$prefix/include" "$@"
  }
  for header in "$prefix"/include/fmap/*.hpp; do
    case ${header##*/} in
      flow.hpp) ;;   # for CAF 1.1
      asio.hpp)   # where there is one of Boost's
        check -std=c++20 -x c++ - <<<'
          #if __has_include(<boost/asio.hpp>)
          #include <boost/asio.hpp>
          #include <fmap/asio.hpp>
          #endif' ;;
      *) check -std=c++20 -x c++ - <<<"#include <fmap/${header##*/}>" ;;
    esac
  done
  for standard in c++20 c++2b; do
    for file in program nodes version plugin; do check -std=$standard "$file.cpp"; done
  done
  echo "ok      no warning of $("$compiler" --version | head -n 1)"
done
