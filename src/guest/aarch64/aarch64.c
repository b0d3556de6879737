/* The aarch64 guest: its slots, and what guest.h asks of an ISA. */
#include "guest/aarch64/lift.h"

#include <elf.h>
#include <string.h>

/* ---- slots -------------------------------------------------------------- */

/* Which registers stay in host registers between regions: the hottest of A64
 * code as compilers write it, and as many as the boundary has room for. Counted
 * over glibc, the most named are x0 x1 sp x2 x19 x3 x20 x29 x21 x22 x4; x30
 * stands in for x21, as each call writes it and each return reads it, and x4 for
 * x22, as loops run in the low ones. Of vectors v0 to v9 are the most
 * named, in libm and libstdc++ as well; the other host registers are for the code
 * generator's temporaries, as vector ops have many. */
#define X(number, name, boundary) \
	[AARCH64_X0 + (number)] = { name, 8 * (number), IR_I64, boundary, AARCH64_X0 + (number) },
#define STATE(slot, name, member, type) \
	[slot] = { name, offsetof(struct aarch64_state, member), type, -1, slot },
#define V(number, name, boundary) \
	[AARCH64_V0 + (number)] = { name, offsetof(struct aarch64_state, v) + 16 * (number), IR_V128, \
				    boundary, AARCH64_V0 + (number) },

static const struct ir_slot slots[AARCH64_SLOT_COUNT] = {
	X(0, "x0", 0)
	X(1, "x1", 1)
	X(2, "x2", 2)
	X(3, "x3", 3)
	X(4, "x4", 9)
	X(5, "x5", -1)
	X(6, "x6", -1)
	X(7, "x7", -1)
	X(8, "x8", -1)
	X(9, "x9", -1)
	X(10, "x10", -1)
	X(11, "x11", -1)
	X(12, "x12", -1)
	X(13, "x13", -1)
	X(14, "x14", -1)
	X(15, "x15", -1)
	X(16, "x16", -1)
	X(17, "x17", -1)
	X(18, "x18", -1)
	X(19, "x19", 4)
	X(20, "x20", 5)
	X(21, "x21", -1)
	X(22, "x22", -1)
	X(23, "x23", -1)
	X(24, "x24", -1)
	X(25, "x25", -1)
	X(26, "x26", -1)
	X(27, "x27", -1)
	X(28, "x28", -1)
	X(29, "x29", 7)
	X(30, "x30", 8)
	X(31, "sp", 6)
	STATE(AARCH64_NZCV, "nzcv", nzcv, IR_FLAGS)
	STATE(AARCH64_TPIDR, "tpidr_el0", tpidr, IR_I64)
	STATE(AARCH64_FPCR, "fpcr", fpcr, IR_I64)
	STATE(AARCH64_QC, "qc", qc, IR_V128)
	V(0, "v0", 0)
	V(1, "v1", 1)
	V(2, "v2", 2)
	V(3, "v3", 3)
	V(4, "v4", 4)
	V(5, "v5", 5)
	V(6, "v6", 6)
	V(7, "v7", 7)
	V(8, "v8", 8)
	V(9, "v9", 9)
	V(10, "v10", -1)
	V(11, "v11", -1)
	V(12, "v12", -1)
	V(13, "v13", -1)
	V(14, "v14", -1)
	V(15, "v15", -1)
	V(16, "v16", -1)
	V(17, "v17", -1)
	V(18, "v18", -1)
	V(19, "v19", -1)
	V(20, "v20", -1)
	V(21, "v21", -1)
	V(22, "v22", -1)
	V(23, "v23", -1)
	V(24, "v24", -1)
	V(25, "v25", -1)
	V(26, "v26", -1)
	V(27, "v27", -1)
	V(28, "v28", -1)
	V(29, "v29", -1)
	V(30, "v30", -1)
	V(31, "v31", -1)
};

_Static_assert(offsetof(struct aarch64_state, x) == 0, "slot offsets");
_Static_assert(sizeof(struct aarch64_state) <= IR_GUEST_STATE_SIZE, "the frame has room");

static const struct ir_slots slot_table = { slots, AARCH64_SLOT_COUNT };

/* ---- state -------------------------------------------------------------- */

/* Linux starts a process with all registers, FPCR and FPSR zero. */
static void
reset(struct ir_frame *frame)
{
	*aarch64_state_of(frame) = (struct aarch64_state){ 0 };
	frame->mode = 0;
	frame->fp_flags = 0;
	aarch64_fpcr_write(frame, 0);
	aarch64_nzcv_write(frame, 0);
	frame->link_address = IR_LINK_NONE;
	frame->link_value = 0;
}

static uint32_t
mode(const struct ir_frame *frame)
{
	const struct aarch64_state *s = aarch64_state_read(frame);

	return aarch64_mode_of(s->fpcr) | (s->tagged ? AARCH64_MODE_TAGGED : 0);
}

/* Code is translated as if there were no tags, which cost time, until the first
 * one comes: such an address is none that a host can access. */
static bool
fault_again(struct ir_frame *frame, uint64_t address)
{
	struct aarch64_state *s = aarch64_state_of(frame);

	if (s->tagged || !(address >> 56))
		return false;
	return s->tagged = true;
}

/* ---- code as text, and as accesses -------------------------------------- */

static int
disassemble(char *text, size_t size, uint64_t pc, const uint8_t *code, size_t readable)
{
	uint32_t bits;

	if (readable < sizeof bits)
		return 0;
	memcpy(&bits, code, sizeof bits);
	aarch64_disassemble(text, size, pc, bits, A64_TEXT_ALIASES);
	return (int)sizeof bits;
}

static uint64_t
index_value(const struct aarch64_state *s, const struct aarch64_insn *insn)
{
	uint64_t index = insn->rm == 31 ? 0 : s->x[insn->rm];

	if (insn->option == 2)
		index = (uint32_t)index;
	else if (insn->option == 6)
		index = (uint64_t)(int64_t)(int32_t)index;
	return insn->imm ? index << aarch64_access_log2(insn) : index;
}

static bool
access_address(const struct ir_frame *frame, const uint8_t *code, size_t readable, uint64_t *address,
	       enum ir_access *access)
{
	const struct aarch64_state *s = aarch64_state_read(frame);
	struct aarch64_insn insn;
	unsigned attributes;
	uint32_t bits;

	if (readable < sizeof bits)
		return false;
	memcpy(&bits, code, sizeof bits);
	if (!aarch64_decode(bits, &insn))
		return false;
	attributes = aarch64_op_attributes(insn.op);
	if (!(attributes & (AA_LOAD | AA_STORE)))
		return false;
	*access = (enum ir_access)((attributes & AA_LOAD ? IR_ACCESS_R : 0) |
				   (attributes & AA_STORE ? IR_ACCESS_W : 0));
	switch (attributes & AA_ADDRESS) {
	case AA_BASE:
	case AA_POST:
		*address = s->x[insn.rn];
		return true;
	case AA_OFFSET:
	case AA_PRE:
		*address = s->x[insn.rn] + (uint64_t)aarch64_access_offset(&insn);
		return true;
	case AA_INDEX:
		*address = s->x[insn.rn] + index_value(s, &insn);
		return true;
	case AA_LITERAL:
		*address = frame->pc + 4 * (uint64_t)insn.imm;
		return true;
	case AA_BLOCK:
		*address = insn.rd == 31 ? 0 : s->x[insn.rd];
		return true;
	}
	return false;
}

const struct guest guest_aarch64 = {
	.name = "aarch64",
	.elf_machine = EM_AARCH64,
	.pointer_bits = 64,
	.slots = &slot_table,
	.helpers = aarch64_helpers,
	.helper_count = A64_HELPER_COUNT,
	.reset = reset,
	.mode = mode,
	.lift = aarch64_lift,
	.disassemble = disassemble,
	.access_address = access_address,
	.fault_again = fault_again,
	.slot_sp = AARCH64_SP,
	.slot_tls = AARCH64_TPIDR,
};
