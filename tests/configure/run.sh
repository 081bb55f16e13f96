#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What cannot be configured is refused with a sentence, and what only lacks a library is left out with a line:
# run.sh [CMAKE-ARGUMENT...]
set -euo pipefail
root=$(realpath "$(dirname "$0")/../..")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

report() {  # TITLE WANTED, of what is in the log
  # cmake breaks long sentences into lines
  if tr -s ' \n' ' ' <"$work/log" | grep -qF -- "$2"; then
    echo "ok      $1"
  else
    echo "FAILED  $1: expected '$2'"
    cat "$work/log"
    failures=$((failures + 1))
  fi
}
refused() {  # TITLE SENTENCE COMMAND...
  local title=$1 sentence=$2
  shift 2
  if "$@" >"$work/log" 2>&1; then echo "it was not refused" >"$work/log"; fi
  report "$title" "$sentence"
}
taken() {  # TITLE SENTENCE COMMAND...
  local title=$1 sentence=$2
  shift 2
  "$@" >"$work/log" 2>&1 || echo "it was refused: $(cat "$work/log")" | tee "$work/log" >/dev/null
  report "$title" "$sentence"
}

mkdir "$work/source"
cp "$root/CMakeLists.txt" "$work/source"
refused "a build among the sources" "fmap is not built among its sources" cmake -S "$work/source" -B "$work/source"
refused "a shared library without CAF" "BUILD_SHARED_LIBS and FMAP_CORE_ONLY exclude each other" \
  cmake -S "$root" -B "$work/both" -DBUILD_SHARED_LIBS=ON -DFMAP_CORE_ONLY=ON

compiler() {  # ID VERSION FLAGS
  cmake -D CMAKE_CXX_COMPILER_ID="$1" -D CMAKE_CXX_COMPILER_VERSION="$2" -D CMAKE_CXX_FLAGS="$3" \
    -P "$root/cmake/FmapCompiler.cmake" && echo "taken"
}
refused "g++ 11" "fmap needs g++ 12 or newer" compiler GNU 11.4.0 ""
refused "clang++ 15" "fmap needs g++ 12 or newer, or clang++ 16 or newer; this is Clang 15.0.6" compiler Clang 15.0.6 ""
taken "g++ 12" "taken" compiler GNU 12.0.0 ""
taken "clang++ 16" "taken" compiler Clang 16.0.0 ""
taken "clang++ 15 with libc++" "taken" compiler Clang 15.0.7 "-O2 -stdlib=libc++"

# lacking ARGUMENT...: as where Catch2, cxxopts and nlohmann_json are not installed.
lacking() {
  cmake -S "$root" -B "$work/lacking" -DCMAKE_DISABLE_FIND_PACKAGE_{Catch2,cxxopts,nlohmann_json}=ON "$@"
}
taken "no Catch2" "Without tests: Catch2 was not found (Debian: apt install catch2)" lacking "$@"
report "no cxxopts" "Without the examples checksum, fetch and downloads: cxxopts was not found"
report "no nlohmann_json" "Without the command-line tool: nlohmann_json 3.9 was not found"
refused "no Catch2, but tests are asked for" "FMAP_BUILD_TESTS is on, but tests cannot be built: Catch2 was not found" \
  lacking -DFMAP_BUILD_TESTS=ON

# As Nix does: what is absolute stays so, and what is not is below the prefix.
absolute() {
  lacking -DFMAP_BUILD_TESTS=OFF -DCMAKE_INSTALL_PREFIX=/opt/fmap -DCMAKE_INSTALL_LIBDIR=/opt/other/lib "$@" >/dev/null &&
    cat "$work/lacking/fmap.pc"
}
taken "an absolute LIBDIR" "prefix=/opt/fmap libdir=/opt/other/lib includedir=\${prefix}/include" absolute "$@"

((failures == 0))
