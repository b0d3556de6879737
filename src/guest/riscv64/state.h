/* The riscv64 user-level state in ir_frame.guest, and its slot numbers.
 * Slot n is xn for n < 32 and f(n-32) from 32 on (x0 has no slot value: the
 * lifter knows it is zero). */
#ifndef GUEST_RISCV64_STATE_H
#define GUEST_RISCV64_STATE_H

#include "guest/guest.h"

struct riscv64_state {
	uint64_t x[32]; /* x[0] stays 0 */
	uint64_t f[32]; /* NaN-boxed */
};

enum riscv64_slot { RISCV64_X0 = 0, RISCV64_F0 = 32, RISCV64_SLOT_COUNT = 64 };

/* Mode key bits: set when frm is not one of the modes that the host rounds in
 * (RMM, or a reserved value). */
enum riscv64_mode { RISCV64_MODE_FRM_RMM = 1, RISCV64_MODE_FRM_INVALID = 2 };

/* Ticks a second of the `time` CSR; riscv_hwprobe's TIME_CSR_FREQ. `cycle` and
 * `instret` count the host's cycles: they only promise to grow. */
#define RISCV64_TIMEBASE_HZ 1000000000u

/* Bytes that cbo.zero zeroes, and the other cache-block instructions mean;
 * riscv_hwprobe's ZICBOZ_BLOCK_SIZE and ZICBOM_BLOCK_SIZE. */
#define RISCV64_CACHE_BLOCK 64u

static inline struct riscv64_state *
riscv64_state_of(struct ir_frame *frame)
{
	return (struct riscv64_state *)frame->guest;
}

static inline const struct riscv64_state *
riscv64_state_read(const struct ir_frame *frame)
{
	return (const struct riscv64_state *)frame->guest;
}

#endif
