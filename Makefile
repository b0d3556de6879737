# Isomorph's one Makefile. `make help` lists the targets.
#
# Every src/*/*.c, src/*/*/*.c and .S there is compiled, with paths included
# from src/. All of it but the two main files of src/cli goes into libisomorph.a,
# which the unit tests link. src/cli/main.c and the archive make build/isomorph,
# static: process VMs and tools. src/cli/system_main.c and the archive make
# build/isomorph-system, dynamic, with the libraries that system VMs use;
# build/isomorph executes it for the verbs of machines. Objects that need such a
# library come into a program only when something there asks for them.
#
# A folder that generates code has a rules.mk beside its sources. It adds the
# headers it makes to GEN_HEADERS and the C files to GEN_SOURCES, both below
# $(B)/gen, and gives their rules; sources include them as "gen/NAME.h".
#
#   make CC=clang                      another compiler
#   make SANITIZE=address,undefined    into build-san/, dynamic
#   make SANITIZE=thread               into build-tsan/
#   make CI=true                       warnings are errors

VERSION := 0.1
PREFIX ?= /usr/local
DESTDIR ?=
SANITIZE ?=
AR ?= ar

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:

ifeq ($(origin CC),default)
CC := gcc
endif

B := build
ifneq ($(SANITIZE),)
B := $(if $(findstring thread,$(SANITIZE)),build-tsan,build-san)
endif

# ---- flags ------------------------------------------------------------------

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wundef -Wwrite-strings -Wpointer-arith \
	-Wformat=2 -Wimplicit-fallthrough
ifeq ($(CI),true)
WARNINGS += -Werror
endif

OPTIMIZE ?= -O2 -g
# No stack protector: code on guest threads has no libc thread block. No strict
# aliasing: guest memory is accessed at any type. No contraction: floating
# point is exact or it is wrong. No cet: generated code has no landing pads.
CODEGEN := -fPIE -fno-stack-protector -fno-strict-aliasing \
	-fcf-protection=none -ffp-contract=off
# x86-64-v2's 16-byte compare and exchange, for the evaluator's atomics.
CODEGEN += $(if $(filter x86_64-%,$(shell $(CC) -dumpmachine)),-mcx16)
DEFINES := -D_GNU_SOURCE -DISOMORPH_VERSION='"$(VERSION)"'
# The build's own number is part of what the disk cache is found by.
LINK := -static-pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--build-id=sha1

ifneq ($(SANITIZE),)
CODEGEN += -fsanitize=$(SANITIZE) -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer
DEFINES += -DISOMORPH_SANITIZE=1
LINK := -pie -fsanitize=$(SANITIZE) -Wl,--build-id=sha1
endif
SYSTEM_LINK := $(patsubst -static-pie,-pie,$(LINK))

ALL_CFLAGS = -std=gnu17 $(OPTIMIZE) $(CODEGEN) $(WARNINGS) $(DEFINES) \
	-Isrc -Iinclude -I$(B) $(CFLAGS)
COMPILE = $(CC) $(ALL_CFLAGS) -MMD -MP -c
LIBS := -pthread -lm
# User-mode network, device trees, JSON, qcow2 and snapshots.
SYSTEM_LIBS := -lslirp -lfdt -lcjson -lz -lzstd $(LIBS)

# ---- what there is ----------------------------------------------------------

GEN_HEADERS :=
GEN_SOURCES :=
RULES := $(wildcard src/*/rules.mk src/*/*/rules.mk)
include $(RULES)

MAIN := src/cli/main.c src/cli/system_main.c
SOURCES := $(sort $(filter-out $(MAIN),$(wildcard src/*/*.c src/*/*/*.c)))
ASSEMBLY := $(sort $(wildcard src/*/*.S src/*/*/*.S))
OBJECTS := $(SOURCES:%.c=$(B)/%.o) $(ASSEMBLY:%.S=$(B)/%.o) \
	$(GEN_SOURCES:%.c=%.o)
LIBRARY := $(B)/libisomorph.a
GUEST_PROGRAMS := $(B)/isomorph-riscv64 $(B)/isomorph-aarch64
PROGRAMS := $(B)/isomorph $(GUEST_PROGRAMS)
SYSTEM_PROGRAM := $(B)/isomorph-system

# test/unit/system_*.c are of code that needs the libraries of system VMs.
UNIT_SOURCES := $(sort $(wildcard test/unit/*.c))
UNITS := $(UNIT_SOURCES:test/unit/%.c=$(B)/test/unit/%)
IR_TEST_SOURCES := $(sort $(wildcard test/ir/*.c))
# Each with test/fuzz/main.c, which makes the inputs.
FUZZ_SOURCES := $(filter-out test/fuzz/main.c,$(sort $(wildcard test/fuzz/*.c)))
FUZZERS := $(FUZZ_SOURCES:test/fuzz/%.c=$(B)/test/fuzz/%)

.PHONY: all help demo test test-long bench lint install uninstall check-quick \
	check-layers check-format unit clean

all: $(LIBRARY) $(PROGRAMS) $(SYSTEM_PROGRAM)

# ---- building ---------------------------------------------------------------

# Changes when the compiler or a flag does, so that objects follow.
FLAGS_NOW := $(CC) $(ALL_CFLAGS) $(LINK)
ifneq ($(FLAGS_NOW),$(file <$(B)/.flags))
$(shell mkdir -p $(B))
$(file >$(B)/.flags,$(FLAGS_NOW))
endif

$(B)/%.o: %.c $(B)/.flags | $(GEN_HEADERS)
	@mkdir -p $(@D)
	$(COMPILE) -o $@ $<

$(B)/%.o: %.S $(B)/.flags | $(GEN_HEADERS)
	@mkdir -p $(@D)
	$(COMPILE) -o $@ $<

$(B)/gen/%.o: $(B)/gen/%.c $(B)/.flags | $(GEN_HEADERS)
	$(COMPILE) -o $@ $<

# Changes when a source file comes or goes, so that the archive follows.
ifneq ($(OBJECTS),$(file <$(B)/.objects))
$(file >$(B)/.objects,$(OBJECTS))
endif

# q, not r: files of the same name in different folders are different members.
$(LIBRARY): $(OBJECTS) $(B)/.objects
	@rm -f $@
	$(AR) qcs $@ $(OBJECTS)

$(B)/isomorph: $(B)/src/cli/main.o $(LIBRARY)
	$(CC) $(OPTIMIZE) $(LINK) -o $@ $^ $(LDFLAGS) $(LIBS)

# The same program; the name it is called by decides what it does.
$(GUEST_PROGRAMS): $(B)/isomorph
	cp -f $< $@

$(SYSTEM_PROGRAM): $(B)/src/cli/system_main.o $(LIBRARY)
	$(CC) $(OPTIMIZE) $(SYSTEM_LINK) -o $@ $^ $(LDFLAGS) $(SYSTEM_LIBS)

# Objects and programs apart: what has not changed is only linked again.
.SECONDARY: $(UNITS:=.o) $(FUZZERS:=.o) $(B)/test/fuzz/main.o
$(B)/test/%.o: test/%.c $(B)/.flags | $(GEN_HEADERS)
	@mkdir -p $(@D)
	$(COMPILE) -Itest -o $@ $<

$(B)/test/unit/system_%: $(B)/test/unit/system_%.o $(LIBRARY)
	$(CC) $(OPTIMIZE) $(CODEGEN) $(SYSTEM_LINK) -o $@ $^ $(LDFLAGS) $(SYSTEM_LIBS)

$(B)/test/unit/%: $(B)/test/unit/%.o $(LIBRARY)
	$(CC) $(OPTIMIZE) $(CODEGEN) $(LINK) -o $@ $^ $(LDFLAGS) $(LIBS)

$(B)/test/fuzz/%: $(B)/test/fuzz/%.o $(B)/test/fuzz/main.o $(LIBRARY)
	$(CC) $(OPTIMIZE) $(CODEGEN) $(SYSTEM_LINK) -o $@ $^ $(LDFLAGS) $(SYSTEM_LIBS)

$(B)/test/ir/run: $(IR_TEST_SOURCES:%.c=$(B)/%.o) $(LIBRARY)
	$(CC) $(OPTIMIZE) $(CODEGEN) $(LINK) -o $@ $^ $(LDFLAGS) $(LIBS)

$(B)/bench/%: test/bench/%.c $(LIBRARY) $(B)/.flags | $(GEN_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $< $(LINK) $(LIBRARY) $(LDFLAGS) $(LIBS)

# The maker of test programs for guests: links the instruction tables.
RVTEST := $(B)/test/isa/rvtest
RVTEST_SOURCES := $(sort $(wildcard test/isa/*.c))
$(RVTEST): $(RVTEST_SOURCES:%.c=$(B)/%.o) $(LIBRARY)
	$(CC) $(OPTIMIZE) $(CODEGEN) $(LINK) -o $@ $^ $(LDFLAGS) $(LIBS)

-include $(OBJECTS:.o=.d) $(MAIN:%.c=$(B)/%.d) $(UNITS:=.d) $(IR_TEST_SOURCES:%.c=$(B)/%.d) \
	$(RVTEST_SOURCES:%.c=$(B)/%.d) $(FUZZERS:=.d) $(B)/test/fuzz/main.d

# ---- checking ---------------------------------------------------------------

unit: $(UNITS) $(FUZZERS) $(B)/test/ir/run $(RVTEST)

check-layers:
	tools/check-layers

check-format:
	tools/check-format

# Less than a minute: run before every commit.
check-quick: check-layers check-format all unit
	@BUILD=$(B) test/run unit ir

# `make test` and `make demo` stand alone on a fresh machine: they first
# install what is missing, so the build comes after, in the recipe.
test:
	tools/setup build test
	$(MAKE) all unit
	BUILD=$(B) CC="$(CC)" test/run

test-long:
	tools/setup build test
	$(MAKE) all unit
	BUILD=$(B) CC="$(CC)" test/run --long

demo:
	tools/setup build demo
	$(MAKE) all
	BUILD=$(B) tools/demo

bench:
	tools/setup build bench
	$(MAKE) all
	BUILD=$(B) test/bench/run --all --write
	BUILD=$(B) test/bench/run --all --guest aarch64 --write

LINT_FILES := $(SOURCES) $(MAIN)

lint: check-layers check-format $(GEN_HEADERS)
	tools/setup lint
	clang-tidy --quiet $(LINT_FILES) -- -std=gnu17 $(CODEGEN) $(DEFINES) -Isrc -Iinclude -I$(B)
	cppcheck --quiet --std=c11 --inline-suppr --error-exitcode=1 --library=tools/cppcheck.cfg \
		--enable=warning,portability --suppress=missingInclude --suppress=shiftTooManyBitsSigned --suppress=zerodivcond \
		$(DEFINES) -D__x86_64__ -D__BYTE_ORDER__=1234 -D__ORDER_LITTLE_ENDIAN__=1234 \
		-Isrc -Iinclude -I$(B) $(LINT_FILES)

# ---- installing -------------------------------------------------------------

BIN := $(DESTDIR)$(PREFIX)/bin
LIBEXEC := $(DESTDIR)$(PREFIX)/libexec/isomorph
SHARE := $(DESTDIR)$(PREFIX)/share
MAN1 := $(wildcard doc/man/*.1)

install: all
	install -d $(BIN) $(LIBEXEC) $(SHARE)/man/man1
	install -m 755 $(PROGRAMS) $(BIN)/
	install -m 755 $(SYSTEM_PROGRAM) tools/debian-image tools/guest-root $(LIBEXEC)/
	$(if $(MAN1),install -m 644 $(MAN1) $(SHARE)/man/man1/)
	@set -e; for pair in isomorph.bash:bash-completion/completions/isomorph \
	    _isomorph:zsh/site-functions/_isomorph \
	    isomorph.fish:fish/vendor_completions.d/isomorph.fish; do \
		from=doc/completion/$${pair%%:*}; to=$(SHARE)/$${pair#*:}; \
		[ -f $$from ] || continue; \
		echo install -D -m 644 $$from $$to; install -D -m 644 $$from $$to; \
	done

uninstall:
	rm -rf $(LIBEXEC)
	rm -f $(patsubst $(B)/%,$(BIN)/%,$(PROGRAMS)) $(MAN1:doc/man/%=$(SHARE)/man/man1/%) \
		$(SHARE)/bash-completion/completions/isomorph \
		$(SHARE)/zsh/site-functions/_isomorph \
		$(SHARE)/fish/vendor_completions.d/isomorph.fish

clean:
	rm -rf build build-san build-tsan

help:
	@echo 'make               build/isomorph, isomorph-riscv64, isomorph-aarch64, isomorph-system'
	@echo 'make demo          set up, build, and run Debian riscv64 programs'
	@echo 'make test          the quick tests (minutes); test-long: all of them'
	@echo 'make check-quick   layers and unit tests, under a minute'
	@echo 'make bench         speed against native and QEMU, into doc/performance.md'
	@echo 'make lint          layers, format, clang-tidy, cppcheck'
	@echo 'make install       PREFIX=$(PREFIX) DESTDIR=$(DESTDIR); make uninstall'
	@echo 'make clean'
	@echo 'Variables: CC, CFLAGS, OPTIMIZE, SANITIZE=address,undefined, CI=true'
