/* The riscv64 guest: its slots, and what guest.h asks of an ISA. */
#include "guest/riscv64/lift.h"

#include <elf.h>
#include <string.h>

/* ---- slots -------------------------------------------------------------- */

/* Which registers stay in host registers between regions: the hottest of RV64
 * code as compilers write it, and as many as the boundary has room for. */
#define X(number, name, boundary) \
	[RISCV64_X0 + (number)] = { name, 8 * (number), IR_I64, boundary, RISCV64_X0 + (number) },
#define F(number, name, boundary) \
	[RISCV64_F0 + (number)] = { name, 256 + 8 * (number), IR_F64, boundary, RISCV64_F0 + (number) },

#define S(NAME, member) \
	[RISCV64_SLOT_##NAME] = { #member, offsetof(struct riscv64_state, member), IR_I64, -1, RISCV64_SLOT_##NAME },

static const struct ir_slot slots[RISCV64_SLOT_COUNT] = {
	X(0, "zero", -1)
	X(1, "ra", 9)
	X(2, "sp", 6)
	X(3, "gp", -1)
	X(4, "tp", -1)
	X(5, "t0", -1)
	X(6, "t1", -1)
	X(7, "t2", -1)
	X(8, "s0", 7)
	X(9, "s1", 8)
	X(10, "a0", 5)
	X(11, "a1", 4)
	X(12, "a2", 3)
	X(13, "a3", 2)
	X(14, "a4", 1)
	X(15, "a5", 0)
	X(16, "a6", -1)
	X(17, "a7", -1)
	X(18, "s2", -1)
	X(19, "s3", -1)
	X(20, "s4", -1)
	X(21, "s5", -1)
	X(22, "s6", -1)
	X(23, "s7", -1)
	X(24, "s8", -1)
	X(25, "s9", -1)
	X(26, "s10", -1)
	X(27, "s11", -1)
	X(28, "t3", -1)
	X(29, "t4", -1)
	X(30, "t5", -1)
	X(31, "t6", -1)
	F(0, "ft0", 6)
	F(1, "ft1", 7)
	F(2, "ft2", 8)
	F(3, "ft3", 9)
	F(4, "ft4", -1)
	F(5, "ft5", -1)
	F(6, "ft6", -1)
	F(7, "ft7", -1)
	F(8, "fs0", -1)
	F(9, "fs1", -1)
	F(10, "fa0", 5)
	F(11, "fa1", 4)
	F(12, "fa2", 3)
	F(13, "fa3", 2)
	F(14, "fa4", 1)
	F(15, "fa5", 0)
	F(16, "fa6", 10)
	F(17, "fa7", 11)
	F(18, "fs2", -1)
	F(19, "fs3", -1)
	F(20, "fs4", -1)
	F(21, "fs5", -1)
	F(22, "fs6", -1)
	F(23, "fs7", -1)
	F(24, "fs8", -1)
	F(25, "fs9", -1)
	F(26, "fs10", -1)
	F(27, "fs11", -1)
	F(28, "ft8", -1)
	F(29, "ft9", -1)
	F(30, "ft10", -1)
	F(31, "ft11", -1)
	S(MSTATUS, mstatus)
	S(FS, fs)
	S(WAITING, waiting)
	S(STVEC, stvec)
	S(SSCRATCH, sscratch)
	S(SEPC, sepc)
	S(SCAUSE, scause)
	S(STVAL, stval)
	S(MTVEC, mtvec)
	S(MSCRATCH, mscratch)
	S(MEPC, mepc)
	S(MCAUSE, mcause)
	S(MTVAL, mtval)
	S(RETIRED, retired)
	S(LIMIT, limit)
};

_Static_assert(offsetof(struct riscv64_state, x) == 0, "slot offsets");
_Static_assert(offsetof(struct riscv64_state, f) == 256, "slot offsets");
_Static_assert(sizeof(struct riscv64_state) <= IR_GUEST_STATE_SIZE, "the frame has room");

static const struct ir_slots slot_table = { slots, RISCV64_SLOT_COUNT };

/* ---- state -------------------------------------------------------------- */

/* Linux starts a process with all registers and fcsr zero. */
static void
reset(struct ir_frame *frame)
{
	*riscv64_state_of(frame) = (struct riscv64_state){ 0 };
	frame->mode = 0;
	frame->fp_flags = 0;
	frame->fp_round = IR_RNE;
	frame->link_address = IR_LINK_NONE;
	frame->link_value = 0;
}

static uint32_t
mode(const struct ir_frame *frame)
{
	return riscv64_mode_of(frame->fp_round) | riscv64_state_read(frame)->mode_key;
}

/* ---- code as text, and as accesses -------------------------------------- */

/* The bits of the instruction at code, decoded; 0 bytes long if some of them
 * are not readable. */
static unsigned
fetch(const uint8_t *code, size_t readable, uint32_t *bits)
{
	uint16_t half[2] = { 0, 0 };
	unsigned length;

	if (readable < 2)
		return 0;
	memcpy(&half[0], code, 2);
	length = riscv64_insn_length(half[0]);
	if (readable < length)
		return 0;
	if (length == 4)
		memcpy(&half[1], code + 2, 2);
	*bits = half[0] | (uint32_t)half[1] << 16;
	return length;
}

static int
disassemble(char *text, size_t size, uint64_t pc, const uint8_t *code, size_t readable)
{
	uint32_t bits;
	unsigned length = fetch(code, readable, &bits);

	if (length)
		riscv64_disassemble(text, size, pc, bits, RV_TEXT_ALIASES);
	return (int)length;
}

static bool
access_address(const struct ir_frame *frame, const uint8_t *code, size_t readable, uint64_t *address,
	       enum ir_access *access)
{
	struct riscv64_insn insn;
	unsigned attributes;
	uint32_t bits;

	if (!fetch(code, readable, &bits) || !riscv64_decode(bits, &insn))
		return false;
	attributes = riscv64_op_attributes(insn.op);
	if (!(attributes & (RVA_LOAD | RVA_STORE)) || insn.op == RV_CBO_INVAL)
		return false;
	/* Atomics and cache-block operations have no immediate, so it is 0. */
	*address = (insn.rs1 ? riscv64_state_read(frame)->x[insn.rs1] : 0) + (uint64_t)insn.imm;
	if (insn.op == RV_CBO_CLEAN || insn.op == RV_CBO_FLUSH)
		*access = IR_ACCESS_R;
	else if (attributes & RVA_STORE)
		*access = attributes & RVA_AMO ? IR_ACCESS_RW : IR_ACCESS_W;
	else
		*access = IR_ACCESS_R;
	return true;
}

const struct guest guest_riscv64 = {
	.name = "riscv64",
	.elf_machine = EM_RISCV,
	.pointer_bits = 64,
	.slots = &slot_table,
	.helpers = riscv64_helpers,
	.helper_count = RV_HELPER_COUNT,
	.reset = reset,
	.mode = mode,
	.lift = riscv64_lift,
	.disassemble = disassemble,
	.access_address = access_address,
	.slot_sp = RISCV64_X0 + 2,
	.slot_tls = RISCV64_X0 + 4,
	.system = &guest_riscv64_system,
};
