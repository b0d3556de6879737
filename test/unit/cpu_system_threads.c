/* System vCPUs on threads of their own: what one asks of the others holds when it
 * comes back, whatever they are doing. */
#include <pthread.h>
#include <sched.h>

#include "unit/system_world.h"

#define P(n) (RAM + (n) * PAGE)
#define ROUNDS 100u

static bool stopping;

struct runner {
	struct world_cpu cpu;
	pthread_t thread;
	uint64_t pc;
};

/* Runs the program again and again. */
static void *
runner_main(void *argument)
{
	struct runner *r = argument;
	struct error error;

	if (cpu_thread_enter(&error))
		return NULL;
	r->cpu.vcpu.frame->pc = r->pc;
	while (!__atomic_load_n(&stopping, __ATOMIC_ACQUIRE))
		if (cpu_run_system(&r->cpu.vcpu) == CPU_SYSTEM_CALL)
			r->cpu.vcpu.frame->pc = r->pc;
	cpu_thread_leave();
	return NULL;
}

static void
runner_start(struct runner *r, uint64_t pc)
{
	r->pc = pc;
	CHECK(!pthread_create(&r->thread, NULL, runner_main, r));
}

static void
runners_stop(struct runner *r, unsigned count)
{
	__atomic_store_n(&stopping, true, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < count; i++) {
		cpu_poll(&r[i].cpu.vcpu);
		pthread_join(r[i].thread, NULL);
	}
	stopping = false;
}

static void
wait_for(uint64_t physical, uint64_t above)
{
	uint64_t now = above;

	for (unsigned i = 0; i < 1000000 && now <= above; i++) {
		sched_yield();
		memory_read64(&world_memory, physical, &now);
	}
	CHECK(now > above);
}

/* Each vCPU copies a word of a page that moves to a place of its own, and counts.
 * Once the flush is back, the old page is never read again. */
static void
test_remote_flush(struct runner *r, unsigned count)
{
	const struct cpu_flush flush = { .translations = true, .global = true, .start = 0x20000, .size = 8 };
	const uint64_t good = 1, bad = 2;
	struct mapping *page;

	world_add(0x10000, P(1), PAGE, RWX, false, -1);
	page = world_add(0x20000, P(2), PAGE, GUEST_READ, false, -1);
	world_add(0x30000, P(3), 4 * PAGE, GUEST_READ | GUEST_WRITE, false, -1);
	PUT(P(1), LD(10, 12, 0), ADD(14, 14, 10), SD(14, 13, 0), ADDI(15, 15, 1), SD(15, 13, 8), JAL(0, -20));
	CHECK(memory_write(&world_memory, P(8), &good, 8) && memory_write(&world_memory, P(9), &good, 8));
	page->physical = P(8);
	for (unsigned i = 0; i < count; i++) {
		uint64_t *x = world_x(&r[i].cpu);

		memset(x, 0, 32 * sizeof *x);
		x[12] = 0x20000;
		x[13] = 0x30000 + i * 64;
		runner_start(&r[i], 0x10000);
	}
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t now = P(8 + round % 2), next = P(8 + !(round % 2));

		CHECK(memory_write(&world_memory, next, &good, 8));
		__atomic_store_n(&page->physical, next, __ATOMIC_SEQ_CST);
		cpu_flush_remote(&world_space, NULL, NULL, 0, &flush);
		CHECK(memory_write(&world_memory, now, &bad, 8));
		if (round % 20 == 0)
			for (unsigned i = 0; i < count; i++)
				wait_for(P(3) + i * 64 + 8, world_word(P(3) + i * 64 + 8));
	}
	runners_stop(r, count);
	for (unsigned i = 0; i < count; i++) /* every word read was 1 */
		CHECK(world_x(&r[i].cpu)[15] - world_x(&r[i].cpu)[14] <= 1);
}

/* One vCPU patches code that the others run. What it reads of their counters tells
 * that they run what it wrote. */
static void
test_patching(struct runner *r, unsigned count)
{
	uint64_t *x = world_x(&r[0].cpu);

	world_maps = 1;
	world_add(0x10000, P(1), PAGE, RWX, false, -1);
	world_add(0x40000, P(20), PAGE, GUEST_READ | GUEST_EXECUTE, false, -1);
	world_add(0x50000, P(20), PAGE, GUEST_READ | GUEST_WRITE, false, -1);
	world_add(0x30000, P(3), 4 * PAGE, GUEST_READ | GUEST_WRITE, false, -1);
	PUT(P(20), ADDI(10, 0, 1), SD(10, 13, 0), JAL(0, -8));
	/* Patches for ever: addi a0,zero,imm with imm counting, then waits until it is seen. */
	PUT(P(1), SW(14, 12, 0), LD(16, 13, 0), ADDI(17, 11, 0), ADD(16, 16, 17), BNEZ(16, -12),
	    ADD(14, 14, 15), ADDI(11, 11, -1), ADDI(18, 18, -1), BNEZ(18, -32), ECALL);
	for (unsigned i = 0; i < count; i++) {
		memset(world_x(&r[i].cpu), 0, 32 * sizeof *x);
		CHECK(memory_write(&world_memory, P(3) + i * 64, &(uint64_t){ 0 }, 8));
	}
	for (unsigned i = 1; i < count; i++) {
		world_x(&r[i].cpu)[13] = 0x30000; /* all report at one place */
		runner_start(&r[i], 0x40000);
	}
	cpu_flush_map(&world_space, &r[0].cpu.vcpu);
	x[11] = (uint64_t)-1; /* minus what is to be seen */
	x[12] = 0x50000;
	x[13] = 0x30000;
	x[14] = ADDI(10, 0, 1);
	x[15] = 1u << 20;
	x[18] = ROUNDS;
	world_run(&r[0].cpu, 0x10000);
	CHECK_INT(r[0].cpu.faults, 0);
	CHECK_INT(world_word(P(3)), ROUNDS);
	runners_stop(r + 1, count - 1);
}

static void
run_all(enum cpu_accel accel)
{
	static struct runner r[3];
	struct cpu_options options = { .accel = accel };

	world_begin(&options);
	for (unsigned i = 0; i < ARRAY_LEN(r); i++)
		world_cpu_begin(&r[i].cpu, i, &options);
	test_remote_flush(r, ARRAY_LEN(r));
	for (unsigned i = 0; i < ARRAY_LEN(r); i++)
		cpu_state_changed(&r[i].cpu.vcpu);
	test_patching(r, 2);
	for (unsigned i = 0; i < ARRAY_LEN(r); i++)
		vcpu_fini(&r[i].cpu.vcpu);
	world_end();
}

int
main(void)
{
	struct error error;

	CHECK(!cpu_thread_enter(&error));
	run_all(CPU_ACCEL_INTERPRET);
	run_all(CPU_ACCEL_TRANSLATE);
	cpu_thread_leave();
	return check_done();
}
