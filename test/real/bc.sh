#!/bin/bash
# bc: long numbers, the mathematical library, functions.
# lockstep: 1
bc -lq <<'END'
scale=60
4*a(1); e(1); l(2); s(1); c(1); sqrt(2); j(2,3)
scale=0
define f(n) { if (n < 2) return (1); return (n * f(n-1)); }
f(120)
2^1000 % 10^9+7
obase=16; 255; 2^64; ibase=2; 101010
END
bc -lq <<'END'
define b(n) { auto i, a[], x, y; a[0]=0; a[1]=1; for (i = 2; i <= n; i++) a[i] = a[i-1] + a[i-2]; return (a[n]); }
b(300); scale=20; x=1; for (i = 0; i < 200; i++) x = x - (x*x - 3) / (2*x); x
for (i = 1; i < 20; ++i) { if (i % 3 == 0) continue; if (i > 10) break; print i, " " }
"
"; length(2^300); scale(1.2345); -7/2; -7%3; 1/0
last
END
echo '10 k 2 v p 3 2 ^ p [la1+dsa*pla10>y]sy 0sa1 lyx' | dc 2>/dev/null | head -20; echo 'scale=400; 4*a(1)' | bc -lq | md5sum; echo $?
