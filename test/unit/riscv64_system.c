/* The riscv64 system level from outside: what it tells the engine of walks and
 * modes, what firmware hands over, its state saved and restored. The rules that
 * programs see are the suite bare's. */
#include "guest/riscv64/privileged.h"
#include "unit/check.h"

#include <stdlib.h>
#include <string.h>

#define RAM UINT64_C(0x80000000)
#define RAM_SIZE (UINT64_C(16) << 20)
#define ROOT (RAM + 0x1000)   /* table of 1 GiB each */
#define MIDDLE (RAM + 0x2000) /* of 2 MiB */
#define LEAVES (RAM + 0x3000) /* of 4 KiB */
enum { V = 1, R = 2, W = 4, X = 8, U = 16, G = 32, A = 64, D = 128 };

static const struct guest_system *const riscv64 = &guest_riscv64_system;
static struct memory memory;
static struct ir_frame *frame;
static struct guest_env env;
static unsigned flushes, changes;
static uint64_t now, timer;

static void
note_flush(struct guest_env *e, bool one, uint64_t address, bool asid_only, uint32_t asid, bool global)
{
	(void)e, (void)one, (void)address, (void)asid_only, (void)asid, (void)global;
	flushes++;
}

static void
note_change(struct guest_env *e)
{
	(void)e;
	changes++;
}

static uint64_t
read_time(struct guest_env *e)
{
	(void)e;
	return now;
}

static void
set_timer(struct guest_env *e, uint64_t when)
{
	(void)e;
	timer = when;
}

static struct riscv64_state *
state_now(void)
{
	return riscv64_state_of(frame);
}

static void
begin(void)
{
	now = 0;
	timer = 1;
	frame->env = &env;
	riscv64->reset(frame);
}

static void
execute(uint32_t bits, enum guest_step want)
{
	struct guest_fault fault;

	CHECK_INT(riscv64->execute(frame, bits, frame->pc + 4, &fault), want);
}

/* csrw csr, a0 with this value. */
static void
write_csr(unsigned csr, uint64_t value)
{
	state_now()->x[10] = value;
	execute(csr << 20 | 0x51073, GUEST_STEP_NEXT);
}

static void
entry(uint64_t table, unsigned index, uint64_t address, uint64_t flags)
{
	CHECK(memory_write64(&memory, table + 8 * index, address >> 12 << 10 | flags));
}

/* ---- walks ---------------------------------------------------------------- */

static struct guest_walk
walk(uint64_t address, enum guest_access access)
{
	struct guest_walk result;
	struct guest_fault fault;

	if (!CHECK(riscv64->walk(frame, address, 8, access, riscv64->data_regime(frame), &result, &fault)))
		fprintf(stderr, "  cause %lu\n", (unsigned long)fault.cause);
	return result;
}

static void
test_walk(void)
{
	struct guest_walk w;

	begin();
	w = walk(RAM, GUEST_READ); /* M-mode, no PMP */
	CHECK_INT(w.physical, RAM);
	CHECK_INT(w.page, 1 << 30);
	CHECK_INT(w.allowed, GUEST_READ | GUEST_WRITE | GUEST_EXECUTE);
	riscv64->firmware(frame);
	entry(ROOT, 0, RAM, V | R | X | A | G);
	entry(ROOT, 1, MIDDLE, V);
	entry(MIDDLE, 0, RAM + (4 << 20), V | R | W | A);
	entry(MIDDLE, 1, LEAVES, V);
	entry(LEAVES, 0, RAM + 0x5000, V | R | W | A | D);
	entry(LEAVES, 18, RAM + 0x18000, V | R | W | A | D | UINT64_C(1) << 63);
	write_csr(0x180, UINT64_C(8) << 60 | UINT64_C(7) << 44 | ROOT >> 12);
	CHECK_INT(riscv64->asid(frame), 7);
	w = walk(0x12345678, GUEST_READ);
	CHECK_INT(w.physical, RAM + 0x12345678);
	CHECK_INT(w.page, 1 << 30);
	CHECK_INT(w.allowed, GUEST_READ | GUEST_EXECUTE);
	CHECK(w.global);
	/* Not dirty yet: a write walks again, and sets D. */
	w = walk((UINT64_C(1) << 30) + 0x1234, GUEST_READ);
	CHECK_INT(w.page, 2 << 20);
	CHECK_INT(w.span, 2 << 20);
	CHECK_INT(w.allowed, GUEST_READ);
	CHECK(!w.global);
	w = walk((UINT64_C(1) << 30) + 0x1234, GUEST_WRITE);
	CHECK_INT(w.allowed, GUEST_READ | GUEST_WRITE);
	w = walk((UINT64_C(1) << 30) + (2 << 20) + 8, GUEST_WRITE);
	CHECK_INT(w.page, 4096);
	CHECK_INT(w.physical, RAM + 0x5008);
	w = walk((UINT64_C(1) << 30) + (2 << 20) + 0x12008, GUEST_WRITE);
	CHECK_INT(w.page, 64 << 10);
	CHECK_INT(w.physical, RAM + 0x12008);
	/* One rule all over the block, and no more. */
	write_csr(0x180, 0);
	state_now()->privilege = RISCV64_MACHINE;
	write_csr(0x3b1, 0); /* pmpaddr1 off; entry 0 is firmware()'s */
	write_csr(0x3b0, (RAM + 0x6000) >> 2 | 0xff); /* 2 KiB */
	write_csr(0x3a0, 0x18 | 0x1f << 8);
	write_csr(0x3b1, (UINT64_C(1) << 54) - 1);
	state_now()->privilege = RISCV64_SUPERVISOR;
	CHECK_INT(walk(RAM + 0x6800, GUEST_READ).page, 2048);
	CHECK_INT(walk(RAM + 0x7000, GUEST_READ).page, 4096);
	CHECK_INT(walk(RAM + 0x9000, GUEST_READ).page, 32768);
	CHECK_INT(walk(RAM + 0x800000, GUEST_READ).page, 8 << 20);
}

/* ---- modes and calls ------------------------------------------------------- */

static void
test_firmware(void)
{
	struct guest_fault fault;
	enum guest_step step = GUEST_STEP_NEXT;

	begin();
	CHECK(riscv64->trap(frame, IR_TRAP_SYSCALL, 0, &fault, &step));
	CHECK_INT(fault.cause, 11);
	CHECK_INT(guest_riscv64.mode(frame) & RISCV64_MODE_PRIVILEGE, 3 << 3);
	CHECK(guest_riscv64.mode(frame) & RISCV64_MODE_FP_OFF);
	riscv64->firmware(frame);
	CHECK_INT(guest_riscv64.mode(frame) & RISCV64_MODE_PRIVILEGE, 1 << 3);
	CHECK(!riscv64->trap(frame, IR_TRAP_SYSCALL, 0, &fault, &step));
	CHECK_INT(step, GUEST_STEP_CALL);
	state_now()->privilege = RISCV64_USER;
	CHECK(riscv64->trap(frame, IR_TRAP_SYSCALL, 0, &fault, &step));
	CHECK_INT(fault.cause, 8);
	riscv64->deliver(frame, &fault);
	CHECK_INT(state_now()->privilege, RISCV64_SUPERVISOR);
	/* A process VM has no such bits. */
	frame->env = NULL;
	guest_riscv64.reset(frame);
	CHECK_INT(guest_riscv64.mode(frame), 0);
}

/* The timer is asked for, and an input that is of a time before is not believed. */
static void
test_timer(void)
{
	begin();
	riscv64->firmware(frame);
	CHECK_INT(timer, UINT64_MAX);
	write_csr(0x104, 1 << 5);
	state_now()->mstatus |= STATUS_SIE;
	riscv64->set_timer(frame, 100);
	CHECK_INT(timer, 100);
	CHECK(!riscv64->awake(frame));
	riscv64->set_input(frame, 5, true); /* late, for a timer that was moved */
	CHECK(riscv64->awake(frame));
	CHECK(!riscv64->interrupt(frame));
	CHECK(!riscv64->awake(frame));
	CHECK_INT(timer, 100);
	now = 100;
	riscv64->set_input(frame, 5, true);
	CHECK(riscv64->interrupt(frame));
	CHECK_INT(state_now()->scause, CAUSE_INTERRUPT | 5);
	CHECK(!riscv64->interrupt(frame)); /* SIE is clear */
}

/* ---- state ------------------------------------------------------------------ */

enum { STREAM = 16384 };

static size_t
save(uint8_t to[STREAM])
{
	struct state *s = state_save();
	struct error error = { 0 };
	size_t size;
	const void *data;

	riscv64->state(frame, s);
	data = state_data(s, &size);
	if (CHECK(size <= STREAM))
		memcpy(to, data, size);
	CHECK_INT(state_close(s, &error), 0);
	return size;
}

static void
test_state(void)
{
	static uint8_t first[STREAM], second[STREAM];
	struct state *s;
	struct error error = { 0 };
	size_t size;

	begin();
	for (unsigned i = 1; i < 32; i++)
		state_now()->x[i] = i * UINT64_C(0x0123456789abcdef);
	for (unsigned i = 0; i < 32; i++)
		state_now()->f[i] = i * UINT64_C(0xfedcba9876543210);
	write_csr(0x3b0, 0x20000000 | 0xfff);
	write_csr(0x3a0, 0x1f);
	riscv64->firmware(frame);
	riscv64->set_timer(frame, 12345);
	frame->pc = 0x80001234;
	size = save(first);
	memset(frame->guest, 1, sizeof(struct riscv64_state));
	timer = 1;
	s = state_restore(first, size);
	riscv64->state(frame, s);
	CHECK_INT(state_close(s, &error), 0);
	CHECK_INT(timer, 12345);
	CHECK_INT(frame->pc, 0x80001234);
	CHECK_INT(guest_riscv64.mode(frame) & RISCV64_MODE_PRIVILEGE, 1 << 3);
	CHECK_INT(walk(RAM, GUEST_READ).allowed, GUEST_READ | GUEST_WRITE | GUEST_EXECUTE); /* PMP is back */
	CHECK_INT(save(second), size);
	CHECK(!memcmp(first, second, size));
	/* A privilege that there is not. */
	state_now()->privilege = 2;
	size = save(first);
	s = state_restore(first, size);
	riscv64->state(frame, s);
	CHECK_INT(state_close(s, &error), -1);
}

int
main(void)
{
	struct error error = { 0 };

	frame = aligned_alloc(64, align_up(sizeof *frame, 64));
	if (!frame || memory_init(&memory, &error) || memory_add_ram(&memory, "ram", RAM, RAM_SIZE, &error))
		return 1;
	memset(frame, 0, sizeof *frame);
	env = (struct guest_env){ .memory = &memory, .flush = note_flush, .changed = note_change,
				  .time = read_time, .timer = set_timer };
	test_walk();
	test_firmware();
	test_timer();
	test_state();
	CHECK(flushes && changes);
	memory_fini(&memory);
	free(frame);
	return check_done();
}
