#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Installs a build into an empty folder, and builds and runs users' programs against that:
# run.sh BUILD-FOLDER SHARED-LIBRARY [CMAKE-ARGUMENT...]
# Where the build made a static library, the programs are linked with the shared one as well.
set -euo pipefail
build=$(realpath "${1:?usage: run.sh BUILD-FOLDER SHARED-LIBRARY [CMAKE-ARGUMENT...]}")
shared=$(realpath "${2:?usage: run.sh BUILD-FOLDER SHARED-LIBRARY [CMAKE-ARGUMENT...]}")
shift 2
here=$(realpath "$(dirname "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# quietly COMMAND...: shows what it prints only if it fails.
quietly() { "$@" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }; }

# It is moved after it has been installed: nothing in it may remember where it was.
quietly cmake --install "$build" --prefix "$work/first"
mv "$work/first" "$work/prefix"
prefix=$work/prefix
if grep -rlF -e "$work/first" -e "$build" "$prefix" --include='*.cmake' --include='*.pc' --include='*.hpp'; then
  echo "FAILED  these files name a folder of the machine that built them"
  exit 1
fi
[[ -s $prefix/share/doc/fmap/LICENSE ]] || { echo "FAILED  no LICENSE"; exit 1; }

# -- by CMake --------------------------------------------------------------------------------------

cp -r "$here"/{CMakeLists.txt,refusals,*.cpp} "$work"
quietly cmake -S "$work" -B "$work/build" "$@" -Dfmap_ROOT="$prefix"
quietly cmake --build "$work/build"
"$work/build/program"
"$work/build/nodes"
"$work/build/plugin_host" "$work/build/plugin.so"

quietly cmake -S "$work/refusals" -B "$work/refused" "$@" -Dfmap_ROOT="$prefix"
echo "ok      components and versions of CAF are checked"

# -- by pkg-config, with the same compiler ---------------------------------------------------------

PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name fmap.pc)")
LD_LIBRARY_PATH=$(dirname "$PKG_CONFIG_PATH")${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export PKG_CONFIG_PATH LD_LIBRARY_PATH
compiler=$(sed -n 's/^CMAKE_CXX_COMPILER:[A-Z]*=//p' "$work/build/CMakeCache.txt")

# flags OPTION PACKAGE: as pkg-config prints them, into the array of that name.
flags() { read -ra flags <<<"$(pkg-config "$1" "$2")"; }

flags --cflags fmap
quietly "$compiler" -std=c++20 "${flags[@]}" -c "$work/version.cpp" -o "$work/version.o"
flags --libs fmap
quietly "$compiler" "$work/version.o" "${flags[@]}" -o "$work/version"
said=$("$work/version")
[[ $said == "$(pkg-config --modversion fmap)" ]] || { echo "FAILED  the headers are of version $said"; exit 1; }
quietly "$compiler" "$work/build/CMakeFiles/program.dir/program.cpp.o" "${flags[@]}" -o "$work/program"
quietly "$work/program"
flags --libs fmap-nodes
quietly "$compiler" "$work/build/CMakeFiles/nodes.dir/nodes.cpp.o" "${flags[@]}" -o "$work/nodes"
quietly "$work/nodes"
echo "ok      by pkg-config"

# -- with the shared library -----------------------------------------------------------------------

flags --libs-only-L fmap
for program in program nodes; do
  quietly "$compiler" "$work/build/CMakeFiles/$program.dir/$program.cpp.o" "$shared" "${flags[@]}" -lcaf_core -pthread \
    -Wl,-rpath,"${shared%/*}" -o "$work/$program"
  quietly "$work/$program"
done
echo "ok      with the shared library"

# -- headers of another minor version --------------------------------------------------------------

mkdir -p "$work/other/fmap"
sed -E 's/\<library_[0-9]+_[0-9]+\>/library_0_99/' "$prefix/include/fmap/version.hpp" >"$work/other/fmap/version.hpp"
flags --cflags fmap
quietly "$compiler" -std=c++20 -I"$work/other" "${flags[@]}" -c "$work/version.cpp" -o "$work/other.o"
flags --libs fmap
if "$compiler" "$work/other.o" "${flags[@]}" -o "$work/other/version" >"$work/log" 2>&1 ||
    ! grep -q library_0_99 "$work/log"; then
  echo "FAILED  headers of another version can be linked with this library"
  cat "$work/log"
  exit 1
fi
echo "ok      headers of another version cannot be linked"
