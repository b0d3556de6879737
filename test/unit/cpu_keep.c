/* cpu/: translations that are kept. The toy programs run by what was saved of an
 * earlier run, with the guest's memory elsewhere; and with code that is another. */
#include "unit/cpu_programs.h"

#include "store/store.h"

#include <stdlib.h>
#include <unistd.h>

static struct store_home home = { .key = 1 };
static struct store *toy_store;

static struct store *
find_store(struct cpu_space *space, uint64_t pc, struct cpu_file_code *code)
{
	(void)space, (void)pc;
	*code = (struct cpu_file_code){ toy_address(0, 0), toy_address(TOY_PAGES - 1, 0), toy_address(0, 0) };
	return toy_store;
}

/* A fresh space, vCPU and store; elsewhere: memory at another address. */
static void
begin(struct vcpu *vcpu, const struct cpu_options *options, bool elsewhere)
{
	struct error error = { 0 };

	if (elsewhere)
		toy_memory = NULL; /* the old one stays: nothing new comes to lie there */
	toy_start(options);
	toy_store = store_open(&home, 7);
	toy_space.store = find_store;
	*vcpu = (struct vcpu){ 0 };
	CHECK_INT(vcpu_init(vcpu, &toy_space, options, &error), 0);
	toy_thread_start(vcpu);
}

static struct cpu_stats
end(struct vcpu *vcpu, bool save)
{
	struct cpu_stats stats;

	if (save) {
		cpu_save(vcpu);
		CHECK(store_write(&home, toy_store));
	}
	vcpu_fini(vcpu);
	cpu_stats(&toy_space, &stats);
	cpu_space_fini(&toy_space);
	store_close(toy_store);
	return stats;
}

/* The sum of what x2 and x4 count in a few calls of a function on another page. */
static uint64_t
run_calls(struct vcpu *vcpu, int16_t step)
{
	uint64_t *x = toy_x(vcpu->frame);
	uint64_t pc = TOY_CODE(20, 0, { TOY_CALL, 0, 4096 }, { TOY_ADD, 3, -1 }, { TOY_BNEZ, 3, -8 },
			       { TOY_MOVE, 4, 1 }, { TOY_SYSCALL, 0, 0 });

	TOY_CODE(21, 0, { TOY_ADD, 2, step }, { TOY_RETURN, 0, 0 });
	x[2] = 0;
	x[3] = 10;
	toy_run(vcpu, pc);
	CHECK_INT(x[4], pc + 4);
	return x[2];
}

static void
test_again(const struct cpu_options *options)
{
	struct vcpu vcpu;
	struct cpu_stats first, again;

	begin(&vcpu, options, false);
	test_programs(&vcpu);
	CHECK_INT(run_calls(&vcpu, 3), 30);
	first = end(&vcpu, true);
	CHECK_INT(first.recalled, 0);
	CHECK(first.saved > 10);

	begin(&vcpu, options, true);
	CHECK(store_count(toy_store) > 10 && store_count(toy_store) <= first.saved);
	test_programs(&vcpu);
	CHECK_INT(run_calls(&vcpu, 3), 30);
	again = end(&vcpu, false);
	CHECK(again.recalled > 10);
	CHECK(again.regions < first.regions);

	/* Everything that was recalled is dropped when its page is written to, as
	 * ever; and what does not fit the guest's bytes is not used. */
	begin(&vcpu, options, true);
	CHECK_INT(run_calls(&vcpu, 5), 50);
	CHECK_INT(run_calls(&vcpu, 3), 30);
	CHECK_INT(run_calls(&vcpu, -1), (uint64_t)-10);
	again = end(&vcpu, false);
	CHECK(again.recalled > 0 && again.invalidated > 0);
}

/* A child of a fork does not save what its parent made. */
static void
test_saved_once(const struct cpu_options *options)
{
	struct vcpu vcpu;
	struct cpu_stats stats;

	home.key = 3;
	begin(&vcpu, options, false);
	for (int16_t step = 1; step <= 10; step++)
		run_calls(&vcpu, step);
	cpu_fork_before(&toy_space);
	cpu_fork_after(&toy_space, true);
	store_unwant(toy_store);
	cpu_save(&vcpu);
	CHECK(!store_write(&home, toy_store));
	stats = end(&vcpu, false);
	CHECK_INT(stats.saved, 0);
}

int
main(void)
{
	struct cpu_options options = { .accel = CPU_ACCEL_TRANSLATE };
	struct store_status status;
	bool absent;

	strcpy(home.path, "/tmp/isomorph-keep-XXXXXX");
	if (!CHECK(mkdtemp(home.path) != NULL))
		return check_done();
	test_again(&options);
	options.accel = CPU_ACCEL_LOCKSTEP;
	options.lockstep_sample = 1;
	home.key = 2;
	test_again(&options);
	options.accel = CPU_ACCEL_TRANSLATE;
	test_saved_once(&options);
	toy_thread_end();
	CHECK(store_home_status(home.path, true, &status, &absent));
	CHECK_INT(status.files, 2);
	CHECK_INT(status.damaged, 0);
	CHECK(store_home_clear(home.path, &status, &absent));
	CHECK_INT(rmdir(home.path), 0);
	return check_done();
}
