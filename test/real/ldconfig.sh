#!/bin/bash
# ldconfig, again and again in the root: never a failure, always the same cache.
# long: 1000
# lockstep: 20
n=${SIZE:-60}
for i in $(seq $n); do ldconfig -X -C cache || echo "failed $? at $i"; sum=$(md5sum <cache); [ "${first:=$sum}" = "$sum" ] || echo "differs at $i"; done
echo "$n runs"; ldconfig -C cache -p | sed -E 's/(x86[-_]64|x86-64|double-float)//g' | grep -c 'libc.so.6'; ldconfig -n . ; echo $?; ldconfig --bad 2>/dev/null; echo $?
