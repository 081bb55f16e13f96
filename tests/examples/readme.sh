#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The README's first program is examples/quickstart.cpp, and its output what that must print:
# readme.sh PROJECT-FOLDER
set -euo pipefail
cd "${1:?usage: readme.sh PROJECT-FOLDER}"

block() {  # the first block of that language
  awk -v start="^\`\`\`$1" '$0 ~ start { inside = 1; next } inside && /^```/ { exit } inside' README.md
}

diff -u <(sed 1d examples/quickstart.cpp) <(block cpp)   # all but the licence
diff -u examples/expected/quickstart.txt <(block text)
[[ $(block cpp | wc -l) -le 20 ]] || { echo 'more than 20 lines'; exit 1; }
echo 'the same'
