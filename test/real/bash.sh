#!/bin/bash
# arrays, expansion, here-documents, substitution of processes, traps, jobs.
# lockstep: 1
exec 2>/dev/null # the shell tells process ids there

echo "== arrays"
declare -a list=(one two "three four" [7]=seven)
declare -A map=([red]=1 [green]=2 [blue]=3)
echo "${#list[@]} ${!list[*]} ${list[2]} ${list[-1]}"
for key in $(printf '%s\n' "${!map[@]}" | sort); do echo "$key=${map[$key]}"; done
list+=(eight); unset 'list[0]'; echo "${list[@]:1:3}"
mapfile -t lines < <(printf 'a\nb b\nc\n'); printf '<%s>' "${lines[@]}"; echo
readarray -d : -t parts <<<"x:y:z"; echo "${#parts[@]} ${parts[1]}"
declare -n alias=list; alias[1]=TWO; echo "${list[1]}"

echo "== expansion"
path=/usr/local/lib/libfoo.so.1.2
echo "${path##*/} ${path%/*} ${path%%.*} ${path//o/0} ${path/#\/usr/ROOT} ${path^^} ${path:5:5} ${#path}"
echo {a..e}{1..3} {01..10..3} "${unset:-default}" "${unset:+set}" $((2 ** 62 - 1)) $((16#ff ^ 8#17)) $((-7 / 2)) $((-7 % 3))
x=5; echo $((x++ + ++x)) $((x <<= 3)) $((x > 3 ? x : 3))
[[ "key=value" =~ ^([a-z]+)=(.*)$ ]] && echo "${BASH_REMATCH[1]} ${BASH_REMATCH[2]}"
shopt -s extglob
[[ foobar == +(foo|bar) ]] && echo extglob
printf '%q %s %5.2f %x %o %e %b|%-8s|%08d\n' "a b'c" str 3.14159 255 8 12345.678 'tab\there' left 42
printf -v var '%(%Y-%m-%d)T' 86400; echo "$var"
IFS=,; set -- a b c; echo "$*"; unset IFS
echo "${@@Q}" "${var@A}"

echo "== here-documents"
cat <<-END
	indented $((6 * 7)) $(echo nested "$(echo deeper)")
	END
cat <<'END'
no $expansion `here`
END
tr a-z A-Z <<<"here string"

echo "== substitution of processes"
diff <(printf '1\n2\n3\n') <(printf '1\n3\n4\n')
paste <(seq 3) <(seq 4 6) <(seq 7 9)
tee >(sed 's/^/copy: /' >copy) >/dev/null <<<"text"; wait $!; sleep 0.1; cat copy
coproc UP { while read -r line; do echo "${line^^}"; done; }
echo shout >&"${UP[1]}"; read -r answer <&"${UP[0]}"; echo "$answer"
exec {UP[1]}>&-; wait "$UP_PID"; echo "coproc $?"

echo "== traps"
trap 'echo "usr1 $1"' USR1
kill -USR1 $$; kill -USR1 $$; echo after
(trap 'echo exit trap $?' EXIT; exit 3); echo "status $?"
trap 'echo "err at $LINENO"' ERR; false; trap - ERR
(trap 'echo term; exit 9' TERM; kill -TERM $BASHPID; sleep 5); echo "status $?"
(kill -KILL $BASHPID) 2>/dev/null; echo "status $?"
(kill -SEGV $BASHPID) 2>/dev/null; echo "status $?"
(trap '' INT; kill -INT $BASHPID; echo ignored)
f() { trap 'echo "return from ${FUNCNAME[0]}"' RETURN; local y=1; ((y)); }; f; trap - RETURN
set -o functrace; trap 'n=$((n + 1))' DEBUG; :; :; trap - DEBUG; set +o functrace; echo "debug $((n > 1))"

echo "== jobs"
set -m
sleep 10 & sleep 20 & jobs | sed 's/ *sleep/ sleep/'
kill %1; wait %1 2>/dev/null; echo "first $?"
kill -STOP %2; sleep 0.2; jobs | grep -c Stopped
kill -CONT %2; sleep 0.1; jobs -r | wc -l
kill -9 %2; wait %2 2>/dev/null; echo "second $?"
(sleep 0.1; exit 7) & wait -n; echo "any $?"
set +m
for i in 1 2 3; do (echo "child $i" >>children) & done; wait; sort children
timeout 0.2 bash -c 'while :; do :; done'; echo "timeout $?"
timeout 100 bash -c 'trap "echo caught; exit 5" TERM; kill $PPID; while :; do :; done'; echo "passed on $?"

echo "== functions and files"
fib() { (($1 < 2)) && echo "$1" || echo $(($(fib $(($1 - 1))) + $(fib $(($1 - 2))))); }
fib 9
recurse() { (($1)) && recurse $(($1 - 1)) || echo bottom; }; recurse 500
exec 5>out; echo five >&5; exec 5>&-; exec 6<out; read -r -u 6 word; exec 6<&-; echo "$word"
for f in a.txt b.txt 'c d.txt'; do : >"$f"; done; echo *.txt; [ -f 'c d.txt' -a ! -d a.txt ] && echo tests
(set -e; false; echo unreached); echo "errexit $?"
(set -o pipefail; false | true); echo "pipefail $?"
(set -u; echo "$undefined") 2>&1 | sed 's/.*: //'
true | false | true; echo "${PIPESTATUS[@]}"
command -v nothing || echo "not found $?"
nothing 2>/dev/null; echo "status $?"
: >noexec; ./noexec 2>/dev/null; echo "status $?"
select_me() { select word in red green; do echo "chose $word"; break; done; }; select_me <<<2 2>/dev/null
getopts_me() { while getopts ab:c o; do echo "$o ${OPTARG-}"; done; }; getopts_me -a -b value -c
time_me=$(TIMEFORMAT=%R; { time :; } 2>&1); [[ $time_me == [0-9]*.[0-9][0-9][0-9] ]] && echo timed
ulimit -n 64; ulimit -n; ulimit -c 0; ulimit -S -s 4096; ulimit -s
umask 027; : >masked; stat -c %a masked; echo $((SECONDS >= 0)) "$BASH_SUBSHELL" "$(echo "$BASH_SUBSHELL")"
