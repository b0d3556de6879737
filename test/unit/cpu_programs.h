/* Toy programs that every accelerator must run alike: cpu_interp.c and
 * cpu_translate.c include this. */
#ifndef TEST_UNIT_CPU_PROGRAMS_H
#define TEST_UNIT_CPU_PROGRAMS_H

#include "unit/toy.h"

static void
test_loop(struct vcpu *vcpu)
{
	uint64_t *x = toy_x(vcpu->frame);
	uint64_t pc = TOY_CODE(1, 0, { TOY_ADD, 2, 3 }, { TOY_ADD, 3, -1 }, { TOY_BNEZ, 3, -8 },
			       { TOY_SYSCALL, 0, 0 });
	struct cpu_stop stop;
	unsigned long lifts;

	x[2] = 0;
	x[3] = 1000;
	stop = toy_run(vcpu, pc);
	CHECK_INT(stop.kind, CPU_STOP_TRAP);
	CHECK_INT(stop.trap, IR_TRAP_SYSCALL);
	CHECK_INT(stop.pc, pc + 12);
	CHECK_INT(stop.next, pc + 16);
	CHECK_INT(vcpu->frame->pc, pc + 12);
	CHECK_INT(x[2], 3000);
	CHECK(cpu_has_code(&toy_space, pc, pc + 1));
	CHECK(!cpu_has_code(&toy_space, pc + 4096, pc + 8192));
	lifts = toy_lifts;
	x[3] = 7;
	toy_run(vcpu, pc);
	CHECK_INT(x[2], 3021);
	CHECK_INT(toy_lifts, lifts);
}

/* f(n): n ? 1 + f(n - 1) : 0, with x2 as stack pointer. */
static void
test_calls(struct vcpu *vcpu)
{
	uint64_t *x = toy_x(vcpu->frame);
	uint64_t pc = TOY_CODE(2, 0, { TOY_CALL, 0, 8 }, { TOY_SYSCALL, 0, 0 },
			       /* 8: f */ { TOY_BNEZ, 3, 8 }, { TOY_RETURN, 0, 0 },
			       { TOY_STORE, 1, 2 }, { TOY_ADD, 2, 8 }, { TOY_ADD, 3, -1 },
			       { TOY_CALL, 0, -20 }, { TOY_ADD, 4, 1 }, { TOY_ADD, 2, -8 },
			       { TOY_LOAD, 1, 2 }, { TOY_RETURN, 0, 0 });
	struct cpu_stop stop;

	for (unsigned depth = 0; depth <= 2000; depth = depth * 3 + 1) {
		x[2] = toy_address(32, 0);
		x[3] = depth;
		x[4] = 0;
		stop = toy_run(vcpu, pc);
		CHECK_INT(stop.trap, IR_TRAP_SYSCALL);
		CHECK_INT(stop.pc, pc + 4);
		CHECK_INT(x[4], depth);
		CHECK_INT(x[2], toy_address(32, 0));
	}
}

static void
test_faults(struct vcpu *vcpu)
{
	uint64_t *x = toy_x(vcpu->frame);
	uint64_t pc = TOY_CODE(3, 0, { TOY_ADD, 3, 1 }, { TOY_LOAD, 4, 2 }, { TOY_ADD, 3, 1 },
			       { TOY_STORE, 4, 5 }, { TOY_ADD, 3, 1 }, { TOY_ILLEGAL, 0, 0 });
	struct cpu_stop stop;

	x[2] = x[5] = toy_address(40, 8);
	*(uint64_t *)(uintptr_t)x[2] = 99;
	x[3] = 0;
	stop = toy_run(vcpu, pc);
	CHECK_INT(stop.trap, IR_TRAP_ILLEGAL);
	CHECK_INT(stop.pc, pc + 20);
	CHECK_INT(x[4], 99);
	CHECK_INT(x[3], 3);

	x[2] = toy_address(TOY_PAGES - 1, 16);
	x[3] = 0;
	stop = toy_run(vcpu, pc);
	CHECK_INT(stop.trap, IR_TRAP_READ_FAULT);
	CHECK_INT(stop.pc, pc + 4);
	CHECK_INT(vcpu->frame->pc, pc + 4);
	CHECK_INT(stop.address, x[2]);
	CHECK_INT(stop.host_signal, SIGSEGV);
	CHECK_INT(stop.host_code, SEGV_ACCERR);
	CHECK_INT(x[3], 1);
	CHECK_INT(x[4], 99);

	x[2] = toy_address(40, 8);
	x[5] = UINT64_C(0x8000123456789abc); /* not canonical: no host address */
	stop = toy_run(vcpu, pc);
	CHECK_INT(stop.trap, IR_TRAP_WRITE_FAULT);
	CHECK_INT(stop.pc, pc + 12);
	CHECK_INT(stop.address, x[5]);
	CHECK_INT(x[3], 3);

	stop = toy_run(vcpu, toy_address(TOY_PAGES, 0));
	CHECK_INT(stop.trap, IR_TRAP_FETCH_FAULT);
	CHECK_INT(stop.address, toy_address(TOY_PAGES, 0));
	/* The last instruction lies half in what is missing. */
	stop = toy_run(vcpu, toy_address(TOY_PAGES - 2, 4094));
	CHECK_INT(stop.trap, IR_TRAP_FETCH_FAULT);
	CHECK_INT(stop.pc, toy_address(TOY_PAGES - 2, 4094));
	CHECK_INT(stop.address, toy_address(TOY_PAGES - 1, 0));
}

static void
test_check(struct vcpu *vcpu)
{
	uint64_t *x = toy_x(vcpu->frame);
	uint64_t pc = TOY_CODE(4, 0, { TOY_ADD, 2, 1 }, { TOY_CHECK, 3, 0 }, { TOY_SYSCALL, 0, 0 });
	struct cpu_stop stop;

	x[2] = x[3] = 0;
	stop = toy_run(vcpu, pc);
	CHECK_INT(stop.trap, IR_TRAP_SYSCALL);
	x[3] = 5;
	stop = toy_run(vcpu, pc);
	CHECK_INT(stop.trap, IR_TRAP_MISALIGNED);
	CHECK_INT(stop.pc, pc + 4);
	CHECK_INT(vcpu->frame->pc, pc + 4);
	CHECK_INT(x[2], 2);
}

/* Code that crosses a page, and an instruction that straddles it. */
static void
test_pages(struct vcpu *vcpu)
{
	uint64_t *x = toy_x(vcpu->frame);
	uint64_t pc = TOY_CODE(5, 4094 - 8, { TOY_ADD, 2, 1 }, { TOY_ADD, 2, 10 }, { TOY_ADD, 2, 100 },
			       { TOY_SYSCALL, 0, 0 });
	struct cpu_stop stop;

	x[2] = 0;
	stop = toy_run(vcpu, pc);
	CHECK_INT(stop.trap, IR_TRAP_SYSCALL);
	CHECK_INT(x[2], 111);
	CHECK(cpu_has_code(&toy_space, toy_address(6, 0), toy_address(6, 1)));
	/* Either page takes the straddler with it. */
	TOY_CODE(5, 4094, { TOY_ADD, 2, 200 });
	x[2] = 0;
	toy_run(vcpu, pc);
	CHECK_INT(x[2], 211);
	*(volatile uint8_t *)(uintptr_t)toy_address(6, 1) = 3; /* imm 200 + 0x300 - … */
	x[2] = 0;
	toy_run(vcpu, pc);
	CHECK_INT(x[2], 11 + (0x300 | 200));
}

/* The guest changes its own code: by a store of its own, in a loop whose
 * regions are chained. */
static void
test_self_modifying(struct vcpu *vcpu)
{
	uint64_t *x = toy_x(vcpu->frame);
	uint64_t function = TOY_CODE(8, 0, { TOY_ADD, 4, 1 }, { TOY_RETURN, 0, 0 });
	uint64_t pc = TOY_CODE(7, 0, { TOY_CALL, 0, 4096 }, { TOY_ADD, 3, -1 }, { TOY_BNEZ, 3, -8 },
			       { TOY_STORE, 5, 6 }, { TOY_CALL, 0, 4096 - 16 }, { TOY_SYSCALL, 0, 0 });
	struct toy_insn changed[] = { { TOY_ADD, 4, 1000 }, { TOY_RETURN, 0, 0 } };
	unsigned long before = toy_unwatched;
	struct cpu_stop stop;

	x[3] = 50;
	x[4] = 0;
	memcpy(&x[5], changed, 8);
	x[6] = function;
	stop = toy_run(vcpu, pc);
	CHECK_INT(stop.trap, IR_TRAP_SYSCALL);
	CHECK_INT(x[4], 1050);
	CHECK_INT(toy_unwatched, before + 1);
	x[3] = 2;
	x[4] = 0;
	toy_run(vcpu, pc);
	CHECK_INT(x[4], 3000);
}

/* One pc under two mode keys, through calls and returns. */
static void
test_modes(struct vcpu *vcpu)
{
	uint64_t *x = toy_x(vcpu->frame);
	uint64_t pc = TOY_CODE(9, 0, { TOY_CALL, 0, 16 }, { TOY_ADD, 4, 1 }, { TOY_SYSCALL, 0, 0 },
			       { TOY_ILLEGAL, 0, 0 },
			       /* 16 */ { TOY_MOVE, 7, 5 }, { TOY_LOOKUP, 0, 0 }, { TOY_RETURN, 0, 0 });

	x[7] = 0;
	for (unsigned i = 0; i < 8; i++) {
		struct cpu_stop stop;

		x[4] = 0;
		x[5] = i & 1;
		stop = toy_run(vcpu, pc);
		CHECK_INT(stop.trap, IR_TRAP_SYSCALL);
		CHECK_INT(x[4], 1);
		CHECK_INT(vcpu->frame->mode, i & 1);
	}
	x[7] = 0;
}

static void
test_poll(struct vcpu *vcpu)
{
	uint64_t pc = TOY_CODE(10, 0, { TOY_JUMP, 0, 0 });
	struct cpu_stop stop;

	vcpu->frame->pc = pc;
	cpu_poll(vcpu);
	cpu_run(vcpu, &stop);
	CHECK_INT(stop.kind, CPU_STOP_POLL);
	CHECK_INT(vcpu->frame->pc, pc);
}

static void
test_programs(struct vcpu *vcpu)
{
	test_loop(vcpu);
	test_calls(vcpu);
	test_faults(vcpu);
	test_check(vcpu);
	test_pages(vcpu);
	test_self_modifying(vcpu);
	test_modes(vcpu);
	test_poll(vcpu);
}

#endif
