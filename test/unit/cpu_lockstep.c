/* cpu/: lockstep finds nothing in a right code generator and everything in
 * wrong ones; faults forced at every access recover the state. */
#include "codegen/target.h"
#include "unit/cpu_programs.h"

#include <sys/wait.h>
#include <unistd.h>

/* ---- code generators with a defect ---------------------------------------- */

enum defect { DEFECT_NONE, DEFECT_CONSTANT, DEFECT_STORE, DEFECT_EXIT, DEFECT_POINT };
static enum defect defect;

static enum target_result
wrong_compile(const struct target_job *job, struct target_code *code)
{
	struct ir_region region = *job->region;
	struct target_job changed = *job;
	enum target_result result;

	changed.region = &region;
	for (ir_ref i = 1; i < region.ins_count; i++) {
		struct ir_ins *ins = &region.ins[i];

		if (defect == DEFECT_CONSTANT && ins->op == IR_CONST && ins->imm == 77)
			ins->imm++;
		if (defect == DEFECT_STORE && ins->op == IR_STORE)
			ins->c += 8;
		if (defect == DEFECT_EXIT && ins->op == IR_EXIT)
			region.pool[ins->a] += 4;
	}
	result = target_host()->compile(&changed, code);
	for (uint32_t i = 0; i < code->point_count; i++)
		if (defect == DEFECT_POINT)
			((struct code_point *)(uintptr_t)&code->point[i])->pc += 4;
	return result;
}

/* A program that meets every one of the defects. */
static int
run_program(struct vcpu *vcpu)
{
	uint64_t *x = toy_x(vcpu->frame);
	uint64_t pc = TOY_CODE(12, 0, { TOY_ADD, 3, 77 }, { TOY_STORE, 3, 2 }, { TOY_JUMP, 0, 8 },
			       { TOY_SYSCALL, 0, 0 }, { TOY_ADD, 3, 1 }, { TOY_LOAD, 4, 5 },
			       { TOY_SYSCALL, 0, 0 });

	x[2] = toy_address(40, 0);
	x[5] = toy_address(TOY_PAGES - 1, 0); /* faults */
	return toy_run(vcpu, pc).trap == IR_TRAP_READ_FAULT ? 0 : 1;
}

static int
status_with(enum defect with, bool force_faults)
{
	struct target wrong = *target_host();
	struct cpu_options options = { .accel = CPU_ACCEL_LOCKSTEP, .target = &wrong,
				       .force_faults = force_faults };
	struct error error = { 0 };
	struct vcpu vcpu = { 0 };
	int status = -1;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (!child) {
		if (with != DEFECT_NONE)
			close(2); /* the report is expected */
		wrong.compile = wrong_compile;
		defect = with;
		toy_start(&options);
		if (vcpu_init(&vcpu, &toy_space, &options, &error))
			_exit(99);
		toy_thread_start(&vcpu);
		_exit(run_program(&vcpu));
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void
test_all(bool force_faults)
{
	struct cpu_options options = { .accel = CPU_ACCEL_LOCKSTEP, .force_faults = force_faults };
	struct error error = { 0 };
	struct vcpu vcpu = { 0 };

	toy_start(&options);
	CHECK_INT(vcpu_init(&vcpu, &toy_space, &options, &error), 0);
	toy_thread_start(&vcpu);
	test_programs(&vcpu);
	vcpu_fini(&vcpu);
	cpu_space_fini(&toy_space);
}

int
main(void)
{
	log_open(2, LOG_ERROR);
	test_all(false);
	test_all(true);
	CHECK_INT(status_with(DEFECT_NONE, false), 0);
	CHECK_INT(status_with(DEFECT_NONE, true), 0);
	CHECK_INT(status_with(DEFECT_CONSTANT, false), CPU_LOCKSTEP_STATUS);
	CHECK_INT(status_with(DEFECT_STORE, false), CPU_LOCKSTEP_STATUS);
	CHECK_INT(status_with(DEFECT_EXIT, false), CPU_LOCKSTEP_STATUS);
	CHECK_INT(status_with(DEFECT_POINT, false), CPU_LOCKSTEP_STATUS);
	CHECK_INT(status_with(DEFECT_POINT, true), CPU_LOCKSTEP_STATUS);
	toy_thread_end();
	return check_done();
}
