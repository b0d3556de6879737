/* Tier 1's driver: uses and dead SETs backwards, then code forwards. Requires
 * a region whose trunk blocks follow each other and whose other blocks are
 * single jumps out; anything else is unsupported and left to the interpreter,
 * as is any op that has no code here. */
#include "codegen/x86_64/loop.h"

#include <string.h>

/* What one op may emit at most, both streams; checked before each. */
enum { ROOM_HOT = 1024, ROOM_COLD = 2048 };

static void
count_operand(struct gen *g, ir_ref ref)
{
	if (ref)
		g->val[ref].uses++;
}

/* Which of a, b, c are references to values, as bits 0 to 2. */
#define REFERENCE(letter) ((letter) != '.' && (letter) != '*' && (letter) != 'D')
static const uint8_t references[IR_OP_COUNT] = {
#define OP(NAME, text, result, operands, ...) \
	[IR_##NAME] = REFERENCE(operands[0]) | REFERENCE(operands[1]) << 1 | REFERENCE(operands[2]) << 2,
#include "ir/ops.def"
#undef OP
};

static void
count_operands(struct gen *g, const struct ir_ins *ins, ir_ref ref)
{
	unsigned kinds = references[ins->op];
	const uint32_t *list;
	uint32_t count;

	if (ins->op == IR_EXIT) {
		count_operand(g, ir_exit_of(g->region, ref).value);
		return;
	}
	if (ins->op == IR_CALL) {
		list = ir_call_arguments(g->region, ref, &count);
		while (count-- > 0)
			count_operand(g, list[count]);
		return;
	}
	/* val[0] is nobody's: an absent operand counts there. */
	if (kinds & 1)
		g->val[ins->a].uses++;
	if (kinds & 2)
		g->val[ins->b].uses++;
	if (kinds & 4)
		g->val[ins->c].uses++;
}

/* Slots of these types have code; what shares bytes with another has not. */
static bool
slot_has_code(const struct gen *g, unsigned slot)
{
	const struct ir_slot *s = &g->slots->slot[slot];
	unsigned bits = ir_type_bits((enum ir_type)s->type);

	if ((int)slot == g->flags_slot)
		return true;
	return s->alias == slot && s->type != IR_HOST && ((bits >= 8 && bits <= 64) || s->type == IR_V128);
}

bool
is_word_op(enum ir_op op)
{
	switch (op) {
	case IR_MULHS:
	case IR_MULHU:
	case IR_MULHSU:
	case IR_SDIV:
	case IR_UDIV:
	case IR_SREM:
	case IR_UREM:
	case IR_SHL:
	case IR_LSHR:
	case IR_ASHR:
	case IR_ROTL:
	case IR_ROTR:
	case IR_SMIN:
	case IR_SMAX:
	case IR_UMIN:
	case IR_UMAX:
	case IR_CLZ:
	case IR_CTZ:
	case IR_POPCNT:
	case IR_BSWAP:
		return true;
	default:
		return false;
	}
}

/* The op has code for sure and never leaves the region. */
static bool
stays(const struct gen *g, const struct ir_ins *ins)
{
	if (is_word_op((enum ir_op)ins->op))
		return ins->type == IR_I32 || ins->type == IR_I64;
	switch (ins->op) {
	case IR_NOP:
	case IR_AT:
	case IR_PC:
	case IR_CONST:
	case IR_COPY:
		return true;
	case IR_ADD:
	case IR_SUB:
	case IR_MUL:
	case IR_AND:
	case IR_OR:
	case IR_XOR:
	case IR_ANDN:
	case IR_NOT:
	case IR_NEG:
	case IR_SEXT:
	case IR_ZEXT:
	case IR_TRUNC:
	case IR_ICMP:
	case IR_SELECT:
		return ins->type <= IR_I64 && g->ins[ins->a].type <= IR_I64;
	case IR_FLAGS_ADD:
	case IR_FLAGS_SUB:
	case IR_FLAGS_LOGIC:
	case IR_FLAGS_PACK:
	case IR_COND:
		return true;
	case IR_FLAGS_ADC:
	case IR_FLAGS_SBC:
	case IR_ADC:
	case IR_SBC:
		return g->ins[ins->a].type >= IR_I32;
	case IR_VSPLAT:
	case IR_VDUP:
	case IR_VINSERT:
	case IR_VSCALAR:
	case IR_VRESIZE:
	case IR_VHIGH:
	case IR_VJOIN:
	case IR_VSHUF:
	case IR_VEXT:
	case IR_VREV:
	case IR_VEVEN:
	case IR_VODD:
	case IR_VTRNEVEN:
	case IR_VTRNODD:
	case IR_VZIPLO:
	case IR_VZIPHI:
	case IR_VADD:
	case IR_VSUB:
	case IR_VAND:
	case IR_VOR:
	case IR_VXOR:
	case IR_VANDN:
	case IR_VNOT:
	case IR_VBSL:
	case IR_VCMPEQ:
	case IR_VCMPGT:
	case IR_VCMPGTU:
		return vector_has_code(g, ins);
	case IR_VAESE:
	case IR_VAESD:
	case IR_VAESMC:
	case IR_VAESIMC:
	case IR_VSHA1:
	case IR_VSHA1SU1:
	case IR_VSHA256H:
	case IR_VSHA256H2:
	case IR_VSHA256SU0:
	case IR_VSHA256SU1:
		return crypto_has_code(g, ins->op);
	case IR_FNEG:
	case IR_FABS:
	case IR_FSGNJ:
		return ins->type == IR_F32 || ins->type == IR_F64;
	default:
		return false;
	}
}

/* Backwards over the trunk: a value none uses is not made, a SET that the next
 * SET of its slot hides (nothing between could leave) is not done. */
static void
find_uses(struct gen *g)
{
	uint64_t hidden[IR_SLOT_MAX / 64] = { 0 };

	for (ir_ref ref = g->region->ins_count - 1; ref > 0; ref--) {
		const struct ir_ins *ins = &g->ins[ref];
		unsigned effects = ir_op_info[ins->op].effects;

		/* As it is behind ref, before ref + 1. */
		if (g->flags_slot != NO_SLOT && hidden[g->flags_slot / 64] >> (g->flags_slot % 64) & 1)
			g->flags_dead[(ref + 1) / 64] |= UINT64_C(1) << ((ref + 1) % 64);

		if ((ins->op == IR_SET || ins->op == IR_GET) && !slot_has_code(g, ins->aux)) {
			memset(hidden, 0, sizeof hidden); /* the region ends here */
		} else if (ins->op == IR_SET) {
			if (hidden[ins->aux / 64] >> (ins->aux % 64) & 1) {
				g->dead_set[ref / 64] |= UINT64_C(1) << (ref % 64);
				continue;
			}
			hidden[ins->aux / 64] |= UINT64_C(1) << (ins->aux % 64);
		} else if (ins->op == IR_GET) {
			if (g->val[ref].uses)
				hidden[ins->aux / 64] &= ~(UINT64_C(1) << (ins->aux % 64));
			continue;
		}
		if (effects == IR_E_PURE && g->val[ref].uses == 0)
			continue;
		if (ins->op != IR_SET && ins->op != IR_GET && !stays(g, ins))
			memset(hidden, 0, sizeof hidden);
		count_operands(g, ins, ref);
	}
}

/* One op. False: it has no code here. */
static bool
gen_op(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];

	switch (ins->op) {
	case IR_NOP:
		return true;
	case IR_AT:
		g->pc = (int32_t)ins->imm;
		g->retired++;
		g->set_done = g->stored = false;
		return true;
	case IR_CONST:
		return ins->type <= IR_I64 || ins->type == IR_F32 || ins->type == IR_F64 || ins->type == IR_FLAGS ||
		       ins->type == IR_F16 || ins->type == IR_V64 || ins->type == IR_V128;
	case IR_COPY:
	case IR_TRUNC:
		if (g->ins[ins->a].type == IR_I128)
			return gen_int_bits(g, ref);
		define_alias(g, ref, ins->a);
		drop(g, ins->a);
		return true;
	case IR_GET:
		if (!slot_has_code(g, ins->aux))
			return false;
		gen_get(g, ref);
		return true;
	case IR_SET:
		gen_set(g, ref);
		g->set_done = true;
		return true;
	case IR_CHECK:
		gen_check(g, ref);
		return true;
	case IR_CALL:
		gen_call(g, ref);
		return true;
	case IR_AND: { /* the mask of a return address is applied when it matters */
		const struct ir_ins *next = &g->ins[ref + 1];

		if (next->op == IR_EXIT && (next->aux & 15) == IR_EXIT_RETURN && g->val[ref].uses == 1 &&
		    ir_exit_of(g->region, ref + 1).value == ref && is_const(g, ins->b) &&
		    g->ins[resolve(g, ins->b)].imm == -2) {
			g->val[ref].deferred = true;
			return true;
		}
		return gen_int(g, ref);
	}
	default:
		break;
	}
	if (gen_int(g, ref) || gen_int_bits(g, ref) || gen_flags(g, ref) || gen_memory(g, ref) || gen_vector(g, ref) ||
	    gen_crypto(g, ref) || gen_vector_fp(g, ref) || gen_fp(g, ref) || gen_half(g, ref) || gen_fp_rare(g, ref))
		return true;
	op_done(g); /* what it took before it gave up */
	return gen_evaluated(g, ref);
}

static void
put_mark(struct gen *g, ir_ref ref)
{
	if (g->job->mark)
		g->job->mark[g->mark_count++] = (struct code_mark){ ref, (uint32_t)(g->hot.p - g->hot_start), "" };
}

static const char gpr_name[16][4] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
				      "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15" };
static const char fpr_name[16][6] = { "xmm0", "xmm1", "xmm2",  "xmm3",	"xmm4",	 "xmm5",  "xmm6",  "xmm7",
				      "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15" };

static const char *
home(const struct ir_slot *slot)
{
	if (slot->boundary < 0)
		return NULL;
	if (type_is_fp((enum ir_type)slot->type))
		return slot->boundary < BOUNDARY_FPRS ? fpr_name[slot->boundary] : NULL;
	return slot->boundary < BOUNDARY_GPRS ? gpr_name[boundary_gpr[slot->boundary]] : NULL;
}

/* Says in the newest mark where the op has left its value. */
static void
mark_value(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	const struct val *v = &g->val[resolve(g, ref)];
	int slot = ins->op == IR_SET ? ins->aux : v->home;
	int reg = ins->op == IR_SET ? NO_REG : v->reg;
	struct code_mark *mark = &g->job->mark[g->mark_count - 1];
	enum ir_type type = (enum ir_type)(ins->op == IR_SET ? g->slots->slot[slot].type : ins->type);

	if (ins->op == IR_SET && (g->dead_set[ref / 64] >> (ref % 64) & 1))
		return;
	if (reg == NO_REG && slot != NO_SLOT)
		reg = g->slot_reg[slot];
	if (reg != NO_REG)
		text_format(mark->where, sizeof mark->where, "%s", type_is_fp(type) ? fpr_name[reg] : gpr_name[reg]);
	else if (slot != NO_SLOT || v->spill >= 0)
		text_format(mark->where, sizeof mark->where, "frame");
}

/* Code for the ops of a trunk block but its end. An op that has no code here
 * ends the region (*ended): its instruction is interpreted. */
static enum target_result
gen_block(struct gen *g, const struct ir_block *block, bool *ended)
{
	for (ir_ref ref = block->first; ref < block->first + block->count; ref++) {
		const struct ir_ins *ins = &g->ins[ref];

		if (g->hot.end - g->hot.p < ROOM_HOT || g->cold.end - g->cold.p < ROOM_COLD)
			return TARGET_NO_ROOM;
		if (ins->op == IR_BR || ins->op == IR_EXIT || ins->op == IR_GOTO)
			break;
		if (ir_op_info[ins->op].effects == IR_E_PURE && g->val[ref].uses == 0 && ins->op != IR_AT)
			continue;
		g->at = ref;
		put_mark(g, ref);
		flags_advance(g, ref);
		if (!gen_op(g, ref)) {
			if (g->set_done)
				return TARGET_UNSUPPORTED;
			op_done(g); /* what it took before it gave up */
			gen_interpret(g);
			*ended = true;
			return g->failed ? TARGET_UNSUPPORTED : TARGET_OK;
		}
		op_done(g);
		if (g->failed)
			return TARGET_UNSUPPORTED;
		if (UNLIKELY(g->job->mark))
			mark_value(g, ref);
	}
	return TARGET_OK;
}

static enum target_result
gen_trunk(struct gen *g)
{
	uint32_t number = 0;

	for (;;) {
		const struct ir_block *block = &g->region->block[number];
		ir_ref end = block->first + block->count - 1;
		bool ended = false;
		enum target_result result = gen_block(g, block, &ended);

		if (result != TARGET_OK || ended)
			return result;
		g->at = end;
		put_mark(g, end);
		flags_advance(g, end);
		if (g->ins[end].op == IR_EXIT) {
			gen_exit(g, end);
			return g->failed ? TARGET_UNSUPPORTED : TARGET_OK;
		}
		if (g->ins[end].op != IR_BR)
			return TARGET_UNSUPPORTED;
		uint32_t next = gen_br(g, end);

		if (g->failed || next <= number)
			return TARGET_UNSUPPORTED;
		number = next;
	}
}

const struct host_cpu *
x86_host_features(unsigned baseline)
{
	static const uint64_t mask[] = { [0] = HOST_CPU_ALL, [2] = HOST_CPU_V2, [3] = HOST_CPU_V3 };
	static struct host_cpu known[ARRAY_LEN(mask)];
	static int ready[ARRAY_LEN(mask)];

	if (!__atomic_load_n(&ready[baseline], __ATOMIC_ACQUIRE)) {
		host_cpu_probe(&known[baseline], mask[baseline]);
		__atomic_store_n(&ready[baseline], 1, __ATOMIC_RELEASE);
	}
	return &known[baseline];
}

static int
flags_slot(const struct ir_slots *slots)
{
	for (unsigned i = 0; i < slots->count; i++)
		if (slots->slot[i].type == IR_FLAGS)
			return (int)i;
	return NO_SLOT;
}

static enum target_result
compile(const struct target_job *job, struct target_code *code)
{
	const struct ir_region *region = job->region;
	const struct host_cpu *cpu = x86_host_features(job->baseline);
	enum target_result result;
	struct gen *g;

	if (job->loop)
		return loop_compile(job, code);
	if (job->hot->end - job->hot->w < ROOM_HOT || job->cold->end - job->cold->w < ROOM_COLD)
		return TARGET_NO_ROOM;
	g = arena_alloc(job->arena, sizeof *g);
	g->job = job;
	g->region = region;
	g->ins = region->ins;
	g->slots = region->slots;
	g->cpu = cpu;
	g->hot = (struct x86_asm){ .p = job->hot->w, .end = job->hot->end, .vex = cpu->avx, .scratch = -1 };
	g->cold = (struct x86_asm){ .p = job->cold->w, .end = job->cold->end, .vex = cpu->avx, .scratch = -1 };
	g->val = arena_alloc(job->arena, region->ins_count * sizeof *g->val);
	g->dead_set = arena_alloc(job->arena, (region->ins_count / 64 + 1) * sizeof *g->dead_set);
	g->flags_dead = arena_alloc(job->arena, (region->ins_count / 64 + 1) * sizeof *g->flags_dead);
	g->flags_slot = flags_slot(region->slots);
	for (ir_ref ref = 0; ref < region->ins_count; ref++)
		g->val[ref] = (struct val){ .reg = NO_REG, .spill = -1, .home = NO_SLOT };
	regs_begin(g);
	find_uses(g);
	soft_tlb_plan(g);
	x86_nop(&g->hot, (int)(-(uintptr_t)g->hot.p & 15));
	g->hot_start = g->hot.p;
	g->cold_start = g->cold.p;
	relocs_begin(g);
	result = gen_trunk(g);
	if (result != TARGET_OK)
		return result;
	hand_over(g, job, code);
	return TARGET_OK;
}

static uint64_t
features(void)
{
	return host_cpu_hash(x86_host_features(0));
}

const struct target target_x86_64 = {
	.name = "x86-64",
	.objdump = "-m i386:x86-64 -M intel",
	.home = home,
	.features = features,
	.compile = compile,
	.thunks = x86_thunks,
	.frame_init = x86_frame_init,
	.fp_sync = x86_fp_sync,
	.link = x86_link,
	.unlink = x86_unlink,
	.force_done = x86_force_done,
	.fault_exit = x86_fault_exit,
};
