#!/bin/bash
# make -j2: dependencies, patterns, functions, recursion, a small C project, errors.
# lockstep: 100
cat >Makefile <<'END'
SRCS := $(sort $(wildcard src/*.c))
OBJS := $(SRCS:src/%.c=obj/%.o)
CFLAGS = -O1 -Isrc -MMD -MP
all: prog words; @./prog; cat words
prog: $(OBJS); $(CC) -o $@ $^
obj/%.o: src/%.c | obj; $(CC) $(CFLAGS) -c -o $@ $<
obj: ; mkdir -p $@
words: $(foreach n,1 2 3 4 5 6 7 8 9 10,part.$(n)); sort -n $^ >$@
part.%: ; @sleep 0.0$$(($* % 5)); echo $* $(call rev,a,b) $(words $(SRCS)) >$@
rev = $(2)$(1)
.INTERMEDIATE: $(foreach n,1 2 3,part.$(n))
fail: ; @exit 3
sub: ; @$(MAKE) --no-print-directory -C src -f ../sub.mk
define block =
target-$(1): ; @echo $(1) $$(@F)
endef
$(foreach t,x y z,$(eval $(call block,$(t))))
many: target-x target-y target-z
$(info $(shell echo shell) $(subst a,b,banana) $(patsubst %.c,%.o,x.c y.c) $(if ,no,yes) $(firstword p q) $(dir a/b) $(notdir a/b) $(abspath ..//) $(filter-out b,a b c) $(origin CC) $(value rev))
-include obj/*.d
END
mkdir src; for i in 1 2 3 4 5 6; do echo "#include \"h.h\"
int f$i(int x) { return x * K + $i; }" >src/f$i.c; echo "int f$i(int);" >>src/h.h; done; echo '#define K 3' >>src/h.h; echo '#include <stdio.h>
#include "h.h"
int main(void) { printf("%d\n", f1(f2(f3(f4(f5(f6(1))))))); return 0; }' >src/main.c; printf 'all: a b\na b: ; @echo in $@ $(MAKELEVEL) $(filter -j%%,$(MAKEFLAGS))\n' >sub.mk
clean() { sed -E "s|$PWD|.|g; s|${PWD%/*}|..|g; s|make(\[[0-9]\])?: |make: |; /unfinished jobs/d; /^This program built for/d"; }
make -j2 -O 2>&1 | sort | clean; make 2>&1 | clean; sed -i 's/K 3/K 4/' src/h.h; make -j2 2>&1 | sort | clean; make -q; echo $?; make fail 2>&1 | clean; make -k -j2 fail many 2>&1 | sort | clean; make -j2 sub 2>&1 | sort | clean; make none 2>&1 | clean; make -n part.77 | clean; make -p -f /dev/null 2>/dev/null | grep -c '^%'; touch -d '+1 hour' src/f1.c; make -j2 2>&1 | grep -v Warn | grep -v warning | clean | sort; make -j8 --shuffle=1 many 2>&1 | sort | clean; make --trace many 2>&1 | clean | head -4; make -d many 2>&1 | wc -l | grep -c .; for i in $(seq 10); do rm -f part.* words; make -s -j4 words >/dev/null; wc -l <words; done
