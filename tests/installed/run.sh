#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Installs a build into an empty folder, and builds and runs a user's program against that:
# run.sh BUILD-FOLDER [CMAKE-ARGUMENT...]
set -euo pipefail
build=$(realpath "${1:?usage: run.sh BUILD-FOLDER [CMAKE-ARGUMENT...]}")
shift
here=$(realpath "$(dirname "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/prefix" >"$work/log" || { cat "$work/log"; exit 1; }
cp -r "$here"/{CMakeLists.txt,refusals,*.cpp} "$work"
{
  cmake -S "$work" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/prefix" "$@"
  cmake --build "$work/build"
  cmake -S "$work/refusals" -B "$work/refused" -DCMAKE_PREFIX_PATH="$work/prefix" "$@"
} >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
"$work/build/program"
"$work/build/nodes"
"$work/build/plugin_host" "$work/build/plugin.so"
