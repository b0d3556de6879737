/* The guests of the IR tests: toy ones that have the state of aarch64 and
 * x86-64 as their lifters would lay it out, and riscv64's own.
 */
#include "guest/guest.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

/* x0-x30 sp nzcv v0-v31, and d0-d31 as the low halves of v0-v31. */
enum { A64_X = 31, A64_SP = A64_X, A64_NZCV, A64_V, A64_D = A64_V + 32, A64_SLOTS = A64_D + 32 };
static struct ir_slot aarch64_slot[A64_SLOTS];
static const struct ir_slots aarch64_slots = { aarch64_slot, A64_SLOTS };

/* The sixteen registers, the status flags, xmm0-xmm15. */
enum { X86_FLAGS = 16, X86_XMM, X86_SLOTS = X86_XMM + 16 };
static struct ir_slot x86_slot[X86_SLOTS];
static const struct ir_slots x86_slots = { x86_slot, X86_SLOTS };

static char slot_name[A64_SLOTS + X86_SLOTS][8];

static void
set_slot(struct ir_slot *slot, char *name, unsigned offset, enum ir_type type, int boundary, unsigned alias)
{
	*slot = (struct ir_slot){ .name = name, .offset = (uint16_t)offset, .type = (uint8_t)type,
				  .boundary = (int8_t)boundary, .alias = (uint16_t)alias };
}

/* Hot registers are boundary slots, as they will be. */
static void
make_aarch64(char (*name)[8])
{
	enum { VECTORS = 512 };

	for (unsigned i = 0; i < A64_SLOTS; i++) {
		char *text = name[i];

		if (i < A64_SP) {
			snprintf(text, sizeof *name, "x%u", i);
			set_slot(&aarch64_slot[i], text, 8 * i, IR_I64, i < 9 ? (int)i : -1, i);
		} else if (i < A64_V) {
			snprintf(text, sizeof *name, i == A64_SP ? "sp" : "nzcv");
			set_slot(&aarch64_slot[i], text, 8 * i, i == A64_SP ? IR_I64 : IR_FLAGS,
				 i == A64_SP ? 9 : -1, i);
		} else {
			unsigned n = (i - A64_V) % 32;

			snprintf(text, sizeof *name, "%c%u", i < A64_D ? 'v' : 'd', n);
			set_slot(&aarch64_slot[i], text, VECTORS + 16 * n, i < A64_D ? IR_V128 : IR_F64, -1,
				 A64_V + n);
		}
	}
}

static void
make_x86(char (*name)[8])
{
	static const char *const register_name[] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
						     "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15" };

	for (unsigned i = 0; i < X86_SLOTS; i++) {
		char *text = name[i];

		if (i < X86_FLAGS) {
			snprintf(text, sizeof *name, "%s", register_name[i]);
			set_slot(&x86_slot[i], text, 8 * i, IR_I64, i < 10 ? (int)i : -1, i);
		} else if (i == X86_FLAGS) {
			snprintf(text, sizeof *name, "flags");
			set_slot(&x86_slot[i], text, 8 * i, IR_FLAGS, -1, i);
		} else {
			snprintf(text, sizeof *name, "xmm%u", i - X86_XMM);
			set_slot(&x86_slot[i], text, 256 + 16 * (i - X86_XMM), IR_V128, -1, i);
		}
	}
}

static uint64_t
helper_sum(struct ir_frame *frame, uint64_t a, uint64_t b, uint64_t c)
{
	(void)frame;
	return a + 10 * b + 100 * c;
}

/* Changes the first slot. */
static uint64_t
helper_first(struct ir_frame *frame, uint64_t a, uint64_t b, uint64_t c)
{
	(void)b, (void)c;
	memcpy(frame->guest, &a, sizeof a);
	return 0;
}

const struct ir_helper test_helper[] = {
	{ "sum", helper_sum, 3, 0 },
	{ "first", helper_first, 1, IR_H_WRITE_STATE },
	{ "last", helper_first, 1, IR_H_WRITE_STATE | IR_H_EXIT },
};
const unsigned test_helpers = ARRAY_LEN(test_helper);

const struct test_guest *
test_guest(const char *name)
{
	static struct test_guest guests[] = {
		{ "aarch64", &aarch64_slots,
		  IR_FLAG_N | IR_FLAG_Z | IR_FLAG_C | IR_FLAG_V | IR_FLAG_C_NOT_BORROW },
		{ "x86", &x86_slots, 127 },
		{ "riscv64", NULL, 0 },
	};

	if (!guests[2].slots) {
		guests[2].slots = guest_riscv64.slots;
		make_aarch64(slot_name);
		make_x86(slot_name + A64_SLOTS);
	}
	for (unsigned i = 0; i < ARRAY_LEN(guests); i++)
		if (!strcmp(guests[i].name, name))
			return &guests[i];
	return NULL;
}
