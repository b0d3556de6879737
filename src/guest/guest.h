/* guest/: the guest ISAs. Everyone above sees one only as struct guest.
 *
 * A guest ISA is its slots (where its state lies in ir_frame.guest), a
 * decoder-and-lifter from its code to IR, a disassembler, and what the process
 * VM and the debugger ask of it. Lists are explicit: guest.c has the array.
 */
#ifndef GUEST_GUEST_H
#define GUEST_GUEST_H

#include "ir/frame.h"

struct memory;
struct guest_system;

/* Where a lifter stops. */
struct guest_lift_limits {
	unsigned insns;       /* at most this many guest instructions */
	const uint8_t *code;  /* host address of the code at pc */
	size_t readable;      /* bytes of code that may be read */
	bool single_block;    /* no conditional branch inside (for tests) */
};

/* Which slots a debugger, core dump, dump or comparison shows; in order. */
struct guest {
	const char *name;        /* "riscv64" */
	unsigned elf_machine;    /* e_machine */
	unsigned pointer_bits;
	const struct ir_slots *slots;
	const struct ir_helper *helpers;
	unsigned helper_count;

	/* Sets a frame to the state a Linux process starts with, but for pc
	 * and stack pointer. */
	void (*reset)(struct ir_frame *frame);

	/* The mode key that the frame's state selects (guest-specific bits:
	 * rounding mode class, …). Pure. */
	uint32_t (*mode)(const struct ir_frame *frame);

	/* Lifts a region that starts at pc under mode into IR. Ends at the
	 * first unconditional end, at limits->insns, or before the first
	 * instruction whose bytes are not wholly readable; if that is the very
	 * first one, the region is a lone fetch-fault trap. An illegal
	 * instruction becomes an ILLEGAL trap exit. Returns 0, or -1 when the
	 * builder failed (out of room). */
	int (*lift)(struct ir_region *region, struct arena *arena, uint64_t pc, uint32_t mode,
		    const struct guest_lift_limits *limits);

	/* Text of the instruction at code (size bytes readable). Returns its
	 * length in bytes, 0 when there are too few bytes. */
	int (*disassemble)(char *text, size_t size, uint64_t pc, const uint8_t *code, size_t readable);

	/* The guest address that the memory instruction at code accesses, from
	 * the state before it; for faults for which the host gives no address.
	 * False if it is no memory instruction. Also tells the access. */
	bool (*access_address)(const struct ir_frame *frame, const uint8_t *code, size_t readable,
			       uint64_t *address, enum ir_access *access);

	/* A load or store at address faulted. True if it will not when it is done
	 * again, because the frame's mode key is another one now (an address with
	 * a tag, and the code did not look for one). NULL: never. */
	bool (*fault_again)(struct ir_frame *frame, uint64_t address);

	/* General accessors by role, for the process VM. */
	unsigned slot_sp;   /* stack pointer */
	unsigned slot_tls;  /* thread pointer */

	const struct guest_system *system; /* system.h; NULL: user level only */
};

extern const struct guest guest_aarch64, guest_riscv64;

/* By name ("riscv64") or by ELF machine number; NULL when unknown. */
const struct guest *guest_by_name(const char *name);
const struct guest *guest_by_elf_machine(unsigned machine);

/* Reads or writes a slot of up to 64 bits in a frame. */
uint64_t guest_slot_read(const struct guest *guest, const struct ir_frame *frame, unsigned slot);
void guest_slot_write(const struct guest *guest, struct ir_frame *frame, unsigned slot, uint64_t value);

#endif
