/* What the parts of the IR test driver share; run.c is the driver. */
#ifndef TEST_IR_TEST_H
#define TEST_IR_TEST_H

#include "ir/eval.h"

/* ---- guests.c: whose slots a test uses ---------------------------------- */

struct test_guest {
	const char *name;
	const struct ir_slots *slots;
	uint8_t flags; /* enum ir_flag bits that a flags slot of it has */
};
extern const struct ir_helper test_helper[];
extern const unsigned test_helpers;

/* By name; NULL if there is none. */
const struct test_guest *test_guest(const char *name);

/* ---- host.c: by generated code ------------------------------------------ */

/* Guest memory: one page that is there between two that are not. */
enum { TEST_MEMORY = 0x1000, TEST_MEMORY_SIZE = 0x1000 };
extern uint8_t *test_memory; /* where it is for the host */

/* How a run of a region ended. */
struct test_end {
	enum ir_exit_kind kind;
	enum ir_trap trap;
	bool fault; /* of an access; which is not told */
	uint64_t pc, link;
	uint32_t retired;
};

/* Maps test_memory and makes ready for code. False after a message. */
bool test_host_init(void);
/* Compiles and runs the region on the frame's state. False if the host has no
 * code for it, or leaves an instruction of it to the evaluator. */
bool test_host_run(const struct ir_region *region, struct ir_frame *frame, struct test_end *end);

#endif
