/* A guest's registers as debuggers number them, and as core files hold them. One
 * table a guest: debug_riscv64.c, debug_aarch64.c; debug.c reads them. */
#ifndef PROCESS_DEBUG_H
#define PROCESS_DEBUG_H

#include "ir/frame.h"

#define DEBUG_REGISTER_SIZE 16u /* of the largest */
#define DEBUG_SET_SIZE 528u     /* of the largest set */

/* Registers first … first + count - 1 as they stand in a set, each in size bytes. */
struct debug_part {
	uint8_t first, count, size;
};

/* A set of registers as the guest's kernel lays it out in core files and for
 * PTRACE_GETREGSET: its parts one after the other. */
struct debug_set {
	uint32_t note; /* NT_ of elf.h */
	uint32_t size; /* bytes, with padding at the end */
	struct debug_part part[4];
};

struct debug_registers {
	unsigned count; /* of gdb's registers, numbered as the description lists them */
	unsigned pc;    /* the number of the program counter */
	/* Bytes of register n. */
	unsigned (*size)(unsigned n);
	/* Between the frame, which must be exact, and memory in the guest's byte
	 * order. After a write the thread itself calls cpu_state_changed. */
	void (*read)(const struct ir_frame *frame, unsigned n, void *value);
	void (*write)(struct ir_frame *frame, unsigned n, const void *value);
	/* The instruction of a breakpoint that replaces size bytes; 0 if there is
	 * none of that size. */
	uint32_t (*trap)(unsigned size);
	/* gdb's target description in XML; its length, without what did not fit. */
	int (*description)(char *text, size_t size);
	/* NT_PRSTATUS's registers first; ended by a size of 0. */
	const struct debug_set *sets;
};

/* Between the frame and a set; set has its size. */
void debug_set_read(const struct debug_registers *registers, const struct debug_set *set, const struct ir_frame *frame, void *bytes);
void debug_set_write(const struct debug_registers *registers, const struct debug_set *set, struct ir_frame *frame, const void *bytes);

extern const struct debug_registers debug_riscv64, debug_aarch64;

#endif
