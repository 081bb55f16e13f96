#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Downloads from a server of its own on 127.0.0.1: fetch.sh FETCH DOWNLOADS SERVER
set -u

fetch=$(realpath "${1:?usage: fetch.sh FETCH DOWNLOADS SERVER}")
downloads=$(realpath "${2:?}")
server=$(realpath "${3:?}")
export LC_ALL=C
unset http_proxy HTTP_PROXY all_proxy ALL_PROXY
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
cd "$room" || exit 1
failures=0

# same WHAT EXPECTED ACTUAL
same() {
  if [[ $2 == "$3" ]]; then
    echo "ok       $1"
  else
    printf 'FAILED   %s\n--- expected\n%s\n--- actual\n%s\n' "$1" "$2" "$3"
    failures=$((failures + 1))
  fi
}

# Starts a server; leaves the address of its root in $root.
start_server() {
  coproc SERVER { exec "$server"; }
  server_output=${SERVER[0]} server_input=${SERVER[1]} server_pid=$SERVER_PID
  local port
  read -r -t 30 port <&"$server_output" || { echo 'the server does not start'; exit 1; }
  root=http://127.0.0.1:$port
}

# Ends it; leaves its last line in $served.
stop_server() {
  exec {server_input}>&-
  read -r -t 30 served <&"$server_output"
  wait "$server_pid"
}

# run COMMAND...: leaves $out, $err and $status; a run that hangs ends as status 124
run() {
  timeout 60 "$@" >"$room/out" 2>"$room/err"
  status=$?
  out=$(<"$room/out")
  err=$(<"$room/err")
}

# size PATH: of the page there
size() {
  local body="Response from $1"
  echo ${#body}
}

start_server
run "$fetch" "$root"/items/{0..99}
stop_server
same '100 pages: status and standard error' '0 ' "$status $err"
same '100 pages: each one, with its size' \
  "$(for i in {0..99}; do echo "$(size "/items/$i")  $root/items/$i"; done | sort)" \
  "$(sort <<<"$out")"
same '100 pages: several at a time, never more than 5' true \
  "$([[ $served == '100 requests, at most '[2-5]' open at once' ]] && echo true)"

start_server
run "$fetch" --at-once 12 "$root"/slow/{1..24}
stop_server
same '12 at a time' '24 requests, at most 12 open at once' "$served"

start_server
run "$fetch" --at-once 1 "$root"/items/{1..10}
stop_server
same 'one at a time, in order' "$(for i in {1..10}; do echo "$root/items/$i"; done)" \
  "$(cut -d' ' -f3 <<<"$out")"
same 'one at a time: never two' '10 requests, at most 1 open at once' "$served"

start_server
run "$fetch" --at-once 2 "$root"/slow/page "$root"/items/{1..9}
same 'a slow page does not hold up the others' "$root/slow/page" \
  "$(tail -n 1 <<<"$out" | cut -d' ' -f3)"

run "$fetch" "$root"/items/1 "$root"/missing "$root"/dropped "$root"/items/2 nonsense://x
same 'failures: the other pages arrive' \
  "$(printf '%s\n' "22  $root/items/1" "22  $root/items/2")" "$(sort <<<"$out")"
same 'failures: status, and a line for each' '1 3' "$status $(grep -c '^fetch: ' <<<"$err")"
same 'failures: the URL and the reason' \
  "fetch: $root/missing: The requested URL returned error: 404" "$(grep /missing <<<"$err")"

run "$downloads" "$root"/items/1 "$root"/missing "$root"/items/23 "$root"/dropped
same 'downloads: status' 1 "$status"
same 'downloads: every URL once' "4" "$(wc -l <<<"$out")"
same 'downloads: pages' "$root/items/1 page is 22 bytes
$root/items/23 page is 23 bytes" "$(grep bytes <<<"$out" | sort)"
same 'downloads: failures' \
  "$root/missing generated an exception: The requested URL returned error: 404" \
  "$(grep /missing <<<"$out")"
run "$downloads" "$root"/slow/1 "$root"/items/{1..4}
same 'downloads: as they complete' "0 $root/slow/1 page is 21 bytes" \
  "$status $(tail -n 1 <<<"$out")"

run "$fetch" --at-once 1 "$root"/items/{1..3}
lines=$out
timeout 60 "$fetch" "$root"/items/{1..9} >/dev/full 2>"$room/err"
same 'full disk: fetch' '1 fetch: write error: No space left on device' "$? $(<"$room/err")"
timeout 60 "$fetch" "$root"/items/{1..9} >&- 2>"$room/err"
same 'closed standard output: fetch' '1 fetch: write error: Bad file descriptor' \
  "$? $(<"$room/err")"
timeout 60 "$downloads" "$root"/items/{1..9} >/dev/full 2>"$room/err"
same 'full disk: downloads' '1 downloads: write error' "$? $(<"$room/err")"
timeout 60 "$downloads" "$root"/items/{1..9} >&- 2>"$room/err"
same 'closed standard output: downloads' '1 downloads: write error' "$? $(<"$room/err")"
timeout 60 "$fetch" --at-once 1 "$root"/items/{1..3} <&- 2>&- >"$room/out"
same 'closed standard input and error: fetch' "0 $lines" "$? $(<"$room/out")"
timeout 60 "$fetch" --help >/dev/full 2>"$room/err"
same 'full disk: fetch --help' '1 fetch: write error: No space left on device' "$? $(<"$room/err")"
stop_server

for arguments in '' '--at-once 0 x' '--at-once x x' '--bogus x'; do
  # shellcheck disable=SC2086
  run "$fetch" $arguments
  same "usage error: fetch $arguments" "2  Try 'fetch --help'." \
    "$status $out $(tail -n 1 <<<"$err")"
  same "usage error: fetch $arguments: ASCII" '' "$(tr -d '\n -~' <<<"$err")"
done
run "$fetch" --help
same 'help: status and usage' '0 Usage:' "$status $(grep -o 'Usage:' <<<"$out")"

if ((failures > 0)); then
  echo "$failures checks failed"
  exit 1
fi
echo 'all checks passed'
