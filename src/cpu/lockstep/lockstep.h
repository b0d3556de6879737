/* lockstep/, private: a region's two runs. */
#ifndef CPU_LOCKSTEP_LOCKSTEP_H
#define CPU_LOCKSTEP_LOCKSTEP_H

#include "cpu/translate/translate.h"

/* Flags that are compared: all but the host's of subnormal operands, which the
 * guests here do not have. */
#define LOCKSTEP_FLAGS 0x1fu

/* The architectural state that is compared. */
struct lockstep_state {
	uint8_t guest[IR_GUEST_STATE_SIZE];
	uint64_t pc;
	uint32_t fp_flags, fp_round;
	uint64_t link_address, link_value;
};

struct lockstep_run {
	struct lockstep_state state;
	bool stopped;
	struct cpu_stop stop;
	struct vec memory; /* uint8_t[32] for each entry of the undo log */
};

struct lockstep {
	struct arena arena;
	struct vec undo; /* of the evaluation of the whole region */
	struct lockstep_state before;
	struct lockstep_run evaluated, translated;
	uint64_t entries; /* regions run */
};

/* Prints how the two runs differ; lockstep_differ said that they do. */
void lockstep_report(struct vcpu *vcpu, const struct lockstep *ls);
bool lockstep_differ(const struct vcpu *vcpu, const struct lockstep *ls);

#endif
