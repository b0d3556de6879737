#!/bin/bash
# tar, gzip, xz, zstd, bzip2: round trips of 20 MB, archives compared byte by byte.
# long: 20971520
# lockstep: 200
size=${SIZE:-2097152}
gawk -v size=$size 'BEGIN {srand(7); while (n < size) {l = ""; for (i = 0; i < 12; i++) l = l sprintf("%x ", int(rand() * 2 ^ int(rand() * 40))); n += length(l) + 1; print l}}' >text
head -c $size text >data; sha256sum data
for c in 'gzip -n1' 'gzip -n6' 'xz -0 -T1' 'xz -2 -T1' 'zstd -q -1' 'zstd -q -6 --single-thread' 'zstd -q -T2 -3'; do
	$c -c <data >z; echo "$c $? $(stat -c %s z) $(sha256sum <z)"; ${c%% *} -dc <z | cmp - data && echo same; done
gzip -t <<<bad 2>/dev/null; echo $?; xz -t z 2>/dev/null; echo $?; head -c 1000 data | gzip -n9 | gunzip | cmp -n 1000 - data; xz -kc data | head -c 100000 | xz -dc 2>/dev/null | wc -c | grep -c .; zstd -q --train 2>/dev/null; echo $?
xz -q --check=sha256 -T2 --block-size=1MiB -0 -k data; xz -l --robot data.xz | sed 's/.*\///' | tail -1; xz -d -c data.xz | cmp - data && echo threads; rm data.xz; gzip -k data; zcat data.gz | tail -1; zgrep -c 'a' data.gz; zstd -q -b1 -i0 data >/dev/null 2>&1; rm -f data.gz
export TZ=UTC; mkdir -p t/a/b; for i in 1 2 3 4 5 6 7 8; do head -c $((i * 10007)) data >t/a/f$i; ln -s f$i t/a/b/l$i; done; ln t/a/f1 t/hard; mkfifo t/p; touch -d @1000000000 t/a/* t/*; truncate -s 5M t/sparse; chmod 640 t/a/f2; find t -exec touch -h -d @1000000000 {} +
for f in gnu posix ustar v7; do tar --format=$f --sort=name --owner=0 --group=0 --numeric-owner --pax-option=exthdr.name=%d/%f,delete=atime,delete=ctime -cf $f.tar t; sha256sum $f.tar; done; tar -S -cf s.tar t/sparse; [ "$(stat -c %s s.tar)" -lt 100000 ] && echo sparse
tar tvf gnu.tar; mkdir x; tar -xpf posix.tar -C x; diff -r --no-dereference -x p t x/t && echo extracted; stat -c '%A %s %Y' x/t/a/f2 x/t/hard; for z in gz xz zst; do tar --auto-compress -cf t.tar.$z t; tar tf t.tar.$z | wc -l; done; tar -df gnu.tar && echo no difference; echo x >>t/a/f3; tar -df gnu.tar; echo $?; tar --delete -f gnu.tar t/a/f4; tar -rf gnu.tar t/a/f5; tar tf gnu.tar | sort | uniq -c | sort -n | tail -2; tar --to-stdout -xf posix.tar t/a/f1 | cmp - t/a/f1; tar --transform 's,^t,u,' -cf - t | tar t | head -2; tar -xf none.tar 2>/dev/null; echo $?; (cd t; tar cf - .) | (mkdir y; cd y; tar xf -); diff -rq --no-dereference -x p t y && echo piped; tar --use-compress-program='gzip -1' -cf c.tgz t; tar xzf c.tgz -O t/a/f2 | md5sum
