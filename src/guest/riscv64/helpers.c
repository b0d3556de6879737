/* What translated RV64 code calls: CSRs that no op reads. */
#include "guest/riscv64/lift.h"
#include "guest/riscv64/vector.h"
#include "host/clock.h"

static uint64_t
read_frm(struct ir_frame *frame, uint64_t a, uint64_t b, uint64_t c)
{
	(void)a, (void)b, (void)c;
	return frame->fp_round & 7;
}

static uint64_t
read_time(struct ir_frame *frame, uint64_t a, uint64_t b, uint64_t c)
{
	(void)a, (void)b, (void)c;
	if (frame->env)
		return riscv64_counter_read(frame, COUNTER_TIME);
	return clock_nanoseconds() / (1000000000u / RISCV64_TIMEBASE_HZ);
}

/* In a process VM both are the host's cycles: code that is not counted cannot
 * do better, and what programs do with either is to take differences. */
static uint64_t
read_cycle(struct ir_frame *frame, uint64_t a, uint64_t b, uint64_t c)
{
	(void)a, (void)b, (void)c;
	return frame->env ? riscv64_counter_read(frame, COUNTER_CYCLE) : clock_cycles();
}

static uint64_t
read_instret(struct ir_frame *frame, uint64_t a, uint64_t b, uint64_t c)
{
	(void)a, (void)b, (void)c;
	return frame->env ? riscv64_counter_read(frame, COUNTER_INSTRET) : clock_cycles();
}

/* The mode key is the only reason; interrupts are looked at by lifted code. */
static uint64_t
status_changed(struct ir_frame *frame, uint64_t a, uint64_t b, uint64_t c)
{
	const struct riscv64_state *s = riscv64_state_read(frame);
	uint32_t before = s->mode_key;

	(void)a, (void)b, (void)c;
	riscv64_changed(frame);
	return s->mode_key != before;
}

/* address, ASID, enum riscv64_fence. Global mappings stay when an ASID is given. */
static uint64_t
fence_vma(struct ir_frame *frame, uint64_t address, uint64_t asid, uint64_t given)
{
	struct guest_env *env = frame->env;
	bool asid_only = given & RV_FENCE_ASID;

	env->flush(env, given & RV_FENCE_ADDRESS, address, asid_only, (uint32_t)asid & 0xffff, !asid_only);
	return 0;
}

/* frame->fp_round is always whole, so reading it wants no effect declared. */
const struct ir_helper riscv64_helpers[RV_HELPER_COUNT] = {
	[RV_HELPER_FRM] = { "frm", read_frm, 0, 0 },
	[RV_HELPER_TIME] = { "time", read_time, 0, IR_H_VOLATILE },
	[RV_HELPER_TIME_COUNTED] = { "time_counted", read_time, 0, IR_H_READ_STATE | IR_H_VOLATILE },
	[RV_HELPER_CYCLE] = { "cycle", read_cycle, 0, IR_H_READ_STATE | IR_H_VOLATILE },
	[RV_HELPER_INSTRET] = { "instret", read_instret, 0, IR_H_READ_STATE | IR_H_VOLATILE },
	[RV_HELPER_STATUS] = { "status", status_changed, 0, IR_H_READ_STATE },
	[RV_HELPER_FENCE_VMA] = { "fence_vma", fence_vma, 3, 0 },
	[RV_HELPER_VECTOR] = { "vector", vector_execute, 2, IR_H_READ_STATE | IR_H_MEMORY | IR_H_FP },
	/* Lockstep runs it once: there is no log of what it overwrites. */
	[RV_HELPER_VECTOR_STORE] = { "vector_store", vector_execute, 2,
				     IR_H_READ_STATE | IR_H_MEMORY | IR_H_VOLATILE },
	[RV_HELPER_VECTOR_SET] = { "vector_set", vector_set, 3, 0 },
	[RV_HELPER_VECTOR_RESULT] = { "vector_result", vector_result, 0, 0 },
	[RV_HELPER_VECTOR_CSR_READ] = { "vector_csr_read", vector_csr_read, 1, 0 },
	[RV_HELPER_VECTOR_CSR_WRITE] = { "vector_csr_write", vector_csr_write, 2, 0 },
};
