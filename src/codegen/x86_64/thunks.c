/* The ways into and out of generated code, made once a space for its guest's
 * boundary registers; patching of exits; faults. */
#include "codegen/x86_64/gen.h"

#include "codegen/x86_64/flags.h"
#include "ir/eval.h"

#include <string.h>
#include <sys/ucontext.h>

/* MXCSR: sticky bits 0-5, exceptions masked 7-12, rounding 13-14. */
enum { MXCSR_STICKY = 0x3f, MXCSR_DEFAULT = 0x1f80, MXCSR_ROUND_SHIFT = 13 };

/* MXCSR's IE DE ZE OE UE PE as fflags' NV (DN) DZ OF UF NX. */
static uint32_t
flags_of_mxcsr(uint32_t mxcsr)
{
	return (mxcsr & 1) << 4 | (mxcsr >> 1 & 1) << 5 | (mxcsr >> 2 & 1) << 3 | (mxcsr >> 3 & 1) << 2 |
	       (mxcsr >> 4 & 1) << 1 | (mxcsr >> 5 & 1);
}

static uint32_t
mxcsr_round(uint32_t round)
{
	static const uint8_t host[] = { [IR_RNE] = 0, [IR_RTZ] = 3, [IR_RDN] = 1, [IR_RUP] = 2 };

	return round <= IR_RUP ? (uint32_t)host[round] << MXCSR_ROUND_SHIFT : 0;
}

static void
set_round(struct ir_frame *frame)
{
	frame->host_fp = (frame->host_fp & ~(3u << MXCSR_ROUND_SHIFT)) | mxcsr_round(frame->fp_round);
}

void
x86_fp_sync(struct ir_frame *frame)
{
	frame->fp_flags |= flags_of_mxcsr(frame->host_fp);
	frame->host_fp &= ~(uint32_t)MXCSR_STICKY;
	set_round(frame);
}

static uint64_t
helper_round_set(struct ir_frame *frame, uint64_t a, uint64_t b, uint64_t c)
{
	(void)b;
	(void)c;
	frame->fp_round = a < IR_RDYN ? (uint32_t)a : IR_RDYN;
	set_round(frame);
	return 0;
}

static uint64_t
helper_flags(struct ir_frame *frame, uint64_t a, uint64_t b, uint64_t c)
{
	(void)a;
	(void)b;
	(void)c;
	return x86_frame_flags(frame);
}

void
x86_frame_init(struct ir_frame *frame, const struct target_thunks *thunks)
{
	uint64_t *k = frame->constant;

	frame->leave = thunks->leave;
	frame->helper_thunk = thunks->helper;
	frame->miss_thunk = thunks->miss;
	frame->rare_thunk = thunks->rare;
	frame->host_fp = MXCSR_DEFAULT;
	set_round(frame);
	frame->link_address = IR_LINK_NONE;
	frame->jump[0].pc = IR_JUMP_EMPTY;
	k[K_BOX32] = 0xffffffff00000000;
	k[K_SIGN64] = UINT64_C(1) << 63;
	k[K_SIGN32] = UINT64_C(1) << 31;
	k[K_ABS64] = ~(UINT64_C(1) << 63);
	k[K_ABS32] = ~(UINT64_C(1) << 31);
	k[K_ABS64 + 1] = k[K_ABS32 + 1] = UINT64_MAX;
	k[K_NAN64] = 0x7ff8000000000000;
	k[K_NAN32] = 0xffffffff7fc00000;
	k[K_MIN64] = 0x0010000000000000;
	k[K_MIN32] = 0x00800000;
	k[K_HALF64] = 0x3fe0000000000000;
	k[K_HALF32] = 0x3f000000;
	k[K_LARGE64] = 0x7fe0000000000000;
	k[K_LARGE32] = 0x7f000000;
	for (unsigned i = 0; i < 64; i++)
		((uint8_t *)&k[K_FLAGS])[i] = (uint8_t)flags_of_mxcsr(i);
	frame->helper[H_ROUND_SET] = helper_round_set;
	frame->helper[H_FLAGS] = helper_flags;
	frame->helper[H_EVALUATE] = ir_eval_op;
}

/* ---- thunks ------------------------------------------------------------- */

/* Loads or stores every boundary register from or to its slot. */
static void
transfer(struct x86_asm *a, const struct ir_slots *slots, bool load)
{
	for (unsigned i = 0; i < slots->count; i++) {
		const struct ir_slot *slot = &slots->slot[i];
		struct x86_mem m = frame_mem(slot->offset);

		if (slot->boundary < 0)
			continue;
		if (type_is_fp((enum ir_type)slot->type)) {
			if (slot->boundary >= BOUNDARY_FPRS)
				continue;
			if (slot->type == IR_V128) {
				if (load)
					x86_movups_load(a, slot->boundary, m);
				else
					x86_movups_store(a, m, slot->boundary);
			} else if (load) {
				x86_movsd_load(a, slot->boundary, m);
			} else {
				x86_movsd_store(a, m, slot->boundary);
			}
		} else if (slot->boundary < BOUNDARY_GPRS) {
			if (load)
				x86_mov_rm(a, 8, boundary_gpr[slot->boundary], m);
			else
				x86_mov_mr(a, 8, m, boundary_gpr[slot->boundary]);
		}
	}
}

/* Works out deferred flags before C may look (gen.h, rule 4), on the C stack.
 * The boundary registers are in the frame already; keeps those in kept. */
static void
settle_flags(struct x86_asm *a, const struct ir_slots *slots)
{
	static const uint8_t kept[] = { RAX, RCX, RDX, R11 };
	uint8_t *settled;
	unsigned i = 0;

	while (i < slots->count && slots->slot[i].type != IR_FLAGS)
		i++;
	if (i == slots->count)
		return;
	x86_alu_mi(a, X86_CMP, 4, FRAME(flags_op), 0);
	settled = x86_jcc_short(a, X86_CC_E);
	for (unsigned k = 0; k < ARRAY_LEN(kept); k++)
		x86_push_r(a, kept[k]);
	x86_lea(a, 8, RDI, x86_base(RBP, -IR_FRAME_BIAS));
	x86_call_m(a, frame_mem(offsetof(struct ir_frame, helper) + 8 * H_FLAGS));
	x86_mov_mr(a, 1, frame_mem(slots->slot[i].offset), RAX);
	x86_mov_mi(a, 4, FRAME(flags_op), 0);
	for (unsigned k = ARRAY_LEN(kept); k-- > 0;)
		x86_pop_r(a, kept[k]);
	x86_patch_rel8(settled, a->p);
}

/* Stores the temporaries, vector ones from the first on, to frame->kept, or loads
 * them back. */
static void
keep(struct x86_asm *a, int first, bool load)
{
	static const uint8_t gpr[] = { RAX, RCX, RDX, R11 };

	for (unsigned i = 0; i < ARRAY_LEN(gpr); i++) {
		struct x86_mem m = frame_mem(offsetof(struct ir_frame, kept) + 8 * (size_t)i);

		if (load)
			x86_mov_rm(a, 8, gpr[i], m);
		else
			x86_mov_mr(a, 8, m, gpr[i]);
	}
	for (int reg = first; reg < 16; reg++) {
		struct x86_mem m = frame_mem(offsetof(struct ir_frame, kept) + 32 + 16 * (size_t)(15 - reg));

		if (load)
			x86_movups_load(a, reg, m);
		else
			x86_movups_store(a, m, reg);
	}
}

/* A miss of the soft TLB: every register is as before afterwards, the zero flag
 * set if it stays a miss. */
static void
put_miss(struct x86_asm *a, const struct ir_slots *slots)
{
	keep(a, BOUNDARY_FPRS, false);
	transfer(a, slots, false);
	x86_mov_mr(a, 8, FRAME(shadow_stack), RSP);
	x86_mov_rm(a, 8, RSP, FRAME(host_stack));
	x86_lea(a, 8, RDI, x86_base(RBP, -IR_FRAME_BIAS));
	x86_call_m(a, FRAME(fill));
	x86_mov_rm(a, 8, RSP, FRAME(shadow_stack));
	x86_movzx_rr(a, 1, RAX, RAX);
	x86_mov_mr(a, 4, FRAME(miss_access), RAX);
	transfer(a, slots, true);
	keep(a, BOUNDARY_FPRS, true);
	x86_alu_mi(a, X86_CMP, 4, FRAME(miss_access), 0);
	x86_ret(a);
}

/* An op is the evaluator's for once (gen_rare): every register is as before
 * afterwards. */
static void
put_rare(struct x86_asm *a, const struct ir_slots *slots)
{
	keep(a, FEWEST_BOUNDARY_FPRS, false);
	transfer(a, slots, false);
	x86_mov_mr(a, 8, FRAME(shadow_stack), RSP);
	x86_mov_rm(a, 8, RSP, FRAME(host_stack));
	x86_lea(a, 8, RDI, x86_base(RBP, -IR_FRAME_BIAS));
	x86_mov_rm(a, 4, RSI, FRAME(rare.what));
	x86_mov_rm(a, 4, RDX, FRAME(rare.types));
	x86_mov_rm(a, 4, RCX, FRAME(rare.c));
	x86_call_m(a, frame_mem(offsetof(struct ir_frame, helper) + 8 * H_EVALUATE));
	x86_mov_rm(a, 8, RSP, FRAME(shadow_stack));
	transfer(a, slots, true);
	keep(a, FEWEST_BOUNDARY_FPRS, true);
	x86_ret(a);
}

static const uint8_t saved[] = { RBX, RBP, R12, R13, R14, R15 };

bool
x86_thunks(const struct ir_slots *slots, struct code_stream *hot, ptrdiff_t w_to_x, struct target_thunks *thunks)
{
	struct x86_asm as = { .p = hot->w, .end = hot->end, .scratch = 15 }, *a = &as;

	if (hot->end - hot->w < 4096)
		return false;
	as.vex = x86_host_features(0)->avx;

	/* enter(rdi frame, rsi entry). Six pushes and the return address leave
	 * the stack 8 off the alignment that the helper thunk's call needs. */
	x86_nop(a, (int)(-(uintptr_t)a->p & 15));
	memcpy(&thunks->enter, &(void *){ a->p + w_to_x }, sizeof thunks->enter);
	for (unsigned i = 0; i < ARRAY_LEN(saved); i++)
		x86_push_r(a, saved[i]);
	x86_sub_ri(a, 8, RSP, 8);
	x86_lea(a, 8, RBP, x86_base(RDI, IR_FRAME_BIAS));
	x86_mov_rr(a, 8, RAX, RSI);
	x86_mov_mr(a, 8, FRAME(host_stack), RSP);
	x86_ldmxcsr(a, FRAME(host_fp));
	transfer(a, slots, true);
	x86_mov_rm(a, 8, RSP, FRAME(shadow_stack));
	x86_jmp_r(a, RAX);

	/* leave: rax is the exit's record. */
	x86_nop(a, (int)(-(uintptr_t)a->p & 15));
	thunks->leave = a->p + w_to_x;
	x86_mov_mr(a, 8, FRAME(exit_record), RAX);
	x86_mov_mr(a, 8, FRAME(shadow_stack), RSP);
	x86_mov_rm(a, 8, RSP, FRAME(host_stack));
	x86_stmxcsr(a, FRAME(host_fp));
	transfer(a, slots, false);
	settle_flags(a, slots);
	x86_add_ri(a, 8, RSP, 8);
	for (unsigned i = ARRAY_LEN(saved); i-- > 0;)
		x86_pop_r(a, saved[i]);
	x86_ret(a);

	/* helper: r11 is its number; rax, rdx, rcx its operands. */
	x86_nop(a, (int)(-(uintptr_t)a->p & 15));
	thunks->helper = a->p + w_to_x;
	transfer(a, slots, false);
	x86_mov_mr(a, 8, FRAME(shadow_stack), RSP);
	x86_mov_rm(a, 8, RSP, FRAME(host_stack));
	settle_flags(a, slots);
	x86_lea(a, 8, RDI, x86_base(RBP, -IR_FRAME_BIAS));
	x86_mov_rr(a, 8, RSI, RAX);
	x86_call_m(a, x86_index(RBP, R11, 3, (int32_t)offsetof(struct ir_frame, helper) - IR_FRAME_BIAS));
	x86_mov_rm(a, 8, RSP, FRAME(shadow_stack));
	transfer(a, slots, true);
	x86_ret(a);

	x86_nop(a, (int)(-(uintptr_t)a->p & 15));
	thunks->miss = a->p + w_to_x;
	put_miss(a, slots);

	x86_nop(a, (int)(-(uintptr_t)a->p & 15));
	thunks->rare = a->p + w_to_x;
	put_rare(a, slots);

	hot->w = as.p;
	return true;
}

/* ---- patching ----------------------------------------------------------- */

void
x86_link(struct code_exit *exit_w, ptrdiff_t w_to_x, const void *entry_x)
{
	x86_patch_rel32_atomic((uint8_t *)exit_w + exit_w->patch, (const uint8_t *)entry_x - w_to_x);
}

void
x86_unlink(struct code_exit *exit_w)
{
	x86_patch_rel32_atomic((uint8_t *)exit_w + exit_w->patch, (uint8_t *)exit_w + exit_w->stub);
}

void
x86_force_done(uint8_t *w)
{
	/* ud2 becomes a two-byte nop. */
	__atomic_store_n((uint16_t *)(void *)w, 0x9066, __ATOMIC_RELEASE);
}

/* ---- faults ------------------------------------------------------------- */

static bool
is_nan(uint64_t bits, uint64_t bytes)
{
	return bytes == 8 ? (bits & ~(UINT64_C(1) << 63)) > 0x7ff0000000000000
			  : (bits & 0x7fffffff) > 0x7f800000;
}

static greg_t *
context_gpr(ucontext_t *context, unsigned reg)
{
	static const uint8_t number[] = {
		[RAX] = REG_RAX, [RCX] = REG_RCX, [RDX] = REG_RDX, [RBX] = REG_RBX, [RSP] = REG_RSP, [RBP] = REG_RBP,
		[RSI] = REG_RSI, [RDI] = REG_RDI, [R8] = REG_R8,   [R9] = REG_R9,   [R10] = REG_R10, [R11] = REG_R11,
		[R12] = REG_R12, [R13] = REG_R13, [R14] = REG_R14, [R15] = REG_R15,
	};
	return &context->uc_mcontext.gregs[number[reg & 15]];
}

static void
mend_nan(ucontext_t *context, const struct ir_frame *frame, const struct ir_slot *slot, uint64_t bytes)
{
	uint32_t *xmm = context->uc_mcontext.fpregs->_xmm[slot->boundary].element;
	uint64_t bits;

	memcpy(&bits, xmm, 8);
	if (!is_nan(bits, bytes))
		return;
	bits = frame->constant[bytes == 8 ? K_NAN64 : K_NAN32];
	memcpy(xmm, &bits, 8);
}

/* One word of flags that the slot holds but the frame does not (rule 4). */
static void
set_flags_part(ucontext_t *context, struct ir_frame *frame, const struct code_move *move)
{
	uint64_t value = move->value;

	switch ((enum code_where)move->where) {
	case CODE_GPR:
		value = (uint64_t)*context_gpr(context, (unsigned)value);
		break;
	case CODE_FPR:
		memcpy(&value, context->uc_mcontext.fpregs->_xmm[value].element, sizeof value);
		break;
	case CODE_FRAME:
		memcpy(&value, (const uint8_t *)frame + value, sizeof value);
		break;
	case CODE_CONST:
	case CODE_HOME:
	case CODE_SUM:
		break;
	}
	switch ((enum flags_part)move->slot) {
	case FLAGS_PART_OP: frame->flags_op = (uint32_t)value; break;
	case FLAGS_PART_A: frame->flags_a = value; break;
	case FLAGS_PART_B: frame->flags_b = value; break;
	case FLAGS_PART_R: frame->flags_r = value; break;
	case FLAGS_PART_M: frame->flags_m = value; break;
	case FLAGS_PARTS: break;
	}
}

/* A part of a sum (enum code_sum). */
static uint64_t
sum_part(ucontext_t *context, const struct ir_frame *frame, const struct ir_slots *slots, unsigned part)
{
	uint64_t value = 0;

	if (part < CODE_SUM_SCRATCH)
		return (uint64_t)*context_gpr(context, part);
	if (part < CODE_SUM_SLOT)
		return frame->scratch[part - CODE_SUM_SCRATCH];
	if (part < CODE_SUM_NONE)
		memcpy(&value, frame->guest + slots->slot[part - CODE_SUM_SLOT].offset, sizeof value);
	return value;
}

/* What the slot is to hold. */
static uint64_t
moved_value(ucontext_t *context, const struct ir_frame *frame, const struct ir_slots *slots, const struct code_move *move)
{
	uint64_t value = move->value, raw = move->value >> CODE_RAW_SHIFT;
	unsigned number = (uint8_t)move->value;

	switch ((enum code_where)move->where) {
	case CODE_CONST:
		raw = 0;
		break;
	case CODE_SUM:
		return sum_part(context, frame, slots, number) +
		       (sum_part(context, frame, slots, (uint8_t)(value >> 8)) << (uint8_t)(value >> 16)) +
		       (uint64_t)((int64_t)value >> 32);
	case CODE_GPR:
		return (uint64_t)*context_gpr(context, number);
	case CODE_FPR:
		memcpy(&value, context->uc_mcontext.fpregs->_xmm[number].element, sizeof value);
		break;
	case CODE_FRAME:
		value &= (UINT64_C(1) << CODE_RAW_SHIFT) - 1;
		memcpy(&value, (const uint8_t *)frame + value, sizeof value);
		break;
	case CODE_HOME:
		break;
	}
	if (move->fixup && raw && is_nan(value, raw))
		value = frame->constant[raw == 8 ? K_NAN64 : K_NAN32];
	return move->fixup == IR_FIX_BOX ? value | frame->constant[K_BOX32] : value;
}

static void
set_slot(ucontext_t *context, struct ir_frame *frame, const struct ir_slot *slot, uint64_t value)
{
	bool fp = type_is_fp((enum ir_type)slot->type);

	if (slot->boundary >= 0 && fp && slot->boundary < BOUNDARY_FPRS)
		memcpy(context->uc_mcontext.fpregs->_xmm[slot->boundary].element, &value, sizeof value);
	else if (slot->boundary >= 0 && !fp && slot->boundary < BOUNDARY_GPRS)
		*context_gpr(context, boundary_gpr[slot->boundary]) = (greg_t)value;
	else
		memcpy(frame->guest + slot->offset, &value, sizeof value);
}

/* In tier 1 all slots are at home (rule 1) but for floating-point values that need
 * a fix-up in their register (rule 3), an address that was left to the load
 * (address.c), and flags (rule 4). In tier 2 any may be anywhere: all are read
 * before one is written. */
bool
x86_fault_exit(void *ucontext, struct ir_frame *frame, const struct ir_slots *slots, const struct code_move *move,
	       uint32_t moves, void *record)
{
	ucontext_t *context = ucontext;
	uint64_t value[IR_SLOT_MAX];

	for (uint32_t i = 0; i < moves; i++) {
		if (move[i].fixup == IR_FIX_FLAGS)
			set_flags_part(context, frame, &move[i]);
		else if (move[i].where == CODE_HOME)
			mend_nan(context, frame, &slots->slot[move[i].slot], move[i].value);
		else
			value[i % IR_SLOT_MAX] = moved_value(context, frame, slots, &move[i]);
	}
	for (uint32_t i = 0; i < moves; i++)
		if (move[i].fixup != IR_FIX_FLAGS && move[i].where != CODE_HOME)
			set_slot(context, frame, &slots->slot[move[i].slot], value[i % IR_SLOT_MAX]);
	*context_gpr(context, RAX) = (greg_t)(uintptr_t)record;
	context->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)frame->leave;
	return true;
}
