# SPDX-License-Identifier: BSD-3-Clause
# What the scripts share: finding the project, installing packages, building, testing.
# Sourced by bash; sets the working directory to the project's root.

FMAP_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$FMAP_ROOT"

# A second clone of the project, in another folder, finds in ccache what the first has compiled.
export CCACHE_BASEDIR=$FMAP_ROOT CCACHE_NOHASHDIR=1

# What each purpose needs, as Debian package names.
PACKAGES_BUILD=(g++ cmake ninja-build ccache libcaf-dev libssl-dev libcxxopts-dev nlohmann-json3-dev
                libcurl4-openssl-dev pkg-config git)
PACKAGES_TEST=("${PACKAGES_BUILD[@]}" catch2 libboost-dev libasio-dev bats openssl)
PACKAGES_BENCH=("${PACKAGES_BUILD[@]}" libbenchmark-dev libtbb-dev libboost-dev python3)

note() { printf '== %s\n' "$*" >&2; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

jobs_default() { nproc 2>/dev/null || echo 2; }

# missing_packages NAME...: prints those that are not installed.
missing_packages() {
  local name
  for name in "$@"; do
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null) == installed ]] ||
      printf '%s\n' "$name"
  done
}

# need_packages NAME...: installs what is missing, or says what is to be done. Asks nobody and
# touches neither apt nor the network if all is there.
need_packages() {
  if ! command -v dpkg-query >/dev/null; then
    note "no dpkg here: taking it that these, by their Debian names, are installed: $*"
    return
  fi
  local missing
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0
  note "installing ${missing[*]}"
  apt_get update -qq || note "apt-get update failed; trying with the lists there are"
  apt_get install -y --no-install-recommends "${missing[@]}" >&2 ||
    die "could not install: ${missing[*]}"
}

# apt_get ARGUMENTS...: as root, or through sudo.
apt_get() {
  local sudo=()
  if ((EUID != 0)); then
    sudo=(sudo)
    # sudo may ask for a password only where somebody can answer.
    if ! command -v sudo >/dev/null || { [[ ! -t 0 ]] && ! sudo -n true 2>/dev/null; }; then
      cannot_install
    fi
  fi
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 "$@" </dev/null
}

# Called where a list `missing` is in scope.
cannot_install() {
  {
    echo "${0##*/}: these packages are missing: ${missing[*]}"
    echo "This user may not install them. Please run, as root:"
    echo
    echo "    apt-get update && apt-get install -y ${missing[*]}"
  } >&2
  exit 1
}

# choose_gcc: exports CXX where the default g++ is older than 12 (Ubuntu 22.04).
choose_gcc() {
  [[ -n ${CXX-} ]] && return
  if command -v g++ >/dev/null && (($(g++ -dumpversion | cut -d. -f1) < 12)); then
    command -v g++-12 >/dev/null || need_packages g++-12
    export CXX=g++-12
  fi
}

# find_clang: prints the version number of the clang to use, 16 or newer; installs none.
find_clang() {
  local version
  for version in 16 17 18 19 20 21 22; do
    command -v "clang++-$version" >/dev/null && { echo "$version"; return; }
  done
  return 1
}

# need_clang: installs clang, its sanitizers and clang-tidy, 16 or the next newer one packaged; sets CLANG_VERSION.
need_clang() {
  local version missing=(clang-16)
  CLANG_VERSION=$(find_clang || true)
  if [[ -z $CLANG_VERSION ]]; then
    apt_get update -qq || true
    for version in 16 17 18 19 20 21 22; do
      if apt-cache show "clang-$version" >/dev/null 2>&1; then
        CLANG_VERSION=$version
        break
      fi
    done
    [[ -n $CLANG_VERSION ]] || die "no clang 16 or newer is packaged here"
  fi
  need_packages "clang-$CLANG_VERSION" "clang-tidy-$CLANG_VERSION" "llvm-$CLANG_VERSION" \
    "libclang-rt-$CLANG_VERSION-dev"
}

# build PRESET [--target NAME]... [-D...]: configures if need be, then builds what changed.
build() {
  local preset=$1 defines=() rest=()
  shift
  while (($#)); do
    if [[ $1 == -D* ]]; then defines+=("$1"); else rest+=("$1"); fi
    shift
  done
  if [[ ! -f build/$preset/build.ninja || CMakePresets.json -nt build/$preset/build.ninja ]] ||
      ((${#defines[@]})); then
    cmake --preset "$preset" "${defines[@]}"
  fi
  cmake --build "build/$preset" --parallel "$(jobs_default)" "${rest[@]}"
}

# run_tests PRESET [CTEST ARGUMENTS...]: ends with ctest's closing lines.
run_tests() {
  local preset=$1
  shift
  ctest --preset "$preset" --parallel "${FMAP_TEST_JOBS:-$(jobs_default)}" "$@"
}
