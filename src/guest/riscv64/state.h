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

static inline struct riscv64_state *
riscv64_state_of(struct ir_frame *frame)
{
	return (struct riscv64_state *)frame->guest;
}

#endif
