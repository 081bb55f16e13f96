#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Programs end with a failure if what they print cannot be written: write_errors.sh PROGRAM...
set -u

failures=0

# noticed WHAT STATUS: STATUS is of a program whose output went nowhere; it failed by itself
noticed() {
  if (($2 != 0 && $2 < 124)); then
    echo "ok       $1"
  else
    echo "FAILED   $1: ended with $2"
    failures=$((failures + 1))
  fi
}

for program; do
  name=${program##*/}
  timeout 60 "$program" >/dev/full
  noticed "$name on a full disk" $?
  timeout 60 "$program" >&-
  noticed "$name without standard output" $?
  if [[ $name == endless ]]; then
    timeout 60 "$program" >/dev/null 2>/dev/full
    noticed "$name: statistics on a full disk" $?
  fi
  timeout 60 "$program" </dev/null >/dev/null
  (($? == 0)) || { echo "FAILED   $name"; failures=$((failures + 1)); }
done

if ((failures > 0)); then
  echo "$failures checks failed"
  exit 1
fi
echo 'all checks passed'
