/* What translated RV64 code calls: CSRs that no op reads. */
#include "guest/riscv64/lift.h"
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
	(void)frame, (void)a, (void)b, (void)c;
	return clock_nanoseconds() / (1000000000u / RISCV64_TIMEBASE_HZ);
}

/* Also instret: code that is not counted cannot do better, and what programs
 * do with either is to take differences. */
static uint64_t
read_cycle(struct ir_frame *frame, uint64_t a, uint64_t b, uint64_t c)
{
	(void)frame, (void)a, (void)b, (void)c;
	return clock_cycles();
}

/* frame->fp_round is always whole, so reading it wants no effect declared. */
const struct ir_helper riscv64_helpers[RV_HELPER_COUNT] = {
	[RV_HELPER_FRM] = { "frm", read_frm, 0, 0 },
	[RV_HELPER_TIME] = { "time", read_time, 0, IR_H_VOLATILE },
	[RV_HELPER_CYCLE] = { "cycle", read_cycle, 0, IR_H_VOLATILE },
};
