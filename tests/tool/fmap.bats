#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# The tool from outside. FMAP: the program.

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  export LC_ALL=C
  fmap() { timeout 120 "$FMAP" "$@"; }
}

# wait_for CONDITION...: until it holds.
wait_for() {
  local tries
  for ((tries = 0; tries < 1200; tries++)); do
    "$@" && return
    sleep 0.05
  done
  echo "never: $*"
  return 1
}

gone() { ! kill -0 "$1" 2>/dev/null; }

# status_of EXPECTED COMMAND...: leaves what it printed in `out` and `err`.
status_of() {
  local expected=$1 status=0
  shift
  "$@" >out 2>err </dev/null || status=$?
  ((status == expected)) || { echo "status $status, not $expected: $*"; cat err; return 1; }
}

# -- input -----------------------------------------------------------------------------------------

@test "a line is an item; blanks, quotes, backslashes are ordinary; the last may lack its end" {
  printf '%s\n' 'a b' "it's \"x\"" 'c\d' '' $'cr\r' >in
  printf last >>in
  fmap -k printf '<%s>\n' <in >out
  printf '<%s>\n' 'a b' "it's \"x\"" 'c\d' '' $'cr\r' last | cmp - out
}

@test "NUL and other delimiters; empty items can be dropped" {
  [ "$(printf 'a\nb\0c\0' | fmap -0 -k printf '<%s>')" = $'<a\nb><c>' ]
  [ "$(printf 'a--b----c' | fmap -d -- -k printf '<%s>')" = '<a><b><><c>' ]
  [ "$(printf 'a--b----c' | fmap -r -d -- -k printf '<%s>')" = '<a><b><c>' ]
  [ "$(printf 'a,b,' | fmap -d, -k printf '<%s>')" = '<a><b>' ]
}

@test "no items: nothing is run" {
  status_of 0 fmap touch RAN
  [ ! -e RAN ]
  status_of 0 fmap touch RAN :::
  [ ! -e RAN ]
}

@test "arguments, combinations, linked sources, files" {
  printf '1\n2\n' >digits
  [ "$(fmap -k echo ::: a b)" = $'a\nb' ]
  [ "$(fmap -k echo ::: a b ::: 1 2)" = $'a 1\na 2\nb 1\nb 2' ]
  [ "$(fmap -k echo ::: a b c :::+ 1 2)" = $'a 1\nb 2' ]
  [ "$(fmap -k echo {2}{1} ::: a b :::: digits)" = $'1a\n2a\n1b\n2b' ]
  [ "$(fmap -k -a digits echo)" = $'1\n2' ]
  [ "$(fmap -k echo :::: - <digits)" = $'1\n2' ]
  [ "$(fmap -k echo ::: a b ::::+ digits)" = $'a 1\nb 2' ]
  status_of 2 fmap echo :::: not-there
}

@test "columns, CSV, TSV, titles" {
  [ "$(echo 'a:b:c' | fmap -C : echo {3} {1})" = 'c a' ]
  [ "$(echo 'a   b' | fmap -C ' +' echo {2})" = 'b' ]
  [ "$(printf 'x,"y ""z"",\n1"\n' | fmap --csv printf '<%s>')" = $'<x><y "z",\n1>' ]
  [ "$(printf 'a\t"b c"\n' | fmap --tsv echo {2})" = 'b c' ]
  printf 'name,url\nn1,u1\nn2,u2\n' >list.csv
  [ "$(fmap -k --csv --header echo {url} {name} {#} {other} :::: list.csv)" = $'u1 n1 1 {other}\nu2 n2 2 {other}' ]
  printf 'a,b\n"x"y,z\nc,d\n' >broken.csv
  status_of 123 fmap -k --csv echo {1} :::: broken.csv
  [ "$(cat out)" = $'a\nc' ]
  grep -q 'line 2' err
}

@test "columns between the matches of a regular expression" {
  [ "$(printf 'a1b22c\n' | fmap --columns-regex='[0-9]+' echo {3} {2} {1})" = 'c b a' ]
  [ "$(printf 'a ,\tb\n' | fmap --columns-regex='\s*,\t*' printf '<%s>')" = '<a><b>' ]
  [ "$(printf 'abc\n' | fmap --columns-regex='x*' echo {1})" = abc ]
  status_of 2 fmap --columns-regex='(' echo
}

@test "JSON values as items: members by path, numbers as they were written; a broken line fails" {
  printf '%s\n' '{"name":"a b","size":1.10,"in":{"list":[true,null,"x"],"a.b":"dot"},"{":"odd"}' \
    '{"name":"$(touch RAN)","size":123456789012345678901234567890}' '{"name":' '"a text"' >in
  status_of 123 fmap -k --jsonl-items printf '<%s>' {name} {size} {in.list} {in.list.2} {in.a.b} {missing} '{not one}' :::: in
  first='<a b><1.10><[true,null,"x"]><x><dot><><{not one}>'
  second='<$(touch RAN)><123456789012345678901234567890><><><><><{not one}>'
  [ "$(cat out)" = "$first$second"'<><><><><><><{not one}>' ]
  grep -q 'line 3 is no JSON' err
  [ "$(printf '{"f":"d/x.c"}\n' | fmap --jsonl-items echo {f/.} {f//} {})" = 'x d {"f":"d/x.c"}' ]
  [ "$(printf '{"f":"a\\"b"}\n' | fmap --jsonl-items -c 'echo {f}')" = 'a"b' ]
  status_of 123 fmap --jsonl-items echo {f} ::: '{"f":"a\u0000b"}'
  status_of 2 fmap --jsonl-items --csv echo {f}
  [ ! -e RAN ]
}

@test "an item of an endless pipe is begun at once" {
  mkfifo pipe
  fmap -j2 -c 'touch "$1"' <pipe &
  exec 9>pipe
  echo first >&9
  wait_for test -e first
  echo second >&9
  wait_for test -e second
  exec 9>&-
  wait
}


# -- commands --------------------------------------------------------------------------------------

@test "no shell: items are one argument each, whatever they hold" {
  printf '%s\0' '$(touch RAN)' '`touch RAN`' '; touch RAN' "'" '"' '-n' $'a\nb' $'\xff\xfe' '*' |
    fmap -0 -k printf '%s\0' >out
  printf '%s\0' '$(touch RAN)' '`touch RAN`' '; touch RAN' "'" '"' '-n' $'a\nb' $'\xff\xfe' '*' | cmp - out
  [ ! -e RAN ]
}

@test "scripts get the item as \$1, and in placeholders, never as code" {
  printf '%s\0' '$(touch RAN)' '`touch RAN`' '; touch RAN;' "a'b" 'a"b' '-n' $'a\nb' $'\xff\xfe' '*' '\' '' >items
  fmap -0 -k -c '[ "$1" = {} ] && [ "$1" = "{}" ] && [ "$1" = '\''{}'\'' ] && [ "x$1" = "$(printf %s x{})" ] && printf "%s\0" {}' <items >out
  cmp items out
  [ ! -e RAN ]
}

@test "a placeholder in a here-document is refused before anything is run" {
  status_of 2 fmap -c $'touch RAN; cat <<E\n{}\nE' ::: a
  grep -q '"$1"' err
  [ ! -e RAN ]
}

@test "a command that is not there ends the run" {
  status_of 127 fmap no-such-command-here ::: a b c
  [ "$(grep -c 'command not found' err)" = 1 ]
  status_of 127 fmap 'echo hi' ::: a
  grep -q 'did you mean -c' err
  echo text >file
  status_of 126 fmap ./file ::: a
}

@test "items that cannot be arguments fail, the run goes on" {
  status=0
  printf 'a\nb\0c\nd\n' | fmap -k echo >out 2>err || status=$?
  [ "$status" = 123 ]
  [ "$(cat out)" = $'a\nd' ]
  grep -q 'NUL' err
  status=0
  { head -c 300000 /dev/zero | tr '\0' x; echo; echo short; } | fmap -k echo >out 2>err || status=$?
  [ "$status" = 123 ]
  [ "$(cat out)" = short ]
}

@test "a job has nothing on standard input, no descriptor of ours, and default signals" {
  [ "$(echo a | fmap -c 'cat; echo end')" = end ]
  [ "$(fmap -c 'for d in /proc/$$/fd/*; do echo "${d##*/}"; done' ::: a 3>&- 4>&- | sort -n | head -n 3 | tr '\n' ' ')" = '0 1 2 ' ]
  inherited=$(sh -c 'for d in /proc/$$/fd/*; do echo "${d##*/}"; done' | wc -l)
  [ "$(fmap -c 'for d in /proc/$$/fd/*; do echo "${d##*/}"; done' ::: a | wc -l)" = "$inherited" ]
  (trap '' PIPE; fmap grep -E 'SigBlk|SigIgn' ::: /proc/self/status) >out
  [ "$(awk '{print $2}' out | sort -u)" = 0000000000000000 ]
  [ "$(fmap -j3 -c 'echo $FMAP_SEQ $FMAP_JOBS $FMAP_SLOT' ::: a)" = '1 3 1' ]
  [ "$(FMAP_SEQ=7 fmap -c 'env | grep -c FMAP_SEQ' ::: a)" = 1 ]
}

@test "commands can be printed instead, so that a shell reads them back" {
  [ "$(fmap --dry-run touch ::: a 'b c' "d'e")" = $'touch a\ntouch \'b c\'\ntouch \'d\'\\\'\'e\'' ]
  [ "$(fmap --dry-run echo {##}/{#} ::: a b)" = $'echo 2/1\necho 2/2' ]
  [ "$(ls)" = '' ]
  status_of 2 fmap echo {##}
}

@test "slots are never shared by two that run" {
  seq 100 | fmap -j4 -c 'mkdir slot{%} && rmdir slot{%} && echo {%}' >out
  [ "$(wc -l <out)" = 100 ]
  [ -z "$(grep -v '^[1-4]$' out)" ]
}

# -- outputs ---------------------------------------------------------------------------------------

@test "outputs are never mixed: each item's standard output whole, then its standard error" {
  seq 8 | fmap -j4 -c 'for i in 1 2 3 4 5; do echo "$1 out"; echo "$1 err" >&2; done' >out 2>&1
  [ "$(uniq -c out | awk '{print $1}' | sort -u)" = 5 ]
  [ "$(wc -l <out)" = 80 ]
}

@test "large outputs pass byte by byte, held in memory or in the file or by waiting" {
  for limits in '' '--buffer-bytes=1k' '--buffer-bytes=1k --spill=0' '--buffer-bytes=100k --spill=300k'; do
    for order in '' -k; do
      seq 6 | fmap -j3 $order $limits -c 'seq "$1" 60000; seq "$1" 30000 >&2' >out 2>err
      for i in 1 2 3 4 5 6; do seq $i 60000; done | sort | cmp - <(sort out)
      [ "$(awk 'NR > 1 && $1 != last + 1 { n++ } { last = $1 } END { print n }' out)" = 5 ]
      [ "$(wc -l <err)" = 179985 ]
    done
  done
}

@test "-k gives outputs in input order" {
  [ "$(fmap -k -j4 -c 'sleep 0.$1; echo $1' ::: 4 3 2 1)" = $'4\n3\n2\n1' ]
}

@test "the output of the first flows with -k, and with -j1" {
  for order in -k -j1; do
    rm -f go
    mkfifo pipe
    fmap $order -c 'echo begun; while [ ! -e go ]; do sleep 0.05; done' ::: a >pipe &
    exec 9<pipe
    read -r line <&9
    [ "$line" = begun ]
    touch go
    wait
    exec 9<&-
    rm pipe
  done
}

@test "the bound: no more are begun than are in flight, undelivered outputs counted" {
  # The first one waits until nothing has been begun for a while.
  seq 40 | fmap -k -j4 -b 6 -c 'echo "$1" >>begun; if [ "$1" = 1 ]; then
    last=0; while now=$(wc -l <begun); [ "$now" -lt 6 ] || [ "$now" != "$last" ]; do last=$now; sleep 0.3; done
    wc -l <begun; fi' >out
  [ "$(cat out)" -eq 6 ]
  [ "$(wc -l <begun)" = 40 ]
}

@test "a reader that has left: nothing more is begun, and fmap dies of SIGPIPE" {
  status=0
  bash -c 'set -o pipefail; yes | "$FMAP" -j2 echo | head -n 3' >out || status=$?
  [ "$(wc -l <out)" = 3 ]
  set +e
  yes | "$FMAP" echo | head -n 1 >out
  statuses=("${PIPESTATUS[@]}")
  [ "${statuses[1]}" = 141 ]
  yes | "$FMAP" -u echo 2>/dev/null | head -n 1 >out
  statuses=("${PIPESTATUS[@]}")
  [ "${statuses[1]}" = 141 ]
}

@test "what cannot be written is no success" {
  status=0
  fmap echo ::: a b >/dev/full 2>err || status=$?
  [ "$status" = 125 ]
  grep -q 'cannot write' err
  status=0
  fmap echo ::: a >&- 2>err || status=$?
  [ "$status" = 125 ]
}

@test "what a background process leaves open is read for a while, then given up" {
  fmap --linger=300ms -c 'sleep 1000 & echo $! >pid; echo said' ::: a >out 2>err
  kill "$(cat pid)"
  [ "$(cat out)" = said ]
  grep -q 'given up' err
}

# -- ends ------------------------------------------------------------------------------------------

@test "the exit status, and the failed items on standard error" {
  status_of 0 fmap true ::: a b
  status_of 123 fmap -c 'exit $1' ::: 0 3 255
  grep -qx 'fmap: 3: exit 3' err
  grep -qx 'fmap: 255: exit 255' err
  grep -qx 'fmap: 2 of 3 items failed' err
  status_of 123 fmap -q -c 'kill -9 $$' ::: a
  [ ! -s err ]
  status_of 123 fmap -c 'kill -9 $$' ::: a
  grep -q SIGKILL err
  seq 30 | fmap -j2 false 2>err || :
  [ "$(grep -c 'exit 1' err)" = 10 ]
}

@test "options that make no sense are refused, and nothing is run" {
  for words in '-j0 touch RAN' '--nonsense touch RAN' '--worker-pty touch RAN' '' '-j2 -b1 touch RAN'; do
    status_of 2 fmap $words ::: a
  done
  [ ! -e RAN ]
  status_of 0 fmap --help
  status_of 0 fmap --version
}

@test "a time-out ends the whole group" {
  status_of 123 fmap --timeout=300ms -c 'sleep 1000 & echo $! >pid; wait' ::: a
  wait_for gone "$(cat pid)"
  grep -q 'time-out' err
  status_of 123 fmap --timeout=200ms --kill-after=200ms -c 'trap "" TERM; echo $$ >pid; while :; do sleep 0.1; done' ::: a
  wait_for gone "$(cat pid)"
}

@test "a first signal drains, a second terminates; fmap dies of it" {
  "$FMAP" -j2 -c 'touch begun$1; while [ ! -e go ]; do sleep 0.05; done; echo $1' ::: 1 2 3 4 >out 2>err &
  pid=$!
  wait_for test -e begun1 -a -e begun2
  kill -TERM $pid
  wait_for grep -q 'once more' err
  touch go
  status=0
  wait $pid || status=$?
  [ "$status" = 143 ]
  [ "$(sort out)" = $'1\n2' ]
  [ ! -e begun3 ]

  rm -f go begun*
  "$FMAP" -j2 -c 'echo $$ >pid$1; while [ ! -e go ]; do sleep 0.05; done' ::: 1 2 3 >out 2>err &
  pid=$!
  wait_for test -s pid1 -a -s pid2
  kill -TERM $pid
  wait_for grep -q 'once more' err
  kill -TERM $pid
  status=0
  wait $pid || status=$?
  [ "$status" = 143 ]
  gone "$(cat pid1)"
  gone "$(cat pid2)"
}

@test "a third signal kills at once" {
  "$FMAP" -c 'trap "touch told" TERM; echo $$ >pid; while :; do sleep 0.05; done' ::: 1 >out 2>err &
  pid=$!
  wait_for test -s pid
  kill -TERM $pid
  wait_for grep -q 'once more' err
  kill -TERM $pid
  wait_for test -e told
  kill -TERM $pid
  status=0
  wait $pid || status=$?
  [ "$status" = 143 ]
  wait_for gone "$(cat pid)"
}

@test "kill -9 of fmap leaves no job running, nor what it has started" {
  "$FMAP" -j2 -c 'sleep 1000 & echo $! >child$1; echo $$ >pid$1; wait' ::: 1 2 >out 2>err &
  pid=$!
  wait_for test -s pid1 -a -s pid2
  kill -9 $pid
  wait $pid || :
  for file in pid1 pid2 child1 child2; do wait_for gone "$(cat $file)"; done
}

# -- lines and tags --------------------------------------------------------------------------------

@test "--line-buffer: whole lines as they come, of several commands by turns" {
  mkfifo pipe
  "$FMAP" -j2 --line-buffer -c 'printf "%s half" "$1"; echo " and half"; while [ ! -e go$1 ]; do sleep 0.05; done; echo "$1 end"' ::: a b >pipe &
  exec 9<pipe
  { read -r one; read -r two; } <&9
  [ "$(printf '%s\n' "$one" "$two" | sort)" = $'a half and half\nb half and half' ]
  touch gob
  read -r line <&9
  [ "$line" = 'b end' ]
  touch goa
  read -r line <&9
  [ "$line" = 'a end' ]
  wait
  exec 9<&-
  seq 4 | fmap -j4 --line-buffer -c 'seq -f "$1 %.0f" 20000' >out
  [ "$(wc -l <out)" = 80000 ]
  [ -z "$(grep -vE '^[1-4] [0-9]+$' out)" ]
}

@test "--tag: the item and a tab before each line" {
  [ "$(fmap -k --tag -c 'echo x; echo y >&2; echo z' ::: a b 2>&1)" = $'a\tx\na\tz\na\ty\nb\tx\nb\tz\nb\ty' ]
  [ "$(fmap -k --tag={#}:{/} echo ::: d/a d/b)" = $'1:a\td/a\n2:b\td/b' ]
  [ "$(fmap --line-buffer --tag echo ::: a)" = $'a\ta' ]
}

@test "-o: outputs go to a file; a full disk is no success" {
  fmap -k -o OUT echo ::: a b
  [ "$(cat OUT)" = $'a\nb' ]
  status_of 125 fmap -o /dev/full echo ::: a b
}

# -- failing ---------------------------------------------------------------------------------------

@test "--tries: a failing item is begun again, the output and status of the last try count" {
  [ "$(fmap --tries=3 -c 'echo try $FMAP_ATTEMPT; echo . >>tries; [ "$FMAP_ATTEMPT" = 3 ]' ::: a)" = 'try 3' ]
  [ "$(wc -l <tries)" = 3 ]
  status_of 123 fmap --retries 2 -c 'echo try $FMAP_ATTEMPT; exit 4' ::: a
  [ "$(cat out)" = 'try 2' ]
  grep -qx 'fmap: a: exit 4 after 2 tries' err
  status_of 123 fmap --tries=3 --retry-on=7,signal -c 'echo . >>other; exit 4' ::: a
  [ "$(wc -l <other)" = 1 ]
  # The order and all outputs stay.
  seq 20 | fmap -k -j4 --tries=2 -c 'echo "$1 $FMAP_ATTEMPT"; [ $(($1 % 2)) = 0 ] || [ "$FMAP_ATTEMPT" = 2 ]' >out
  seq 20 | awk '{ print $1, $1 % 2 + 1 }' | cmp - out
}

@test "a pause before the next try does not take the slot" {
  fmap -j1 --tries=2 --retry-delay=1s -c 'echo "$1 $FMAP_ATTEMPT" >>order; [ "$1$FMAP_ATTEMPT" != a1 ]' ::: a b
  [ "$(cat order)" = $'a 1\nb 1\na 2' ]
}

@test "tries in input order and without room for outputs do not stand still" {
  seq 8 | fmap -k -j4 --tries=2 --retry-delay=100ms --buffer-bytes=1k --spill=0 \
    -c 'head -c 100000 /dev/zero | tr "\0" x; [ "$1" != 1 ] || [ "$FMAP_ATTEMPT" = 2 ]' >out 2>err || :
  [ "$(wc -c <out)" -ge 800000 ]
}

@test "-k: the first item is tried again though all slots wait for its output" {
  [ "$(fmap -q -k -j2 -b8 --buffer-bytes=64k --spill=0 --tries=2 --retry-delay=100ms -c '
    case $1 in 1) [ $FMAP_ATTEMPT = 2 ] && echo one ;; *) head -c 300000 /dev/zero ;; esac' ::: 1 2 3 4 |
    tee out | wc -c)" = 900004 ]
  [ "$(head -n1 out)" = one ]
}

@test "--timeout as a percentage of the median" {
  status_of 123 fmap -j1 --timeout=2000% --kill-after=100ms -c '[ "$1" != 7 ] || sleep 1000' ::: 1 2 3 4 5 6 7 8
  grep -qx 'fmap: 7: time-out' err
  grep -q '1 of 8' err
}

@test "--halt: nothing more is begun, or what runs is ended, too" {
  status_of 124 fmap -j1 --halt soon,fail=1 -c 'echo "$1"; [ "$1" != 2 ]' ::: 1 2 3 4
  [ "$(cat out)" = $'1\n2' ]
  status_of 123 fmap -j1 --halt soon,fail=1 -c '[ "$1" != 4 ]' ::: 1 2 3 4
  status_of 0 fmap -j1 --halt now,success=1 -c 'echo "$1"; [ "$1" = 2 ]' ::: 1 2 3 4
  [ "$(cat out)" = $'1\n2' ]
  status_of 124 fmap -j2 --halt now,fail=1 -c 'if [ "$1" = 1 ]; then echo $$ >pid; exec sleep 1000; fi; while [ ! -s pid ]; do sleep 0.05; done; false' ::: 1 2 3
  gone "$(cat pid)"
  status_of 124 fmap -j1 --halt soon,done=50% true ::: 1 2 3 4
  seq 30 | status_of 2 fmap --halt soon,done=50% true
}

@test "--deadline: as a first signal, and not all items were run" {
  status_of 124 fmap -j1 --deadline=500ms -c 'echo "$1"; sleep 1' ::: 1 2 3
  [ "$(cat out)" = 1 ]
}

@test "--exit: the status that failures give" {
  status_of 2 fmap --exit=count -c 'exit $1' ::: 0 3 7
  status_of 3 fmap -j1 --exit=first -c 'exit $1' ::: 0 3 7
  status_of 7 fmap --exit=max -c 'exit $1' ::: 7 3 0
}

# -- several items a command -----------------------------------------------------------------------

@test "-n: several items for each command, a word with a placeholder for each of them" {
  [ "$(seq 5 | fmap -k -n2 echo)" = $'1 2\n3 4\n5' ]
  [ "$(seq 4 | fmap -k -n2 echo x{} -)" = $'x1 x2 -\nx3 x4 -' ]
  [ "$(seq 4 | fmap -k -n2 echo {2}-{1})" = $'2-1\n4-3' ]
  [ "$(printf '%s\n' 'a b' "c'd" | fmap -n2 -c 'printf "<%s>" {} "$@"')" = "<a b><c'd><a b><c'd>" ]
  seq 100000 | fmap -k -j2 -n100000 echo >out
  tr ' ' '\n' <out | cmp - <(seq 100000)
  status=0
  { head -c 300000 /dev/zero | tr '\0' x; printf '\nshort\n'; } | fmap -q -n1000 echo >out || status=$?
  [ "$status" = 123 ]
  [ "$(cat out)" = short ]
  seq 50 | fmap -n7 -b3 echo | tr ' ' '\n' | sort -n | cmp - <(seq 50)
}

@test "-n auto: all items once, and fewer commands than items" {
  seq 3000 | fmap -k -n auto -c 'echo . >>runs; printf "%s\n" "$@"' >out
  cmp out <(seq 3000)
  [ "$(wc -l <runs)" -lt 1500 ]
}

@test "-n auto: what there is of an endless pipe is begun at once" {
  mkfifo pipe
  "$FMAP" -n auto -c 'touch "$@"' <pipe &
  exec 9>pipe
  echo first >&9
  wait_for test -e first
  printf '%s\n' second third >&9
  wait_for test -e second -a -e third
  exec 9>&-
  wait
}

@test "--split-failed: single items are to blame, the others' output stays" {
  status_of 123 fmap -k -n8 --split-failed -c 'for i; do [ "$i" != 5 ] || exit 9; done; printf "%s\n" "$@"' ::: 1 2 3 4 5 6 7 8
  [ "$(sort -n out | tr '\n' ' ')" = '1 2 3 4 6 7 8 ' ]
  grep -qx 'fmap: 5: exit 9' err
  grep -qx 'fmap: 1 of 8 items failed' err
}

# -- standard input --------------------------------------------------------------------------------

@test "--stdin: the item and a newline are the command's standard input" {
  [ "$(fmap -k --stdin cat ::: a 'b c')" = $'a\nb c' ]
  [ "$(fmap -k --stdin -n2 wc -l ::: a b c)" = $'2\n1' ]
  status_of 0 fmap --stdin true ::: a
}

@test "--pipe: blocks of whole records, each once" {
  seq 100000 >in
  fmap -k --pipe --block=10k cat <in | cmp - in
  [ "$(fmap --pipe --block-records=30000 wc -l <in | sort -n | tr '\n' ' ')" = '10000 30000 30000 30000 ' ]
  [ "$(printf '>a\nA\n>b\nB\n' | fmap -k --pipe --record-start='>' --block-records=1 -c 'head -n 1')" = $'>a\n>b' ]
  [ "$(printf 'abcdef' | fmap -k --pipe --record-bytes=2 --block-records=1 -c 'cat; echo')" = $'ab\ncd\nef' ]
  [ "$(printf 'h\n1\n2\n' | fmap -k --pipe --header --block-records=1 -c 'cat; echo .')" = $'h\n1\n.\nh\n2\n.' ]
  status_of 0 fmap --pipe --block=64k -a in true
  status_of 0 fmap --pipe touch RAN
  [ ! -e RAN ]
}

# -- records ---------------------------------------------------------------------------------------

@test "--joblog: parallel's columns" {
  fmap -j1 --joblog=LOG -c 'echo out; exit $1' ::: 0 3 2>/dev/null || :
  [ "$(head -n 1 LOG)" = $'Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand' ]
  [ "$(tail -n +2 LOG | cut -f 1,2,5-8)" = $'1\t:\t0\t4\t0\t0\n2\t:\t0\t4\t3\t0' ]
  fmap --joblog=+LOG -q --timeout=100ms sleep ::: 1000 || :
  [ "$(tail -n 1 LOG | cut -f 7)" = -1 ]
  [ "$(wc -l <LOG)" = 4 ]
}

@test "--joblog with --resume, --resume-failed, --retry-failed" {
  run_some() { fmap -q -j1 --joblog=LOG "$@" -c 'echo "$1" >>ran; [ -e well ] || [ "$1" != 2 ]' ::: 1 2 3 || :; }
  run_some
  [ "$(tr '\n' ' ' <ran)" = '1 2 3 ' ]
  run_some --resume
  [ "$(wc -l <ran)" = 3 ]
  run_some --resume-failed
  [ "$(tail -n 1 ran)" = 2 ] && [ "$(wc -l <ran)" = 4 ]
  touch well
  fmap --retry-failed --joblog=LOG
  [ "$(tail -n 1 ran)" = 2 ] && [ "$(wc -l <ran)" = 5 ]
  fmap --retry-failed --joblog=LOG
  [ "$(wc -l <ran)" = 5 ]
}

@test "--jsonl: a line for each item" {
  fmap -q -j1 --jsonl=LINES -c 'echo "$1"; printf "\377" >&2; exit 3' ::: 'a"b' || :
  for member in '"seq":1' '"item":"a\"b"' '"exit":3' '"stdout":"a\"b\n"' '"stderr_b64":"/w=="'; do
    grep -qF "$member" LINES
  done
  fmap --jsonl=LINES true ::: $'a\xff'
  for member in '"item_b64":"Yf8="' '"columns_b64":["Yf8="]' '"argv_b64":["dHJ1ZQ==","Yf8="]'; do
    grep -qF "$member" LINES
  done
  [ "$(fmap --jsonl=- echo ::: a | grep -c '"stdout":"a\\n"')" = 1 ]
  [ "$(fmap --jsonl=- --jsonl-no-output echo ::: a | grep -c stdout)" = 0 ]
}

@test "--results: outputs in files of their own, also" {
  [ "$(fmap -q --results=R -c 'echo "$1"; echo err >&2; exit 3' ::: a/b 2>/dev/null || :)" = a/b ]
  [ "$(cat R/1/a%2Fb/stdout R/1/a%2Fb/stderr R/1/a%2Fb/seq R/1/a%2Fb/status | tr '\n' ' ')" = 'a/b err 1 3 ' ]
  fmap --results=R2/{/.}.txt echo ::: x/y.c >/dev/null
  [ "$(cat R2/y.txt)" = x/y.c ]
  [ -z "$(find R R2 -name '*.part')" ]
}

@test "a journal: nothing that was done is run again, and each output is there once, after kill -9" {
  seq 40 >in
  for round in 1 2 3 4 5 6; do
    rm -rf J J.d OUT ran
    kills=0
    while :; do
      "$FMAP" -k -j2 --journal=J --resume -o OUT -c 'echo "$1" >>ran; seq "$1" 5000; [ $(($1 % 5)) != 0 ] || sleep 0.05' <in &
      pid=$!
      if ((kills++ < 4)); then
        # After some items more, at any point of one.
        want=$(($(wc -l <J 2>/dev/null || echo 0) + 5 + round * 3))
        while kill -0 $pid 2>/dev/null && [ "$(wc -l <J 2>/dev/null || echo 0)" -lt $want ]; do sleep 0.01; done
        kill -9 $pid 2>/dev/null || :
      fi
      wait $pid && break
    done
    for i in $(seq 40); do seq "$i" 5000; done | cmp - OUT
    # At most two ran at each of the kills.
    [ "$(wc -l <ran)" -le $((40 + 2 * 4)) ]
    [ "$(sort -n ran | uniq | wc -l)" = 40 ]
    [ ! -e J.d ]
  done
}

@test "outputs that wait behind a slow head are not made again" {
  "$FMAP" -k -j2 -b 20 --journal=J --resume -o OUT -c 'echo "$1" >>ran; [ "$1" != 1 ] || [ -e go ] || sleep 1000; seq 9000' ::: 1 2 3 4 5 6 &
  pid=$!
  wait_for grep -q '"ended":6' J
  kill -9 $pid
  wait $pid || :
  touch go
  fmap -k -j2 -b 20 --journal=J --resume -o OUT -c 'echo "$1" >>ran; [ "$1" != 1 ] || [ -e go ] || sleep 1000; seq 9000' ::: 1 2 3 4 5 6
  [ "$(sort ran | tr '\n' ' ')" = '1 1 2 3 4 5 6 ' ]
  for i in 1 2 3 4 5 6; do seq 9000; done | cmp - OUT
}

@test "what a killed run has left in the journal's folder is used or removed" {
  seq 6 >in
  script='echo "$1" >>ran; [ "$1" != 1 ] || while [ ! -e go ]; do sleep 0.05; done; seq "$1" 3000'
  "$FMAP" -k -j2 -b6 --journal=J --resume -o OUT -c "$script" <in &
  wait_for eval '[ "$(grep -c ended J)" = 5 ]'
  kill -9 $!
  wait $! || :
  touch go J.d/7-00ab.out J.d/1-00ab.err J.d/notes.out
  fmap -k -j2 --journal=J --resume -o OUT -c "$script" <in
  for n in 1 2 3 4 5 6; do seq $n 3000; done | cmp - OUT
  [ "$(sort ran | tr '\n' ' ')" = '1 1 2 3 4 5 6 ' ]
  [ "$(ls J.d)" = notes.out ]
}

@test "a journal of another run is refused, and the first difference is named" {
  fmap --journal=J echo ::: a b c >/dev/null
  status_of 125 fmap --journal=J echo ::: a b c
  grep -q -- --resume err
  status_of 125 fmap --journal=J --resume echo ::: a x c
  grep -q 'item 2 was another one, and is x' err
  status_of 125 fmap --journal=J --resume cat ::: a b c
  grep -q 'the command was echo and is cat' err
  status_of 125 fmap --journal=J --resume echo ::: a b
  status_of 0 fmap --journal=J --resume echo ::: a b c d
  [ "$(cat out)" = d ]
  status_of 0 fmap --journal=J --resume-by=item echo ::: e d c b a
  [ "$(cat out)" = e ]
  exec 8<>J
  flock 8
  status_of 125 fmap --journal=J --resume-by=item echo ::: a
  grep -q 'in use' err
  exec 8>&-
}

# -- what is going on ------------------------------------------------------------------------------

@test "SIGQUIT: what runs, and its last line; SIGUSR1: one more at a time" {
  "$FMAP" -j1 -c 'echo "line of $1"; touch begun$1; while [ ! -e go ]; do sleep 0.05; done' ::: a b >out 2>err &
  pid=$!
  wait_for test -e beguna
  [ ! -e begunb ]
  asked() { kill -QUIT $pid; grep -q 'a for [0-9]* s: line of a' err; }
  wait_for asked
  kill -USR1 $pid
  wait_for test -e begunb
  touch go
  wait $pid
}

@test "--bar: a plain line at the end where there is no terminal" {
  seq 5 >in
  fmap --bar true <in 2>err
  grep -qE '^fmap: 5/5 done, 0 failed, ' err
}

@test "a run that is refused leaves the files of others as they are" {
  fmap --journal=J -o OUT -k echo ::: a b c
  status_of 125 fmap --journal=J -o OUT -k echo ::: a b c
  [ "$(cat OUT)" = $'a\nb\nc' ]
  fmap --journal=J --resume -o OUT -k echo ::: a b c
  [ "$(cat OUT)" = $'a\nb\nc' ]
  status_of 2 fmap --joblog LOG -o OUT -j 90000000 echo ::: a
  [ "$(cat OUT)" = $'a\nb\nc' ]
}

@test "what a command has printed that was ended with the run is not there twice" {
  "$FMAP" --journal=J -o OUT -j1 -c 'echo part; touch begun; exec sleep 100' ::: a 2>err &
  pid=$!
  wait_for test -e begun
  kill -TERM $pid
  wait_for grep -q 'waiting for' err
  kill -TERM $pid
  wait $pid || :
  [ ! -s OUT ]
}

@test "--split-failed: the job log has the command of those that failed" {
  status_of 123 fmap -n4 --split-failed --joblog LOG -c 'for i; do [ "$i" != 5 ] || exit 9; done' ::: 1 2 3 4 5 6 7 8
  [ "$(grep -c . LOG)" = 3 ]
  awk -F '\t' '$7 == 9 { print $9 }' LOG | grep -q 'fmap 5$'
  status_of 123 fmap --retry-failed --joblog LOG
}

@test "-c: what follows an arithmetic command is read as a shell reads it" {
  run fmap --shell-program /bin/bash -c $'((1))# it\'s\necho {}' ::: '$(echo INJECTED)'
  [ "$output" != INJECTED ]
  [ "$(fmap -c 'echo $((1 + 2)) {}' ::: 'a b')" = '3 a b' ]
}

@test "--results of blocks: one place for each" {
  seq 10 | fmap --pipe --block-records=3 --results=R -k cat >/dev/null
  [ "$(cat R/2/stdout)" = $'4\n5\n6' ]
  [ "$(cat R/4/seq)" = 4 ]
}

@test "items are counted where items are meant, and commands where commands are" {
  status_of 124 fmap -j1 -b10 -n10 --halt soon,done=50% -c 'echo $#' ::: $(seq 100)
  [ "$(grep -c . out)" -lt 10 ]
  [ "$(fmap -k -n2 echo '{#}/{##}' ::: a b c d e)" = $'1/3\n2/3\n3/3' ]
  [ "$(fmap -k --tag='{#}/{##}' echo ::: a b)" = $'1/2\ta\n2/2\tb' ]
}

@test "results that cannot be written end the run, though its input waits" {
  mkfifo pipe
  "$FMAP" --results=/proc/nope echo <pipe 2>err &
  pid=$!
  exec 9>pipe
  echo a >&9
  wait_for gone $pid
  exec 9>&-
  status=0
  wait $pid || status=$?
  [ "$status" = 125 ]
}

@test "a signal ends it as a signal does, each time" {
  for n in $(seq 30); do
    signal=$(perl -e '$p = fork // die; exec @ARGV if !$p; waitpid $p, 0; print $? & 127' \
      "$FMAP" -q -c 'kill -TERM $FMAP_PID' ::: a)
    [ "$signal" = 15 ]
  done
}

# -- how commands are begun ------------------------------------------------------------------------

@test "--nice, --rlimit, --workdir, --env: what commands are begun with" {
  [ "$(echo | fmap --nice=3 -c nice)" = "$(nice -n 3 nice)" ]
  [ "$(echo | fmap --rlimit=core=0,nofile=77,fsize=2k -c 'ulimit -c; ulimit -n; ulimit -f')" = $'0\n77\n4' ]
  fmap --workdir='W/{}' touch here ::: a b
  [ -e W/a/here ] && [ -e W/b/here ]
  touch file
  status_of 123 fmap --workdir='file/{}' touch here ::: a
  grep -q 'workdir' err
  [ "$(echo | FOO=old fmap --env FOO=new --env BAR='a b' -c 'echo "$FOO $BAR"')" = 'new a b' ]
  for wrong in --nice=x --nice=99 --rlimit=nothing=1 --rlimit=cpu --env=X --rate=0 --rate=1/y --load=0 --memfree=x --delay=x; do
    status_of 2 fmap "$wrong" echo ::: a
  done
}

@test "--delay and --rate: starts are apart" {
  begun=$(date +%s%N)
  fmap -j8 --delay=100ms true ::: 1 2 3 4
  [ $(($(date +%s%N) - begun)) -ge 300000000 ]
  begun=$(date +%s%N)
  fmap -j8 --rate=5 true ::: 1 2 3 4
  [ $(($(date +%s%N) - begun)) -ge 600000000 ]
}

@test "--memfree and --load: nothing is begun while there is not so much; a signal ends the wait" {
  [ "$(fmap --memfree=1k --load=1000000 echo ::: a)" = a ]
  "$FMAP" -v --memfree=999t touch RAN ::: a b 2>err &
  wait_for grep -q 'begins nothing: .* of memory are free' err
  kill -TERM $!
  status=0
  wait $! || status=$?
  [ "$status" = 143 ]
  [ ! -e RAN ]
}

@test "-j FILE: how many run follows the file" {
  echo 1 >jobs
  "$FMAP" -v -j jobs -c 'touch "begun$1"; while [ ! -e go ]; do sleep 0.05; done' ::: 1 2 3 4 2>err &
  wait_for test -e begun1
  echo nonsense >jobs
  wait_for grep -q 'nonsense' err
  [ ! -e begun2 ]
  echo 3 >other
  mv other jobs
  wait_for test -e begun3
  [ ! -e begun4 ]
  touch go
  wait $!
  status_of 2 fmap -j not-there echo ::: a
}

@test "-v names all failed items, tells of tries, and sums up" {
  status_of 123 fmap -v --tries=2 false ::: $(seq 12)
  [ "$(grep -c 'exit 1 after 2 tries' err)" = 12 ]
  [ "$(grep -c 'exit 1, try 2 of 2' err)" = 12 ]
  status_of 0 fmap -v true ::: a b
  grep -qx 'fmap: 2 items succeeded' err
}

@test "--quarantine: items that are given up" {
  status_of 123 fmap --tries=2 --quarantine=Q -c 'echo "no $1" >&2; [ "$1" = good ] || kill -KILL $$' ::: good bad
  [ "$(wc -l <Q)" = 1 ]
  for member in '"item":"bad"' '"attempts":2' '"signals":[9,9]' '"stderr":"no bad\n"'; do
    grep -qF "$member" Q
  done
  [ "$(fmap --jsonl-items -a Q echo {item})" = bad ]
}

@test "--tty: the terminal, one at a time, in our process group" {
  command -v script >/dev/null || skip "no script(1)"
  printf '%s\n' 'test -t 0 && test -t 1 && echo $1 $(ps -o pgid= -p $$) $(ps -o pgid= -p $FMAP_PID)' >job
  script -qec "$FMAP --tty sh job ::: a b" /dev/null </dev/null | tr -d '\r' >out
  [ "$(awk '$2 == $3 { print $1 }' out | tr '\n' ' ')" = 'a b ' ]
  status_of 2 fmap --tty -j2 echo ::: a
}

@test "the manual page and the completions are made from the table of options" {
  for what in man bash zsh fish; do
    fmap --print=$what >$what
    for option in tries journal quarantine; do grep -q -- "$option" $what; done
  done
  status_of 2 fmap --print=nothing
  bash -n bash
  ! command -v zsh >/dev/null || zsh -n zsh
  ! command -v fish >/dev/null || fish -n fish
  if command -v groff >/dev/null; then
    groff -man -Tutf8 -ww -z man 2>warnings
    [ ! -s warnings ]
  fi
}

@test "bash completes options, their values, commands and files" {
  fmap --print=bash >completion
  touch some-file
  completed() { # WORD...: what the last one may become
    COMP_WORDS=(fmap "$@") COMP_CWORD=$#
    COMPREPLY=()
    _fmap
    printf '%s\n' "${COMPREPLY[@]}" | sort | tr '\n' ' '
  }
  source ./completion
  [ "$(completed --retry-)" = '--retry-delay --retry-failed --retry-on ' ]
  [ "$(completed --color = a)" = 'always auto ' ]
  [ "$(completed --color =)" = 'always auto never ' ]
  [ "$(completed --exit m)" = 'max ' ]
  [ "$(completed -ka some-)" = 'some-file ' ]
  [ "$(completed -k -j 4 cat some-)" = 'some-file ' ]
  [[ " $(completed -k ca)" == *' cat '* ]]
  [[ " $(completed -- ca)" == *' cat '* ]]
}

# -- workers -----------------------------------------------------------------------------------------

# A worker that answers at once, notes that it was begun, and does what items say.
worker() {
  cat >worker.sh <<'END'
echo $$ >>begun
while IFS= read -r item; do
  case $item in
    *kill*) kill -KILL $$ ;;
    *leave*) exit 0 ;;
    *twice*) echo one ;;
    *hang*) sleep 1000 ;;
    *err*) echo "about $item" >&2 ;;
  esac
  echo "<$item>"
done
END
}

@test "--worker: a command stays and answers each item, as it comes or in input order" {
  worker
  seq 500 >in
  fmap --worker -j3 sh worker.sh <in | sort -n -t'<' -k2 >out
  sed 's/.*/<&>/' in | cmp - out
  [ "$(wc -l <begun)" -le 3 ]
  fmap --worker -j3 -k sh worker.sh <in >out
  sed 's/.*/<&>/' in | cmp - out
  fmap --worker -j2 -k -b2 sh worker.sh <in >out
  sed 's/.*/<&>/' in | cmp - out
  fmap --worker -k --tag -c 'while read -r x; do echo "$((x * 2))"; done' ::: 1 2 | grep -qx $'2\t4'
  status_of 0 fmap --worker sh worker.sh
  [ ! -s out ]
}

@test "--worker: NUL, several lines, JSON, batches, frames" {
  [ "$(printf 'a\nb\0c\0' | fmap -0 -k --worker=lines0 -j1 -c 'tr a-z A-Z' | tr '\0' ,)" = $'A\nB,C,' ]
  [ "$(fmap -k --worker --answer-end=. -j2 -c 'while read -r n; do seq "$n"; echo .; done' ::: 2 0 3)" = $'1\n2\n1\n2\n3' ]
  status_of 123 fmap -k --worker=jsonl -j1 perl -ne '
    $| = 1; /"seq":(\d+),"item":"(\w+)"/;
    print $2 eq "b" ? "{\"seq\":$1,\"error\":\"no\"}\n" : "{\"seq\":$1,\"result\":\"$2$2\"}\n"' ::: a b c
  [ "$(cat out)" = $'aa\ncc' ]
  grep -qx no err
  grep -qx 'fmap: b: exit 1' err
  seq 1000 >in
  printf '%s\n' 'while read -r n; do i=0; while [ $i -lt "$n" ]; do read -r x; echo $((x + 1)); i=$((i + 1)); done; done' >batches.sh
  fmap -k --worker=batches -j2 sh batches.sh <in >out
  seq 2 1001 | cmp - out
  printf 'a\nb\0longer\0' | fmap -0 -k --worker=frames -j2 perl -e '
    $| = 1;
    while (read(STDIN, $n, 4) == 4) {
      read(STDIN, $text, unpack("V", $n));
      print "\0" . pack("V", length $text) . uc $text;
    }' >out
  [ "$(cat out)" = $'A\nBLONGER' ]
  status_of 123 fmap --worker cat ::: $'a\nb'
  grep -q 'holds a newline' err
  status_of 2 fmap --worker=other cat
  status_of 2 fmap --worker -n2 cat
}

@test "--worker: poison is tried again alone and given up; nothing else is lost" {
  worker
  { seq 30; echo kill; seq 31 60; echo leave; } >in
  status_of 123 fmap --worker -j2 -k --quarantine=Q sh worker.sh :::: in
  grep -v '[a-z]' in | sed 's/.*/<&>/' | cmp - out
  grep -qx 'fmap: kill: killed by SIGKILL after 4 tries' err
  grep -q '^fmap: leave: its worker has ended without an answer' err
  grep -q '2 of 62 items failed' err
  [ "$(fmap --jsonl-items -a Q -k echo {item} {signals} | sort | tr '\n' ' ')" = 'kill [9,9,9,9] leave [] ' ]
  status_of 123 fmap --worker --tries=1 -j2 -k sh worker.sh ::: a kill b
  grep -q 'kill: killed by SIGKILL after 2 tries' err
}

@test "--worker: answers that are kept in a buffer come, and poison among them is found" {
  seq 3000 >in
  fmap --worker -j2 -k perl -ne 'print $_ * 2, "\n"' <in >out 2>err
  seq 2 2 6000 | cmp - out
  [ "$(grep -c 'does not answer but waits for more' err)" = 1 ]
  status_of 123 fmap --worker -j2 -k --worker-depth=500 perl -ne 'kill 9, $$ if /^1700$/; print' :::: in
  grep -vx 1700 in | cmp - out
  [ "$(grep -c 'killed by SIGKILL' err)" = 1 ]
}

@test "--worker: what breaks the protocol is named with worker, item and bytes" {
  worker
  status_of 125 fmap --worker -j1 -k sh worker.sh ::: a twice b
  grep -q "worker 1 breaks the protocol: one answer more than there were questions: '" err
  status_of 123 fmap --worker=jsonl -j1 -c 'while read -r x; do echo "debug: $x"; done' ::: a
  grep -q "worker 1 breaks the protocol: its answer is no JSON: 'debug: {\"seq\":1.*', at a" err
  status_of 123 fmap --worker=jsonl -j1 -c 'while read -r x; do echo "{\"seq\":77,\"result\":1}"; done' ::: a
  grep -q 'question 77, which it has not been asked' err
}

@test "--worker: time-outs are final, standard error passes, workers are replaced, and ready before" {
  worker
  status_of 123 fmap --worker -j2 -k --timeout=500ms sh worker.sh ::: a hang b err
  [ "$(cat out)" = $'<a>\n<b>\n<err>' ]
  grep -qx 'fmap: hang: time-out' err
  grep -qx '\[worker [12]\] about err' err
  rm begun
  [ "$(seq 10 | fmap --worker -j1 -k --worker-items=3 sh worker.sh | wc -l)" = 10 ]
  [ "$(wc -l <begun)" = 4 ]
  [ "$(fmap --worker -j1 --worker-ready='come on' -c 'echo come on; cat' ::: a)" = a ]
  status_of 125 fmap --worker -j1 --worker-ready=yes -c 'echo why not >&2; echo no' ::: a
  grep -q 'why not' err
  status_of 127 fmap --worker no-such-command-here ::: a b
}

@test "--worker: killed at random, each item is answered once" {
  cat >slow.sh <<'END'
echo $$ >>pids
while IFS= read -r item; do echo "<$item>"; [ $((item % 7)) != 0 ] || sleep 0.01; done
END
  seq 1500 >in
  touch pids
  "$FMAP" --worker -j3 -k --tries=50 sh slow.sh <in >out 2>err &
  fmap_pid=$!
  while ! gone "$fmap_pid"; do
    pid=$(shuf -n1 pids)
    if [ -n "$pid" ] && [ "$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)" = 'sh slow.sh ' ]; then
      kill -9 "$pid" 2>/dev/null || :
    fi
    sleep 0.05
  done
  wait "$fmap_pid"
  sed 's/.*/<&>/' in | cmp - out
}

@test "--worker: a signal drains; a journal is taken up" {
  worker
  mkfifo pipe
  "$FMAP" --worker -j2 sh worker.sh <pipe >out &
  exec 9>pipe
  echo first >&9
  wait_for grep -q first out
  kill -TERM $!
  status=0
  wait $! || status=$?
  exec 9>&-
  [ "$status" = 143 ]
  fmap --worker -j2 -k --journal=J -o OUT sh worker.sh ::: a b
  fmap --worker -j2 -k --journal=J --resume -o OUT sh worker.sh ::: a b c
  [ "$(cat OUT)" = $'<a>\n<b>\n<c>' ]
}

# -- documentation ---------------------------------------------------------------------------------

@test "the examples of the documentation print what they say" {
  mkdir bin && ln -s "$FMAP" bin/fmap
  PATH=$PWD/bin:$PATH
  unset -f fmap
  for page in "$BATS_TEST_DIRNAME"/../../docs/tool.md "$BATS_TEST_DIRNAME"/../../README.md; do
    awk '/^```/ { inside = /^```console/ } inside && !/^```/' "$page" >examples
    [ -s examples ]
    grep '^\$ ' examples | cut -c3- >commands
    while IFS= read -r command; do
      echo "\$ $command"
      bash -c "$command" 2>&1 </dev/null || :
    done <commands >printed
    diff examples printed
  done
}
