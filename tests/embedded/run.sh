#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A user's project that fetches fmap's sources gets a target, and nothing else:
# run.sh [--build] [CMAKE-ARGUMENT...]      --build: builds and runs its program, too
set -euo pipefail
here=$(realpath "$(dirname "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
build=0
[[ ${1-} != --build ]] || { build=1; shift; }

cmake -S "$here" -B "$work/build" -DFETCHCONTENT_SOURCE_DIR_FMAP="$here/../.." "$@" >"$work/log" 2>&1 ||
  { cat "$work/log"; exit 1; }
if ((build)); then
  cmake --build "$work/build" --target app --parallel "$(nproc)"
  "$work/build/app/app"
  echo "ok      built and run inside another project"
fi

cmake --install "$work/build" --prefix "$work/prefix" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
installed=$(cd "$work/prefix" && find . ! -type d)
[[ $installed == ./share/app/app.cpp ]] || { echo "FAILED  installed with the project: $installed"; exit 1; }

tests=$(ctest --test-dir "$work/build" -N | tail -n 1)
[[ $tests == "Total Tests: 0" ]] || { echo "FAILED  tests of fmap among the project's: $tests"; exit 1; }
echo "ok      inside another project fmap installs nothing, adds no tests, and changes no flags"
