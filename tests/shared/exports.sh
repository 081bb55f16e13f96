#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A shared library exports fmap's public names, and only what the compiler emits beside them: exports.sh LIBRARY
set -euo pipefail
library=${1:?usage: exports.sh LIBRARY}
names=$(nm -DC --defined-only "$library" | sed -E 's/^[0-9a-f]* *[A-Za-z] //')

about='((non-virtual|virtual) thunk to |vtable for |VTT for |typeinfo (name )?for |guard variable for |TLS (init|wrapper) function for )*'
# Instances of templates of the standard library and of CAF are weak, and every program has its own.
weak=$(nm -DC --defined-only "$library" | sed -nE 's/^[0-9a-f]* *[VWu] //p')
others=$(grep -vE "^$about(fmap::|[a-z_].* fmap::)" <<<"$names" | grep -vxFf <(printf '%s\n' "$weak") || true)
if [[ -n $others ]]; then
  printf 'exported, though not of fmap:\n%s\n' "$others"
  exit 1
fi
inside=$(grep -E "^$about"'fmap::(actors::|detail::(ledger|shared_mailbox|session|supervisor)\b)' <<<"$names" || true)
if [[ -n $inside ]]; then
  printf 'exported, though internal:\n%s\n' "$inside"
  exit 1
fi
for wanted in 'fmap::init(int, char**)' 'typeinfo for fmap::timeout_error' 'vtable for fmap::worker_lost'; do
  grep -qxF "$wanted" <<<"$names" || { echo "not exported: $wanted"; exit 1; }
done
echo "ok      $(grep -cE "^$about"'(fmap::|[a-z_].* fmap::)' <<<"$names") names of fmap, $(wc -l <<<"$weak") weak ones in all"
