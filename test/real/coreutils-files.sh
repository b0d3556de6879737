#!/bin/bash
# coreutils over files: cp, mv, ls, stat, dd, links, times, modes, df, du.
# lockstep: 20
exec 2>/dev/null
umask 022; export TZ=UTC; mkdir -p d/e/f 'd/g h'; echo text >d/a; seq 1000 >d/e/b; ln -s ../a d/e/link; ln d/a d/hard; mkfifo d/fifo; touch -d '2020-01-02 03:04:05.678' d/a; touch -d @0 d/e/b
: >'d/g h/new
line'; chmod 4751 d/e/b; chmod u=rw,g=r,o= d/a; chmod -R g+w d/e; truncate -s 1M d/sparse; touch -h -d @5 d/e/link; touch -d @7 d/fifo d/sparse
ls -lR --time-style=full-iso --color=always d | sed -E 's/^(total) .*/\1/; s/ +[0-9]+ +root/ root/' | grep -v -e ' d/\?$' | sed -E '/^d|fifo|sparse|new/s/ 20[0-9-]+ [0-9:.]+ / /'
ls -1pF d; ls -Q 'd/g h'; ls -m d; ls -i d/a d/hard | cut -d' ' -f1 | uniq | wc -l; ls --sort=size -1 d | head -2; ls -d --quoting-style=shell-escape d/*; ls none; echo $?
cp -a d copy; diff -r --no-dereference -x fifo d copy && echo same; stat -c '%A %a %F %N %s %h %Y' copy/a copy/e/b copy/e/link copy/fifo copy/sparse
cp -r --preserve=mode,timestamps d/e e2; cp -l d/a hard2; stat -c %h d/a; cp --reflink=auto --sparse=always d/sparse s2; stat -c '%s' s2; cp -u d/a d/e; cp -b d/a hard3; cp -v d/a new; cp d/a none/x; echo $?; cp --parents d/e/b .; cp -s "$PWD/d/a" soft; readlink soft | sed "s|$PWD|.|"
mv -v new moved; mv -n moved d/a; ls moved; mv -T copy copy2; mv --exchange d/a d/sparse 2>/dev/null && mv --exchange d/a d/sparse; rm -rv e2 | sort; rm none; echo $?; rm -f none; echo $?; rmdir d; echo $?
dd if=/dev/zero of=zero bs=4k count=16 status=none; dd if=d/e/b of=part bs=7 skip=3 count=10 conv=notrunc 2>&1 | head -2; od -c part | head -3; dd if=d/e/b bs=100 count=2 conv=ucase,swab status=none | md5sum; dd if=d/e/b of=zero bs=1 seek=100 count=50 conv=notrunc,fsync status=none; md5sum zero; dd if=zero bs=512 count=3 iflag=fullblock status=none | sha1sum; seq 30000 | dd bs=3 obs=11 ibs=5 status=none | md5sum
stat -f -c %T / >/dev/null; echo $?; stat -L -c %s d/e/link; stat -c '%t %T %F' /dev/null /dev/zero; stat --printf='%y\n' d/e/b; stat none; echo $?
df . >/dev/null; echo $?; du -s --apparent-size -B1 d/sparse d/e/b; du -a --apparent-size -b d/e | sort; df --output=target / | tail -1 | wc -l
ln -sf a d/l; ln -sfn ../x d/l; readlink d/l; readlink -f d/e/link | sed "s|$PWD|.|"; realpath --relative-to=d/e d/a; realpath -m none/../x | sed "s|$PWD|.|"; ln d/a d/hard 2>&1; ln -s loop loop; cat loop; basename /a/b.c .c; dirname /a/b.c; mktemp -u XXXXXX | wc -c; mktemp -d -p . t.XXX | cut -c1-4
chown root:root d/a; chgrp 0 d/a; chown 1:2 zero 2>/dev/null; install -D -m 640 d/a i/j/k; stat -c %a i/j/k; install -d -m 700 dir; stat -c %a dir; mkdir -m 711 m; stat -c %a m; mkdir d; echo $?; mknod p p; test -p p; echo $?; touch -r d/e/b ref; stat -c %Y ref; touch -a -d @99 ref; stat -c '%X %Y' ref; touch -c none; truncate -s +10 ref; truncate -s %64 ref; stat -c %s ref; shred -n 1 -u ref; ls ref
sync d/a; link d/a l2; unlink l2; chcon x d/a 2>/dev/null; echo $?; test -L soft -a -h soft -a d/a -nt d/e/b; echo $?; test d/a -ef d/hard; echo $?; [ -x d/a ]; echo $?; [ -u d/e/b ]; echo $?; pwd -P | wc -w
env -i A=1 B=2 /usr/bin/env | sort; env -u HOME A=b printenv A; printenv NONE; echo $?; env --chdir=d pwd | sed 's|.*/||'; env -S 'printf %s\n a b'; nice -n 5 nice; nohup true </dev/null; timeout 0.1 sleep 5; echo $?; (timeout -s KILL 0.1 sleep 5) 2>/dev/null; echo $?; timeout 5 false; echo $?; nproc | grep -c .; nproc --all >/dev/null; echo $?; arch >/dev/null; id -u; id -un; groups; whoami; logname 2>/dev/null >&2; tty </dev/null; who >/dev/null; users >/dev/null; uname -s; uname -o; hostname 2>/dev/null | wc -l; sleep 0.05 0.05; stty 2>/dev/null; echo $?; stdbuf -oL echo buffered; pinky >/dev/null 2>&1; echo $?; (sleep 0.3; echo appended >>tailed) & touch tailed; timeout 1 tail -f tailed; echo $?; hostid | wc -c
tee a b <d/e/b | cmp - d/e/b; cmp a b; cmp a zero; echo $?; diff -u <(seq 5) <(seq 2 6) | tail -n +3; diff3 <(seq 3) <(seq 4) <(seq 5) | head -3; sdiff -w 20 <(seq 3) <(seq 2 4)
