/* The run-time part of a generated test program: signal handler, state set-up,
 * hashing, output. See runtime.c for how a program runs. */
#ifndef TEST_ISA_RUNTIME_H
#define TEST_ISA_RUNTIME_H

#include "isa/rvasm.h"

/* The program's memory. Code and buffer are within reach of auipc; what the
 * run-time part owns is not, so that random accesses never meet it. */
#define RT_TEXT UINT64_C(0x1000000000)
#define RT_BUFFER UINT64_C(0x1040000000) /* two pages read-write */
#define RT_BUFFER_SIZE 0x2000u
#define RT_READONLY (RT_BUFFER - 0x1000) /* one page, read-only */
#define RT_DATA UINT64_C(0x2c9d4b5000) /* struct rt_data; a number that hardly comes about */

#define RT_POOL 1024u /* start points in the operand pools */

/* What the run-time part keeps at RT_DATA. The driver (test/isa/compare) writes
 * group and the stop fields into the file: they stand first. */
struct rt_data {
	uint64_t group;      /* checkpoints a line of output */
	uint64_t stop_block; /* dump the state when the instruction at stop_pc … */
	uint64_t stop_run;   /* … is reached in this run of this block; … */
	uint64_t stop_pc;    /* … all ones: never */
	uint64_t blocks;
	uint64_t runs;     /* of each block, each with other registers */
	uint64_t text_end;
	uint64_t hash;     /* of everything that QEMU can be compared in */
	uint64_t strict;   /* of every fault address */
	uint64_t faults;   /* since the start */
	uint64_t last[4];  /* fault: signal, code, pc, address */
	uint64_t block;
	uint64_t run;
	uint64_t in_group;
	uint64_t in_run;   /* faults in this run of the block */
	uint64_t random;
	uint64_t block_end; /* address of the ebreak that ends the block */
	uint64_t stopping;
	uint64_t mix;      /* odd constants */
	uint64_t step;
	uint64_t action[3]; /* struct sigaction: handler, flags, mask */
	uint64_t stack[3];  /* stack_t */
	char line[64];
	uint64_t integers[RT_POOL + 32];
	uint64_t floats[RT_POOL + 32];
	uint32_t fcsr[RT_POOL];
	uint8_t signal_stack[0x10000];
	/* blocks × {start, end} follow */
};

/* Emits the run-time part; returns the program's entry. */
uint64_t rt_emit(struct rv_code *code);

#endif
