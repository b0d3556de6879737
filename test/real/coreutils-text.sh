#!/bin/bash
# coreutils over text: sort, cut, join, sums, encodings, numbers, dates.
# lockstep: 1
seq 1 20000 | awk '{print ($1 * 7919) % 10007, $1, "w" ($1 * 31 % 977)}' >data
sort -n data | sha256sum; sort -k3,3 -k1,1nr data | sha256sum; sort -R --random-source=data data | wc -l
sort --parallel=2 -S 200K -u -k3 data | md5sum; sort -c data 2>&1 | head -1; sort -m <(sort data) <(sort data) | sha1sum
printf '1.5e3\n-2\n0x10\n3K\n2M\n1G\n' >n; sort -g n; sort -h n; printf 'v1.10\nv1.9\nv1.2-rc\n' | sort -V; sort -M <<<$'Mar\nJan\nFeb'
for s in md5sum sha1sum sha224sum sha256sum sha384sum sha512sum b2sum cksum sum; do $s data; done
sha256sum data n >sums; sha256sum -c sums; echo bad >n; sha256sum -c sums; echo "check $?"; cksum -a sm3 data
cut -d' ' -f2-3 data | head -3; cut -c2-4 data | tail -2; paste -s -d+ <(seq 5); tr -cd 0-9 <data | head -c 40; echo
join -1 1 -2 1 <(sort -k1,1 data | head -50) <(sort -k1,1 data | head -20 | cut -d' ' -f1 | sort -u) | md5sum
comm -12 <(seq 1 9) <(seq 5 12 | sort); comm -3 <(seq 1 3) <(seq 2 4); uniq -c <<<$'a\na\nb'; uniq -D <<<$'a\na\nb'
head -n -19998 data; head -c 20 data; tail -n +19999 data; tail -c 15 data; tac data | head -2; nl -ba data | tail -1
wc data; wc -L -m data; od -A x -t x1z -N 40 data; od -t d4 -t f8 -N 16 data; od -t f4 -N 8 data; od -c -N 16 data
fold -w 30 <<<"a long line that is folded at thirty characters or so"; fmt -w 30 <<<"a long line that is folded at thirty characters or so"
expand -t4 <<<$'a\tb' | od -c; unexpand -a -t4 <<<"a       b" | od -c; pr -3 -t -l 10 <(seq 15); csplit -s data 100 200 && wc -l xx0*
base64 data | md5sum; base64 data | base64 -d | cmp - data && echo same; base32 <<<hello; basenc --base16 <<<hello; basenc --z85 <<<"abc"
numfmt --to=iec 1048576 123456789 999; numfmt --from=si 1K 2.5M; numfmt --grouping 1234567; numfmt --to=si --format=%.3f 987654321; numfmt --padding=10 --suffix=B 5
seq -f %.3f 0 0.1 1 | paste -sd' '; seq -w 8 11; seq 1e6 1000001; seq 5 -2 -3; seq -s, 0.5 2.5
factor 1 97 360 1234567890123 18446744073709551557; expr 7 \* 6 - 5; expr abc : 'a\(.\)'; expr 9999999999999999999 + 1; expr length hello
printf '%.17g %.5f\n' 0.1 2.5; printf '%s\n' "$(printf '\u00e9\x41\101')"; printf '%d\n' "'A" 0x7fffffffffffffff; printf %5s%%\\n x
TZ=UTC date -d @1700000000 +'%F %T %Z %j %U %a %b %s %N'; TZ=Europe/Berlin date -d '2024-03-31 01:30 UTC' +%c; TZ=America/New_York date -d '2023-11-05 05:59 UTC' -R
TZ=JST-9 date -d '1 Jan 1970 00:00 UTC + 40 days' -Is; TZ=UTC date -d '2024-02-29 + 1 year' +%F; TZ=UTC date -d 'last friday' +%a; TZ=UTC0 date -d '2021-01-04' '+%G-W%V-%u'
tsort <<<$'a b\nb c\na d'; shuf -i 1-5 --random-source=data; shuf -n 3 -e x y z --random-source=data; ptx -G <<<"one two three" | md5sum
echo {1..5} | tee a b | cat -A; split -l 6000 data part; wc -l part*; split -b 50K -d data byte; cat byte* | cmp - data; split -n l/3 data third; wc -l third* | tail -1
dircolors -b | md5sum; cat -n <<<x; echo -e 'a\x41\n' | rev 2>/dev/null; tr '[:lower:]' '[:upper:]' <<<hello; tr -s ' ' <<<"a   b"; tr -d l <<<hello
yes | head -100000 | md5sum; yes abc | head -c 1000000 | sha1sum; numfmt --from=iec-i 1Ki; test 5 -gt 3 && [ a \< b ]; echo $?; pathchk -p 'a b'; echo $?
