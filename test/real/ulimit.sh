#!/bin/bash
# Shells and programs under limits, the emulator's own memory not counted.
# lockstep: 1
exec 2>/dev/null
(ulimit -v 400000; bash -c 'x=$(seq 1000 | tail -1); echo $x; ulimit -v'; echo $?; python3 -c 'print(sum(range(1000)))'; python3 -c '
try:
    x = bytearray(500 << 20)
    print("no limit")
except MemoryError:
    print("MemoryError")'; perl -e 'print "perl\n"')
(ulimit -v 60000; ls -d /; (bash -c ':'); echo $?; gawk 'BEGIN { while (1) s = s "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" s }' >/dev/null 2>&1; echo $?)
(ulimit -d 100000; dash -c 'echo data'; python3 -c '
try:
    x = bytearray(500 << 20); print("no limit")
except MemoryError: print("MemoryError")')
(ulimit -t 1; while :; do :; done) 2>/dev/null; echo $?
(ulimit -f 10; trap '' XFSZ; dd if=/dev/zero of=big bs=1k count=100 2>/dev/null; echo $?; stat -c %s big); (ulimit -f 10; exec dd if=/dev/zero of=big bs=1k count=100) 2>/dev/null; echo $?
(ulimit -n 20; python3 -c '
fs = []
try:
    while True: fs.append(open("/dev/null"))
except OSError as e: print(len(fs), e)'; bash -c 'ulimit -n; exec 9</dev/null && echo ok'; ls -d /)
(ulimit -s 512; bash -c 'ulimit -s; echo stack'; perl -e 'sub f { my $n = shift; $n ? 1 + f($n - 1) : 0 } print f(5000), "\n"'); (ulimit -s 1024; python3 -c 'import resource; print(resource.getrlimit(resource.RLIMIT_STACK), resource.getrlimit(resource.RLIMIT_AS))'); ulimit -a | md5sum; (ulimit -S -v 300000; ulimit -H -v; ulimit -S -v; ulimit -v unlimited; ulimit -v)
(ulimit -v 1000; exec true) 2>/dev/null; [ $? -gt 0 ] && echo too little; prlimit --version >/dev/null 2>&1; (ulimit -c 0; ulimit -l; ulimit -x; ulimit -i | grep -c .) | md5sum
