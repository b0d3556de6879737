/* A guest ISA small enough for a test, and the owner of an address space of
 * it: guest addresses are host addresses, one block of memory holds code and
 * data, host faults come through a real signal handler.
 *
 * An instruction is 4 bytes: op, register, signed 16-bit immediate. Registers
 * are x0 to x7; x1 is the link register; the low bits of x7 are the mode key.
 */
#ifndef TEST_UNIT_TOY_H
#define TEST_UNIT_TOY_H

#include <signal.h>
#include <sys/mman.h>

#include "cpu/cpu.h"
#include "unit/check.h"

enum toy_op {
	TOY_ILLEGAL,
	TOY_ADD,     /* x += imm */
	TOY_MOVE,    /* x = x[imm] */
	TOY_LOAD,    /* x = 8 bytes at x[imm] */
	TOY_STORE,   /* 8 bytes at x[imm] = x */
	TOY_BNEZ,    /* to pc + imm if x is not 0 */
	TOY_JUMP,    /* to pc + imm */
	TOY_CALL,    /* the same; x1 = pc + 4 */
	TOY_GO,      /* to x */
	TOY_RETURN,  /* to x1 */
	TOY_SYSCALL,
	TOY_LOOKUP,  /* the mode or code may have changed */
	TOY_CHECK,   /* traps as misaligned if x is not 0, with imm */
};

struct toy_insn {
	uint8_t op, x;
	int16_t imm;
};

#define TOY_SLOT(n) { "x" #n, 8 * (n), IR_I64, -1, (n) }
static const struct ir_slot toy_slot[] = { TOY_SLOT(0), TOY_SLOT(1), TOY_SLOT(2), TOY_SLOT(3),
					   TOY_SLOT(4), TOY_SLOT(5), TOY_SLOT(6), TOY_SLOT(7) };
static const struct ir_slots toy_slots = { toy_slot, ARRAY_LEN(toy_slot) };

static unsigned long toy_lifts; /* regions lifted, by any vCPU */

static inline uint64_t *
toy_x(struct ir_frame *frame)
{
	return (uint64_t *)(void *)frame->guest;
}

static void
toy_reset(struct ir_frame *frame)
{
	memset(frame->guest, 0, 64);
}

static uint32_t
toy_mode(const struct ir_frame *frame)
{
	return ((const uint64_t *)(const void *)frame->guest)[7] & 3;
}

/* True at the end of the region. */
static bool
toy_lift_one(struct ir_builder *b, struct toy_insn i, int32_t at)
{
	ir_ref host;

	ir_at(b, at, 4);
	switch ((enum toy_op)i.op) {
	case TOY_ADD:
		ir_set(b, i.x, ir_binary(b, IR_ADD, ir_get(b, i.x),
					 ir_const(b, IR_I64, (uint64_t)(int64_t)i.imm)));
		return false;
	case TOY_MOVE:
		ir_set(b, i.x, ir_get(b, (unsigned)i.imm));
		return false;
	case TOY_LOAD:
		host = ir_xlate(b, IR_ACCESS_R, 0, ir_get(b, (unsigned)i.imm), 0, 8);
		ir_set(b, i.x, ir_load(b, IR_I64, IR_MEM(IR_I64, 0, IR_RELAXED), host, 0));
		return false;
	case TOY_STORE:
		host = ir_xlate(b, IR_ACCESS_W, 0, ir_get(b, (unsigned)i.imm), 0, 8);
		ir_store(b, IR_MEM(IR_I64, 0, IR_RELAXED), host, ir_get(b, i.x), 0);
		return false;
	case TOY_BNEZ:
		host = ir_icmp(b, IR_I64, IR_NE, ir_get(b, i.x), ir_const(b, IR_I64, 0));
		ir_br(b, host, b->region->block_count, b->region->block_count + 1);
		ir_block(b, true);
		ir_exit_jump(b, at + i.imm);
		ir_block(b, true);
		return false;
	case TOY_CHECK:
		ir_check(b, IR_TRAP_MISALIGNED,
			 ir_icmp(b, IR_I64, IR_NE, ir_get(b, i.x), ir_const(b, IR_I64, 0)),
			 (uint32_t)i.imm);
		return false;
	case TOY_JUMP:
		ir_exit_jump(b, at + i.imm);
		return true;
	case TOY_CALL:
		ir_set(b, 1, ir_pc(b, at + 4));
		ir_exit_call(b, at + i.imm, at + 4);
		return true;
	case TOY_GO:
		ir_exit_value(b, IR_EXIT_INDIRECT, ir_get(b, i.x), 0);
		return true;
	case TOY_RETURN:
		ir_exit_value(b, IR_EXIT_RETURN, ir_get(b, 1), 0);
		return true;
	case TOY_SYSCALL:
		ir_exit_trap(b, IR_TRAP_SYSCALL, at, at + 4);
		return true;
	case TOY_LOOKUP:
		ir_exit_lookup(b, at + 4);
		return true;
	case TOY_ILLEGAL:
		break;
	}
	ir_exit_trap(b, IR_TRAP_ILLEGAL, at, at + 4);
	return true;
}

static int
toy_lift(struct ir_region *region, struct arena *arena, uint64_t pc, uint32_t mode,
	 const struct guest_lift_limits *limits)
{
	struct ir_builder b;
	unsigned n = 0;
	bool end = false;

	toy_lifts++;
	ir_build_begin(&b, region, arena, &toy_slots, pc, mode);
	for (; !end && n < limits->insns && 4 * n + 4 <= limits->readable; n++) {
		struct toy_insn i;

		memcpy(&i, limits->code + 4 * n, 4);
		end = toy_lift_one(&b, i, (int32_t)(4 * n));
	}
	if (!n)
		ir_exit_trap(&b, IR_TRAP_FETCH_FAULT, 0, 0);
	else if (!end)
		ir_exit_jump(&b, (int32_t)(4 * n));
	region->bytes = 4 * n;
	region->insns = n;
	return ir_build_end(&b) ? 0 : -1;
}

static int
toy_disassemble(char *text, size_t size, uint64_t pc, const uint8_t *code, size_t readable)
{
	struct toy_insn i;

	(void)pc;
	if (readable < 4)
		return 0;
	memcpy(&i, code, 4);
	text_format(text, size, "op%u x%u, %d", i.op, i.x, i.imm);
	return 4;
}

static bool
toy_access(const struct ir_frame *frame, const uint8_t *code, size_t readable, uint64_t *address,
	   enum ir_access *access)
{
	struct toy_insn i;

	if (readable < 4)
		return false;
	memcpy(&i, code, 4);
	*address = ((const uint64_t *)(const void *)frame->guest)[i.imm & 7];
	*access = i.op == TOY_STORE ? IR_ACCESS_W : IR_ACCESS_R;
	return i.op == TOY_STORE || i.op == TOY_LOAD;
}

static const struct guest toy_guest = {
	.name = "toy", .pointer_bits = 64, .slots = &toy_slots, .reset = toy_reset, .mode = toy_mode,
	.lift = toy_lift, .disassemble = toy_disassemble, .access_address = toy_access, .slot_sp = 2,
};

/* ---- the owner of a space ------------------------------------------------ */

#define TOY_PAGES 64
static uint8_t *toy_memory; /* TOY_PAGES of code and data; the last one missing */
static bool toy_watched[TOY_PAGES]; /* once, or now: such a page has no other faults */
static unsigned long toy_unwatched; /* stores that hit watched pages */
static struct cpu_space toy_space;
static _Thread_local struct vcpu *toy_current;

static inline uint64_t
toy_address(unsigned page, unsigned offset)
{
	return (uint64_t)(uintptr_t)toy_memory + page * 4096u + offset;
}

static const uint8_t *
toy_code(struct cpu_space *space, uint64_t pc, size_t *readable)
{
	uint64_t left = toy_address(TOY_PAGES - 1, 0) - pc;

	(void)space;
	if (left > (TOY_PAGES - 1) * 4096u)
		return NULL;
	*readable = left;
	return (const uint8_t *)(uintptr_t)pc;
}

static uint64_t
toy_anchor(struct cpu_space *space, uint64_t pc)
{
	(void)space, (void)pc;
	return toy_address(0, 0);
}

static bool
toy_watch(struct cpu_space *space, uint64_t start, uint64_t end)
{
	(void)space;
	/* First the mark: another thread's store may fault at once. */
	for (uint64_t page = start; page < end; page += 4096)
		__atomic_store_n(&toy_watched[(page - toy_address(0, 0)) / 4096], true, __ATOMIC_SEQ_CST);
	return !mprotect((void *)(uintptr_t)start, end - start, PROT_READ);
}

static void
toy_handler(int signal, siginfo_t *info, void *context)
{
	uint64_t offset = (uint64_t)(uintptr_t)info->si_addr - toy_address(0, 0);

	if (signal == SIGSEGV && offset < (TOY_PAGES - 1) * 4096u && toy_watched[offset / 4096]) {
		uint64_t page = toy_address((unsigned)(offset / 4096), 0);

		toy_unwatched++;
		/* The mark stays: a translator may be about to close the page. What
		 * is translated until the page is open dies with the rest. */
		mprotect((void *)(uintptr_t)page, 4096, PROT_READ | PROT_WRITE);
		cpu_invalidate(&toy_space, page, page + 4096);
		return;
	}
	if (toy_current && cpu_host_fault(toy_current, signal, info, context))
		return;
	fprintf(stderr, "signal %d at %p: not the guest's\n", signal, info->si_addr);
	_exit(3);
}

static _Thread_local stack_t toy_stack_before; /* a sanitizer has its own */

static void
toy_thread_start(struct vcpu *vcpu)
{
	static _Thread_local uint8_t memory[65536];
	stack_t stack = { .ss_sp = memory, .ss_size = sizeof memory };

	toy_current = vcpu;
	sigaltstack(&stack, toy_stack_before.ss_sp ? NULL : &toy_stack_before);
}

static inline void
toy_thread_end(void)
{
	sigaltstack(&toy_stack_before, NULL);
}

static void
toy_start(const struct cpu_options *options)
{
	struct sigaction action = { .sa_sigaction = toy_handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	struct error error = { 0 };

	if (!toy_memory)
		toy_memory = mmap(NULL, TOY_PAGES * 4096, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(toy_memory, (TOY_PAGES - 1) * 4096, PROT_READ | PROT_WRITE);
	mprotect(toy_memory + (TOY_PAGES - 1) * 4096, 4096, PROT_NONE);
	memset(toy_memory, 0, (TOY_PAGES - 1) * 4096);
	memset(toy_watched, 0, sizeof toy_watched);
	sigfillset(&action.sa_mask);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGILL, &action, NULL); /* planted by force_faults */
	toy_space = (struct cpu_space){ .guest = &toy_guest, .code = toy_code, .anchor = toy_anchor,
					.watch = toy_watch };
	CHECK_INT(cpu_space_init(&toy_space, options, &error), 0);
	CHECK_TEXT(error.text, "");
}

/* Writes code as the guest would: by stores that may hit a watched page. */
static uint64_t
toy_write(unsigned page, unsigned offset, const struct toy_insn *insn, unsigned count)
{
	struct __attribute__((packed)) unaligned { uint32_t word; };
	volatile struct unaligned *to = (volatile struct unaligned *)(void *)(toy_memory + page * 4096u + offset);

	for (unsigned i = 0; i < count; i++) {
		uint32_t word;

		memcpy(&word, &insn[i], 4);
		to[i].word = word;
	}
	return toy_address(page, offset);
}
#define TOY_CODE(page, offset, ...)                                                    \
	toy_write((page), (offset), (const struct toy_insn[]){ __VA_ARGS__ },             \
		  ARRAY_LEN(((const struct toy_insn[]){ __VA_ARGS__ })))

/* Runs from pc until a trap; polls the engine makes are passed over. */
static struct cpu_stop
toy_run(struct vcpu *vcpu, uint64_t pc)
{
	struct cpu_stop stop;

	vcpu->frame->pc = pc;
	do {
		__atomic_store_n(&vcpu->frame->poll, 0, __ATOMIC_SEQ_CST);
		cpu_run(vcpu, &stop);
	} while (stop.kind == CPU_STOP_POLL);
	return stop;
}

#endif
