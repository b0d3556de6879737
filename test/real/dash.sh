#!/bin/dash
# POSIX shell: loops, functions, redirection, traps, pipelines, many forks.
# lockstep: 1!
i=0 sum=0
while [ $i -lt 2000 ]; do sum=$((sum + i * i % 7)); i=$((i + 1)); done; echo $sum
f() { local a=$1; shift; echo "$a:$*"; return 4; }; f x y z; echo $?
for w in a "b c" d; do case $w in *\ *) echo blank;; [a-c]) echo low;; *) echo other;; esac; done
cat <<END | while read -r a b; do echo "$b $a"; done
one two
three four $((1 << 40))
END
trap 'echo bye' EXIT; trap 'echo hup' HUP; kill -HUP $$
(exit 12) || echo "sub $?"
echo out >o 2>&1; { echo a; echo b >&2; } 2>>o >>o; cat o
x=$(echo a; echo b); echo "$x" "${x#a}" "${#x}" "${x%b}"
set -- $(seq 1 20); shift 5; echo $# $1 "$*"; eval 'y=\$HOME'; echo $y
i=0; while [ $i -lt 150 ]; do (exit $((i % 3))); [ $? = $((i % 3)) ] || echo wrong; i=$((i + 1)); done
i=0; while [ $i -lt 30 ]; do /bin/true | cat >/dev/null; i=$((i + 1)); done
sleep 5 & pid=$!; kill $pid; wait $pid; echo $?
trap 'echo usr1' USR1; (sleep 0.1; kill -USR1 $$; sleep 0.5) & wait; echo "interrupted $?"; wait
printf '%d %s %o %x %5.1f|%c\n' 12 str 8 255 2.25 abc; test 1 -lt 2 -a ! -e none; echo $?
readonly r=1; (r=2) 2>/dev/null; echo $?; umask; type cd; command -v sort; unset undefined; echo ${undefined-unset}
read -r l </dev/null; echo $?; exec 3<o; read l <&3; echo "$l"; echo 'a\tb'; ulimit -f unlimited; exit 3
