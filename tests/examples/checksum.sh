#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Compares the checksum example with sha256sum on a small tree: checksum.sh PATH-OF-CHECKSUM
set -u

checksum=$(realpath "${1:?usage: checksum.sh PATH-OF-CHECKSUM}")
export LC_ALL=C
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

# run ARGUMENT...: leaves $out, $err and $status; a run that hangs ends as status 124
run() {
  timeout 60 "$checksum" "$@" >"$room.out" 2>"$room.err"
  status=$?
  out=$(<"$room.out")
  err=$(<"$room.err")
  rm -f "$room.out" "$room.err"
}

mkdir -p 'tree/deep/er/still' 'tree/with space' tree/empty 'tree/-dashed' elsewhere
echo one >tree/one
echo two >'tree/with space/the file'
echo three >$'tree/new\nline'
echo four >'tree/back\slash'
echo five >'tree/comma,and;more'
echo six >tree/-dashed/-file
echo seven >tree/deep/er/still/here
echo eight >$'tree/\xff\xfe not UTF-8'
: >tree/nothing
head -c 5000001 /dev/urandom >tree/large
for i in {1..300}; do echo "$i" >"tree/deep/$i"; done
echo outside >elsewhere/outside
ln -s ../one tree/deep/link-to-file
ln -s ../elsewhere tree/link-to-directory
ln -s tree link-to-tree
mkfifo tree/fifo

mapfile -d '' files < <(find tree -type f -print0 | sort -z)
sums=$(sha256sum -- "${files[@]}")
sorted_sums=$(sort <<<"$sums")

run tree
same 'a tree: every regular file, no link, no fifo' "$sorted_sums" "$(sort <<<"$out")"
same 'a tree: nothing on standard error' '' "$err"
same 'a tree: status' 0 "$status"
"$checksum" tree | sha256sum --quiet --strict -c -
same 'sha256sum -c reads it' '0 0' "${PIPESTATUS[*]:1} $?"
run link-to-tree/
same 'a link as an argument is followed' ${#files[@]} "$(wc -l <<<"$out")"

run --processes --ordered --jobs 2 -- "${files[@]}"
same 'processes: as sha256sum, line by line' "$sums" "$out"

run --ordered --jobs 3 --buffer 5 -- "${files[@]}"
same 'ordered: as sha256sum, line by line' "$sums" "$out"
run -j 1 -b 1 -- "${files[@]}"
same 'one job, one in flight' "$sorted_sums" "$(sort <<<"$out")"

run --ordered tree/one tree/one ./tree/nothing
same 'a name given twice, an empty file' "$(sha256sum tree/one tree/one ./tree/nothing)" "$out"

run --ordered tree/one missing tree/nothing tree/one/below
same 'missing files: the others are hashed' "$(sha256sum tree/one tree/nothing)" "$out"
same 'missing files: standard error' "checksum: missing: No such file or directory
checksum: tree/one/below: Not a directory" "$err"
same 'missing files: status' 1 "$status"
run $'no\nsuch\\file'
same 'an error is one line' 'checksum: no\nsuch\\file: No such file or directory' "$err"

printf 'carriage' >$'carriage\rreturn'
run $'carriage\rreturn'
same 'a carriage return' "\\$(printf 'carriage' | sha256sum | cut -c1-64)  carriage\\rreturn" "$out"

names=$(printf '%s\n' "${files[@]}" | grep -v -e '^tree/new$' -e '^line$')
run --ordered - <<<"$names"
same 'paths on standard input' "$(xargs -d '\n' sha256sum -- <<<"$names")" "$out"
run --ordered - < <(printf '%s' "$names")
same 'the last line without a newline' "$(xargs -d '\n' sha256sum -- <<<"$names")" "$out"
run --ordered -0 - < <(printf '%s\0' "${files[@]}")
same 'paths that end with NUL' "$sums" "$out"
run --ordered tree/one - tree/nothing <<<tree/large
same 'arguments around -' "$(sha256sum tree/one tree/large tree/nothing)" "$out"
run - </dev/null
same 'no paths at all' ' 0' "$out$err $status"
run - <<<tree
same 'a directory on standard input' "$sorted_sums" "$(sort <<<"$out")"
run -0 - < <(printf 'tree/one\0tree/with space\0tree/empty\0link-to-tree\0tree/nothing\0tree/deep')
same 'directories among the paths on standard input, and a link to one' \
  "$(find tree/one 'tree/with space' tree/empty link-to-tree/ tree/nothing tree/deep -type f -print0 |
    xargs -0 sha256sum -- | sed 's,link-to-tree//*,link-to-tree/,' | sort)" "$(sort <<<"$out")"
run tree/one - tree/nothing <<<'tree/deep/er'
same 'arguments around - with a directory' 3 "$(wc -l <<<"$out")"
run - < <(cd tree && printf '%s\n' -)
same '- on standard input is a file of that name' 'checksum: -: No such file or directory 1' \
  "$err $status"
run --ordered - < <(printf 'gone\n\n%05000d\ntree/one\n' 0)
same 'bad paths on standard input: the others are hashed' "$(sha256sum tree/one)" "$out"
same 'bad paths on standard input: standard error' "checksum: gone: No such file or directory
checksum: '': No such file or directory
checksum: $(printf '%04096d' 0): File name too long" "$err"
same 'bad paths on standard input: status' 1 "$status"
run - < <(printf '%s\0' "${files[@]}")
same 'NUL without --null: nothing is hashed' ' 1' "$out $status"
run - <tree
same 'unreadable standard input' 'checksum: standard input: Is a directory 1' "$err $status"

# The input stays open while the first result is waited for.
mkfifo paths answers
timeout 60 "$checksum" - <paths >answers &
exec 3>paths 4<answers
echo tree/one >&3
read -r -t 30 first <&4
same 'a path is hashed as soon as it arrives' "$(sha256sum tree/one)" "$first"
exec 3>&-
wait $!
same 'the end of the input ends it' 0 $?

timeout 60 "$checksum" tree 2>/dev/null | head -n 1 >/dev/null
same 'a reader that leaves' true "$([[ ${PIPESTATUS[0]} == @(0|141) ]] && echo true)"
run tree </dev/null
timeout 60 "$checksum" tree >&- 2>"$room.err"
same 'closed standard output: status' 1 $?
same 'closed standard output: message' 'checksum: write error: Bad file descriptor' \
  "$(<"$room.err")"
timeout 60 "$checksum" tree >/dev/full 2>"$room.err"
same 'full disk: status' 1 $?
same 'full disk: message' 'checksum: write error: No space left on device' \
  "$(<"$room.err")"
without_sigpipe() {
  trap '' PIPE
  timeout 60 "$checksum" - 2>"$room.err"
  echo $? >"$room.status"
}
yes tree/one | without_sigpipe | head -n 1 >/dev/null
same 'a reader that leaves while SIGPIPE is ignored' '1 checksum: write error: Broken pipe' \
  "$(<"$room.status") $(<"$room.err")"
rm -f "$room.err" "$room.status"

timeout 60 "$checksum" --stats tree/one >"$room.out" 2>/dev/full
same 'stats that cannot be written: status' 1 $?
same 'stats that cannot be written: the hashes are there' "$(sha256sum tree/one)" "$(<"$room.out")"
for option in --help --version; do
  timeout 60 "$checksum" $option >/dev/full 2>"$room.err"
  same "full disk: $option" '1 checksum: write error: No space left on device' \
    "$? $(<"$room.err")"
done
rm -f "$room.out" "$room.err"

run --stats --ordered tree/one tree/large missing
same 'stats: items, failed, bytes' 'items 3 failed 1 bytes 5000005' \
  "$(awk '/^(items|failed|bytes) /{printf "%s%s %s", sep, $1, $2; sep=" "}' <<<"$err")"
same 'stats: on standard error only' "$(sha256sum tree/one tree/large)" "$out"
run --stats --buffer 7 tree
same 'stats: never more in flight than asked' true \
  "$(awk '/^buffersize/{size=$2} /^peak/{peak=$4}
          END{if (size == 7 && peak >= 1 && peak <= 7) print "true"}' <<<"$err")"

run --nodes :,: --jobs 1 tree missing </dev/null
same 'nodes: status, what is missing' '1 checksum: missing: No such file or directory' "$status $err"
same 'nodes: the same hashes as without' "$(timeout 60 "$checksum" tree 2>/dev/null | sort)" "$(sort <<<"$out")"

# Two terminals: one listens, the other joins.
(until [[ -s run.join ]]; do read -rt 0.05 <> <(:) || :; done; exec "$checksum" --fmap-node=@run.join --fmap-workers=1) 2>"$room.node" &
run --listen 127.0.0.1:0 --join-file run.join tree </dev/null
same 'listen: status and errors' '0 ' "$status $err"
same 'listen: the same hashes as without' "$(timeout 60 "$checksum" tree 2>/dev/null | sort)" "$(sort <<<"$out")"
wait $!
same 'listen: the node was sent home' '0 1' "$? $(grep -c 'joined 127.0.0.1:' "$room.node")"
rm -f run.join "$room.node"

run --help
same 'help: status and usage' "0 Usage:" "$status $(grep -o 'Usage:' <<<"$out")"
run --version
same 'version' '0  checksum (fmap)' "$status $err $(grep -xE 'checksum \(fmap\) [0-9]+(\.[0-9]+)+' <<<"$out" | cut -d' ' -f1-2)"
for arguments in '' '--jobs 0 tree' '--jobs -1 tree' '--jobs x tree' '--buffer 0 tree' '--buffer' \
  '--bogus tree' '--null tree' '--nodes= tree' '--nodes=a,,b tree' '--nodes=-x tree' '--listen=127.0.0.1:0 tree' '--join-file=f tree' '--ordered=maybe tree' '-x' '--jobs'; do
  # shellcheck disable=SC2086
  run $arguments
  same "usage error: checksum $arguments" "1  Try 'checksum --help'." "$status $out $(tail -n 1 <<<"$err")"
  same "usage error: checksum $arguments: ASCII" '' "$(tr -d '\n -~' <<<"$err")"
done

if ((failures > 0)); then
  echo "$failures checks failed"
  exit 1
fi
echo 'all checks passed'
