/* cpu/: vCPUs by translation, and the code cache under pressure. */
#include "unit/cpu_programs.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

/* Many small functions called through a table, more than the cache holds. */
static void
test_flush(void)
{
	struct cpu_options options = { .accel = CPU_ACCEL_TRANSLATE, .cache_bytes = 1 << 20 };
	struct error error = { 0 };
	struct cpu_stats stats;
	struct vcpu vcpu = { 0 };
	uint64_t *x, functions = (uint64_t)(TOY_PAGES - 1) * 4096 / 8 - 512 * 4;
	bool good = true;

	toy_start(&options);
	CHECK_INT(vcpu_init(&vcpu, &toy_space, &options, &error), 0);
	toy_thread_start(&vcpu);
	x = toy_x(vcpu.frame);
	for (uint64_t i = 0; i < functions; i++) {
		uint64_t at = i * 8 + 512 * 8;

		TOY_CODE((unsigned)(at / 4096), at % 4096, { TOY_ADD, 2, 1 }, { TOY_SYSCALL, 0, 0 });
	}
	for (unsigned round = 0; round < 3; round++)
		for (uint64_t i = 0; i < functions; i++) {
			struct cpu_stop stop = toy_run(&vcpu, toy_address(0, 0) + i * 8 + 512 * 8);

			good &= stop.trap == IR_TRAP_SYSCALL;
		}
	CHECK(good);
	CHECK_INT(x[2], 3 * functions);
	cpu_stats(&toy_space, &stats);
	CHECK(stats.flushes > 0);
	CHECK(stats.regions > functions);
	vcpu_fini(&vcpu);
	cpu_space_fini(&toy_space);
}

/* After fork both sides go on, link and change code without the other seeing. */
static void
test_fork(struct vcpu *vcpu)
{
	uint64_t *x = toy_x(vcpu->frame);
	uint64_t pc = TOY_CODE(20, 0, { TOY_CALL, 0, 4096 }, { TOY_ADD, 3, -1 }, { TOY_BNEZ, 3, -8 },
			       { TOY_SYSCALL, 0, 0 });
	int status = -1;
	pid_t child;

	TOY_CODE(21, 0, { TOY_ADD, 4, 1 }, { TOY_RETURN, 0, 0 });
	x[3] = 10;
	x[4] = 0;
	toy_run(vcpu, pc);
	CHECK_INT(x[4], 10);
	cpu_fork_before(&toy_space);
	child = fork();
	cpu_fork_after(&toy_space, !child);
	if (!child)
		TOY_CODE(21, 0, { TOY_ADD, 4, 7 });
	else
		waitpid(child, &status, 0);
	x[3] = 10;
	x[4] = 0;
	toy_run(vcpu, pc);
	if (!child)
		_exit(x[4] == 70 ? 0 : 1);
	CHECK_INT(x[4], 10);
	CHECK_INT(WEXITSTATUS(status), 0);
	CHECK(WIFEXITED(status));
	TOY_CODE(21, 0, { TOY_ADD, 4, 3 });
	x[3] = 10;
	x[4] = 0;
	toy_run(vcpu, pc);
	CHECK_INT(x[4], 30);
}

/* A child that shares the address space dies with the lock in its hands: the
 * next one starts the cache afresh. */
static void
test_dead_holder(struct vcpu *vcpu)
{
	uint64_t *x = toy_x(vcpu->frame);
	uint64_t pc = TOY_CODE(22, 0, { TOY_ADD, 2, 1 }, { TOY_SYSCALL, 0, 0 });
	struct cpu_stats before, after;
	pid_t child;

	x[2] = 0;
	toy_run(vcpu, pc);
	cpu_stats(&toy_space, &before);
	child = vfork();
	if (!child) {
		cpu_fork_before(&toy_space); /* takes the lock */
		_exit(0);
	}
	toy_run(vcpu, pc); /* in the cache: no lock needed */
	CHECK(cpu_has_code(&toy_space, pc, pc + 1)); /* takes it over */
	waitpid(child, NULL, 0);
	toy_run(vcpu, pc);
	CHECK_INT(x[2], 3);
	cpu_stats(&toy_space, &after);
	CHECK_INT(after.flushes, before.flushes + 1);
	CHECK(after.regions > before.regions);
}

/* Threads run one loop while another thread changes the function it calls. */
#define THREADS 3
static volatile bool threads_stop;

static void *
thread_main(void *argument)
{
	uint64_t pc = (uint64_t)(uintptr_t)argument;
	struct cpu_options options = { .accel = CPU_ACCEL_TRANSLATE };
	struct error error = { 0 };
	struct vcpu vcpu = { 0 };
	uintptr_t runs = 0;

	if (vcpu_init(&vcpu, &toy_space, &options, &error))
		return NULL;
	toy_thread_start(&vcpu);
	while (!threads_stop) {
		uint64_t *x = toy_x(vcpu.frame);

		x[3] = 1000;
		x[4] = 0;
		if (toy_run(&vcpu, pc).trap != IR_TRAP_SYSCALL || x[4] < 1000 || x[4] > 5000) {
			runs = 0;
			break;
		}
		runs++;
	}
	vcpu_fini(&vcpu);
	toy_thread_end();
	return (void *)runs;
}

static void
test_threads(void)
{
	uint64_t pc = TOY_CODE(24, 0, { TOY_CALL, 0, 4096 }, { TOY_ADD, 3, -1 }, { TOY_BNEZ, 3, -8 },
			       { TOY_SYSCALL, 0, 0 });
	pthread_t thread[THREADS];

	TOY_CODE(25, 0, { TOY_ADD, 4, 1 }, { TOY_RETURN, 0, 0 });
	for (unsigned i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, thread_main, (void *)(uintptr_t)pc);
	for (unsigned i = 0; i < 300; i++) {
		TOY_CODE(25, 0, { TOY_ADD, 4, (int16_t)(1 + i % 5) });
		usleep(300);
	}
	threads_stop = true;
	for (unsigned i = 0; i < THREADS; i++) {
		void *runs;

		pthread_join(thread[i], &runs);
		CHECK(runs);
	}
}

/* A return to where no call came from, and recursion deeper than the shadow
 * stack. */
static void
test_shadow(struct vcpu *vcpu)
{
	uint64_t *x = toy_x(vcpu->frame);
	uint64_t pc = TOY_CODE(28, 0, { TOY_ADD, 3, -1 }, { TOY_MOVE, 1, 5 }, { TOY_BNEZ, 3, 8 },
			       { TOY_SYSCALL, 0, 0 }, { TOY_RETURN, 0, 0 });
	uint64_t deep = TOY_CODE(29, 0, { TOY_ADD, 3, -1 }, { TOY_BNEZ, 3, 8 }, { TOY_SYSCALL, 0, 0 },
				 { TOY_CALL, 0, -12 });
	struct cpu_stop stop;

	x[3] = 10000;
	x[5] = pc;
	stop = toy_run(vcpu, pc);
	CHECK_INT(stop.trap, IR_TRAP_SYSCALL);
	CHECK_INT(stop.pc, pc + 12);
	x[3] = 200000;
	stop = toy_run(vcpu, deep);
	CHECK_INT(stop.trap, IR_TRAP_SYSCALL);
	CHECK_INT(stop.pc, deep + 8);
}

/* The poll flag stops a chained endless loop, from another thread. */
static void *
poll_main(void *argument)
{
	usleep(20000);
	cpu_poll(argument);
	return NULL;
}

static void
test_poll_chained(struct vcpu *vcpu)
{
	uint64_t pc = TOY_CODE(30, 0, { TOY_ADD, 2, 1 }, { TOY_JUMP, 0, -4 });
	struct cpu_stop stop;
	pthread_t thread;

	vcpu->frame->poll = 0;
	vcpu->frame->pc = pc;
	pthread_create(&thread, NULL, poll_main, vcpu);
	cpu_run(vcpu, &stop);
	pthread_join(thread, NULL);
	CHECK_INT(stop.kind, CPU_STOP_POLL);
	CHECK(vcpu->frame->pc == pc || vcpu->frame->pc == pc + 4);
	CHECK(toy_x(vcpu->frame)[2] > 1000);
	vcpu->frame->poll = 0;
}

int
main(void)
{
	struct cpu_options options = { .accel = CPU_ACCEL_TRANSLATE };
	struct error error = { 0 };
	struct cpu_stats stats;
	struct vcpu vcpu = { 0 };

	toy_start(&options);
	CHECK_INT(vcpu_init(&vcpu, &toy_space, &options, &error), 0);
	toy_thread_start(&vcpu);
	test_programs(&vcpu);
	test_shadow(&vcpu);
	test_poll_chained(&vcpu);
	test_fork(&vcpu);
	test_dead_holder(&vcpu);
	test_threads();
	vcpu_fini(&vcpu);
	cpu_stats(&toy_space, &stats);
	CHECK(stats.links > 0);
	CHECK(stats.invalidated > 0);
	cpu_space_fini(&toy_space);
	test_flush();
	toy_thread_end();
	return check_done();
}
