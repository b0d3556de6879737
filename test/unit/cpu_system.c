/* One system vCPU: its soft TLB, faults, devices, code under another mapping. */
#include "unit/system_world.h"

/* Page n of RAM; the first is the handler's. */
#define P(n) (RAM + (n) * PAGE)

static void
test_loop(struct world_cpu *cpu)
{
	uint64_t *x = world_x(cpu);

	world_add(0x10000, P(1), PAGE, RWX, false, -1);
	world_add(0x20000, P(2), PAGE, GUEST_READ | GUEST_WRITE, false, -1);
	PUT(P(1), ADDI(10, 10, 3), SD(10, 12, 8), LD(13, 12, 8), ADDI(11, 11, -1), BNEZ(11, -16), AUIPC(14), ECALL);
	x[10] = 0;
	x[11] = 1000;
	x[12] = 0x20000;
	world_run(cpu, 0x10000);
	CHECK_INT(cpu->faults, 0);
	CHECK_INT(x[10], 3000);
	CHECK_INT(x[13], 3000);
	CHECK_INT(x[14], 0x10014);
	CHECK_INT(cpu->vcpu.frame->pc, 0x1001c);
	CHECK_INT(world_word(P(2) + 8), 3000);
}

static void
test_faults(struct world_cpu *cpu)
{
	uint64_t *x = world_x(cpu);

	world_add(0x30000, P(3), PAGE, GUEST_READ, false, -1);
	PUT(P(1), ADDI(10, 0, 1), LD(10, 12, 0), ECALL);
	x[12] = 0x99999000;
	world_run(cpu, 0x10000);
	CHECK_INT(cpu->faults, 1);
	CHECK_INT(cpu->fault.cause, 13);
	CHECK_INT(cpu->fault.value, 0x99999000);
	CHECK_INT(cpu->fault_pc, 0x10004);
	CHECK_INT(x[10], 1);
	/* Writes to what may only be read, after it was read. */
	PUT(P(1), LD(10, 12, 0), SD(10, 12, 0), ECALL);
	x[12] = 0x30010;
	world_run(cpu, 0x10000);
	CHECK_INT(cpu->fault.cause, 15);
	CHECK_INT(cpu->fault.value, 0x30010);
	CHECK_INT(cpu->fault_pc, 0x10004);
	/* An atomic access that is misaligned. */
	PUT(P(1), AMOADD(10, 12, 11), ECALL);
	x[12] = 0x20004;
	world_run(cpu, 0x10000);
	CHECK_INT(cpu->fault.cause, 6);
	CHECK_INT(cpu->fault.value, 0x20004);
	/* A jump to nowhere. */
	PUT(P(1), JALR(1, 12));
	x[12] = 0x5555000;
	world_run(cpu, 0x10000);
	CHECK_INT(cpu->fault.cause, 12);
	CHECK_INT(cpu->fault_pc, 0x5555000);
	CHECK_INT(x[1], 0x10004);
	/* An illegal instruction: its bits. */
	PUT(P(1), 0xffffffff);
	world_run(cpu, 0x10000);
	CHECK_INT(cpu->fault.cause, 2);
	CHECK_INT(cpu->fault.value, 0xffffffff);
	CHECK_INT(cpu->fault_pc, 0x10000);
}

/* Across pages whose physical pages do not follow each other. */
static void
test_crossing(struct world_cpu *cpu)
{
	struct mapping *second;
	uint64_t *x = world_x(cpu);

	world_add(0x40000, P(4), PAGE, GUEST_READ | GUEST_WRITE, false, -1);
	second = world_add(0x41000, P(8), PAGE, GUEST_READ | GUEST_WRITE, false, -1);
	PUT(P(1), SD(10, 12, 0), LD(11, 12, 0), ECALL);
	x[10] = 0x1122334455667788;
	x[12] = 0x40ffd;
	world_run(cpu, 0x10000);
	CHECK_INT(cpu->faults, 0);
	CHECK_INT(x[11], 0x1122334455667788);
	CHECK_INT(world_word(P(4) + 0xff8) >> 40, 0x667788);
	CHECK_INT(world_word(P(8)) & 0xffffffffff, 0x1122334455);
	/* The second may not be written: nothing of the first is. */
	second->allowed = GUEST_READ;
	world_flush(cpu, 0x41000);
	x[10] = 0;
	world_run(cpu, 0x10000);
	CHECK_INT(cpu->fault.cause, 15);
	CHECK_INT(cpu->fault.value, 0x41000);
	CHECK_INT(world_word(P(4) + 0xff8) >> 40, 0x667788);
}

/* Accesses near each other at the end of a page, of which not all are made: what
 * is not accessed does not fault, and each reads its own page. */
static void
test_sharing(struct world_cpu *cpu)
{
	struct mapping *second = world_add(0xa1000, P(41), PAGE, GUEST_READ | GUEST_WRITE, false, -1);
	uint64_t *x = world_x(cpu);

	world_add(0xa0000, P(45), PAGE, GUEST_READ | GUEST_WRITE, false, -1);
	PUT(P(1), SD(10, 12, 0), LD(13, 12, 0), ADDI(12, 12, 16), BNEZ(11, 24), SD(10, 12, -8), SD(11, 12, 0),
	    LD(14, 12, -8), LD(15, 12, 0), ECALL, ECALL);
	for (unsigned i = 0; i < 60; i++) {
		second->allowed = i % 2 ? 0 : GUEST_READ | GUEST_WRITE;
		world_flush(cpu, 0xa1000);
		x[10] = 1000 + i;
		x[11] = i % 2;
		x[12] = 0xa0ff0 + (i / 2 % 2) * 8; /* the end is at 16, or at 8 */
		x[13] = x[14] = 0;
		world_run(cpu, 0x10000);
		CHECK_INT(cpu->faults, 0);
		CHECK_INT(x[13], 1000 + i);
		CHECK_INT(x[14], i % 2 ? 0 : 1000 + i);
	}
	x[11] = 0;
	x[12] = 0xa0ff0;
	world_run(cpu, 0x10000);
	CHECK_INT(cpu->fault.cause, 15);
	CHECK_INT(cpu->fault.value, 0xa1000);
	CHECK_INT(cpu->fault_pc, 0x10014);
	CHECK_INT(x[12], 0xa1000);
}

static void
test_device(struct world_cpu *cpu)
{
	uint64_t *x = world_x(cpu);

	world_add(0x50000, DEVICE, PAGE, GUEST_READ | GUEST_WRITE, false, -1);
	PUT(P(1), SW(10, 12, 0), LW(11, 12, 4), LD(13, 12, 8), ECALL);
	device_reads = device_writes = 0;
	x[10] = 77;
	x[12] = 0x50000;
	world_run(cpu, 0x10000);
	CHECK_INT(cpu->faults, 0);
	CHECK_INT(x[11], 81);
	CHECK_INT(x[13], 85);
	CHECK_INT(device_reads, 2);
	CHECK_INT(device_writes, 1);
	x[12] = 0x50001;
	world_run(cpu, 0x10000);
	CHECK_INT(cpu->fault.cause, 6);
	CHECK_INT(device_writes, 1);
	/* Atomic: no memory. */
	PUT(P(1), AMOADD(11, 12, 10), ECALL);
	x[12] = 0x50008;
	world_run(cpu, 0x10000);
	CHECK_INT(cpu->fault.cause, 7);
	CHECK_INT(device_writes, 1);
	/* Where nothing is. */
	world_add(0x51000, 0x40000000, PAGE, GUEST_READ | GUEST_WRITE, false, -1);
	PUT(P(1), LD(11, 12, 0), ECALL);
	x[12] = 0x51000;
	world_run(cpu, 0x10000);
	CHECK_INT(cpu->fault.cause, 5);
	CHECK_INT(cpu->fault.value, 0x51000);
}

/* One physical page at two addresses: PCs are those of the mapping it runs at; a
 * write through another mapping changes the code. */
static void
test_alias(struct world_cpu *cpu)
{
	uint64_t *x = world_x(cpu);

	world_add(0x60000, P(6), PAGE, RWX, false, -1);
	world_add(0x62000, P(6), PAGE, RWX, false, -1);
	PUT(P(6), AUIPC(10), ADDI(11, 0, 1), JALR(0, 13));
	x[13] = HANDLER;
	for (unsigned i = 0; i < 3; i++) {
		world_run(cpu, 0x60000);
		CHECK_INT(x[10], 0x60000);
		world_run(cpu, 0x62000);
		CHECK_INT(x[10], 0x62000);
	}
	/* The code at 0x10000 patches it at 0x62004 and jumps to 0x60000. */
	PUT(P(1), SW(14, 12, 4), FENCE_I, JALR(0, 15));
	for (unsigned i = 2; i < 40; i++) {
		x[12] = 0x62000;
		x[14] = ADDI(11, 0, i);
		x[15] = 0x60000;
		world_run(cpu, 0x10000);
		CHECK_INT(cpu->faults, 0);
		CHECK_INT(x[11], i);
		CHECK_INT(x[10], 0x60000);
	}
	/* A device writes it. */
	PUT(P(6) + 4, ADDI(11, 0, 99));
	world_run(cpu, 0x60000);
	CHECK_INT(x[11], 99);
}

/* Jumps and calls to other pages follow a changed mapping once it is flushed. */
static void
test_remap(struct world_cpu *cpu)
{
	struct mapping *second;
	uint64_t *x = world_x(cpu);

	world_add(0x70000, P(10), PAGE, RWX, false, -1);
	second = world_add(0x71000, P(11), PAGE, RWX, false, -1);
	PUT(P(10), ADDI(10, 0, 0), JAL(1, 0xffc), ADDI(10, 10, 100), JALR(0, 13));
	PUT(P(11), ADDI(10, 10, 1), RET);
	PUT(P(12), ADDI(10, 10, 2), RET);
	x[13] = HANDLER;
	for (unsigned i = 0; i < 4; i++) {
		world_run(cpu, 0x70000);
		CHECK_INT(x[10], 101);
	}
	second->physical = P(12);
	world_flush(cpu, 0x71000);
	for (unsigned i = 0; i < 4; i++) {
		world_run(cpu, 0x70000);
		CHECK_INT(x[10], 102);
	}
	second->allowed = GUEST_READ;
	world_flush(cpu, 0x71000);
	world_run(cpu, 0x70000);
	CHECK_INT(cpu->fault.cause, 12);
	CHECK_INT(cpu->fault_pc, 0x71000);
}

/* An instruction on two pages, of which the second changes. */
static void
test_straddle(struct world_cpu *cpu)
{
	const uint32_t one = ADDI(10, 10, 1), other = ADDI(10, 10, 64);
	struct mapping *second;
	uint64_t *x = world_x(cpu);
	uint16_t nop = 1, low = (uint16_t)one, high = (uint16_t)(one >> 16), high2 = (uint16_t)(other >> 16);

	world_add(0x80000, P(13), PAGE, RWX, false, -1);
	second = world_add(0x81000, P(20), PAGE, RWX, false, -1);
	for (unsigned i = 0xff0; i < 0xffe; i += 2)
		CHECK(memory_write(&world_memory, P(13) + i, &nop, 2));
	CHECK(memory_write(&world_memory, P(13) + 0xffe, &low, 2));
	CHECK(memory_write(&world_memory, P(20), &high, 2));
	PUT(P(20) + 2, JALR(0, 13));
	CHECK(memory_write(&world_memory, P(22), &high2, 2));
	PUT(P(22) + 2, JALR(0, 13));
	x[13] = HANDLER;
	for (unsigned i = 0; i < 6; i++) {
		second->physical = i & 1 ? P(22) : P(20);
		world_flush(cpu, 0x81000);
		for (unsigned n = 0; n < 3; n++) {
			x[10] = 0;
			world_run(cpu, 0x80ff0);
			CHECK_INT(cpu->faults, 0);
			CHECK_INT(x[10], i & 1 ? 64 : 1);
		}
	}
	/* Its tail is written. */
	CHECK(memory_write(&world_memory, P(22), &high, 2));
	x[10] = 0;
	world_run(cpu, 0x80ffe);
	CHECK_INT(x[10], 1);
	/* Its tail is gone: the fault is at the second page, of the instruction. */
	second->allowed = GUEST_READ;
	world_flush(cpu, 0x81000);
	world_run(cpu, 0x80ff0);
	CHECK_INT(cpu->fault.cause, 12);
	CHECK_INT(cpu->fault.value, 0x81000);
	CHECK_INT(cpu->fault_pc, 0x80ffe);
}

/* Code in one large mapping is chained across pages; a flush of any address in it
 * takes all of it. */
static void
test_super(struct world_cpu *cpu)
{
	struct mapping *large = world_add(UINT64_C(0x40000000), RAM + (2u << 20), 2u << 20, RWX, true, -1);
	uint64_t *x = world_x(cpu), base = RAM + (2u << 20);

	PUT(base, ADDI(10, 0, 0), JAL(1, 0x1ffc), AUIPC(11), JALR(0, 13));
	PUT(base + 0x2000, AUIPC(12), ADDI(10, 10, 1), RET);
	x[13] = HANDLER;
	for (unsigned i = 0; i < 4; i++) {
		world_run(cpu, 0x40000000);
		CHECK_INT(cpu->faults, 0);
		CHECK_INT(x[10], 1);
		CHECK_INT(x[11], 0x40000008);
		CHECK_INT(x[12], 0x40002000);
	}
	PUT(base + (2u << 20), ADDI(10, 0, 7), JALR(0, 13));
	large->physical += 2u << 20;
	world_flush(cpu, 0x401ff000);
	world_run(cpu, 0x40000000);
	CHECK_INT(x[10], 7);
}

/* Translations of two address spaces, with global ones. */
static void
test_asid(struct world_cpu *cpu)
{
	struct mapping *first;
	uint64_t *x = world_x(cpu), value[2] = { 111, 222 };
	unsigned long walks;

	first = world_add(0x90000, P(30), PAGE, GUEST_READ | GUEST_WRITE, false, 1);
	world_add(0x90000, P(31), PAGE, GUEST_READ | GUEST_WRITE, false, 2);
	CHECK(memory_write(&world_memory, P(30), &value[0], 8) && memory_write(&world_memory, P(31), &value[1], 8));
	PUT(P(1), LD(10, 12, 0), ECALL);
	for (unsigned regime = 0; regime < 2; regime++) {
		for (unsigned i = 0; i < 6; i++) {
			cpu->regime = regime;
			cpu->asid = 1 + i % 2;
			x[12] = 0x90000;
			world_run(cpu, 0x10000);
			CHECK_INT(x[10], value[i % 2]);
		}
	}
	/* Switching walks no more in the private regime. */
	cpu->regime = 0;
	cpu->asid = 1;
	world_run(cpu, 0x10000);
	walks = world_walks;
	cpu->asid = 2;
	world_run(cpu, 0x10000);
	cpu->asid = 1;
	world_run(cpu, 0x10000);
	CHECK_INT(world_walks, walks);
	/* A flush of the other address space does not concern this one. */
	first->physical = P(32);
	cpu->env.flush(&cpu->env, true, 0x90000, true, 2, false);
	world_run(cpu, 0x10000);
	CHECK_INT(x[10], 111);
	cpu->env.flush(&cpu->env, true, 0x90000, true, 1, false);
	world_run(cpu, 0x10000);
	CHECK_INT(x[10], 0);
	cpu->asid = 0;
}

/* A loop over 1,500 pages settles: each is walked once. */
static void
test_many_pages(struct world_cpu *cpu)
{
	uint64_t *x = world_x(cpu);
	unsigned long walks;

	for (unsigned i = 0; i < 3; i++)
		world_add(0x1000000 + i * 512 * PAGE, RAM + (8u << 20) + i * 512 * PAGE, 512 * PAGE,
			  GUEST_READ | GUEST_WRITE, false, -1);
	PUT(P(1), LD(13, 12, 0), SD(13, 12, 8), ADD(12, 12, 14), ADDI(11, 11, -1), BNEZ(11, -16), ECALL);
	x[14] = PAGE;
	for (unsigned i = 0; i < 3; i++) {
		walks = world_walks;
		x[11] = 1500;
		x[12] = 0x1000000;
		world_run(cpu, 0x10000);
		CHECK_INT(cpu->faults, 0);
		CHECK(i == 0 ? world_walks - walks <= 1502 : world_walks == walks);
	}
}

static void
test_interrupt(struct world_cpu *cpu)
{
	uint64_t *x = world_x(cpu);

	PUT(P(1), ADDI(11, 11, -1), BNEZ(11, -4), ECALL);
	cpu->input = cpu->enabled = true;
	cpu->interrupts = 0;
	x[11] = 5;
	cpu_poll(&cpu->vcpu);
	world_run(cpu, 0x10000);
	CHECK_INT(cpu->interrupts, 1);
	CHECK_INT(cpu->vcpu.frame->pc, HANDLER + 4);
	cpu->input = cpu->enabled = false;
}

/* Logging: the first write to a clean page marks it, later ones go straight. */
static void
test_dirty_log(struct world_cpu *cpu)
{
	uint64_t *x = world_x(cpu);

	PUT(P(1), SD(10, 12, 0), ECALL);
	x[12] = 0x20000;
	world_run(cpu, 0x10000);
	memory_log_start(&world_memory);
	cpu_flush_writes(&world_space, &cpu->vcpu);
	CHECK(*memory_flags(&world_memory, P(2)) & MEMORY_PAGE_CLEAN);
	world_run(cpu, 0x10000);
	CHECK(!(*memory_flags(&world_memory, P(2)) & MEMORY_PAGE_CLEAN));
	CHECK(*memory_flags(&world_memory, P(4)) & MEMORY_PAGE_CLEAN);
	memory_log_stop(&world_memory);
}

static void
run_all(enum cpu_accel accel, unsigned insns)
{
	struct cpu_options options = { .accel = accel, .max_insns = insns };
	struct world_cpu cpu;

	world_begin(&options);
	world_cpu_begin(&cpu, 0, &options);
	test_loop(&cpu);
	test_faults(&cpu);
	test_crossing(&cpu);
	test_sharing(&cpu);
	test_device(&cpu);
	test_alias(&cpu);
	test_remap(&cpu);
	test_straddle(&cpu);
	test_super(&cpu);
	test_asid(&cpu);
	test_many_pages(&cpu);
	test_interrupt(&cpu);
	test_dirty_log(&cpu);
	vcpu_fini(&cpu.vcpu);
	world_end();
}

int
main(void)
{
	struct error error;

	CHECK(!cpu_thread_enter(&error));
	run_all(CPU_ACCEL_INTERPRET, 0);
	run_all(CPU_ACCEL_TRANSLATE, 0);
	run_all(CPU_ACCEL_TRANSLATE, 1);
	run_all(CPU_ACCEL_LOCKSTEP, 0);
	cpu_thread_leave();
	return check_done();
}
