/* The evaluator: the loop over ops, and control flow.
 *
 * Each op has a function in a table, which puts the op's value where its ref
 * says; ops with the same shape share one. An end of a block sets where to go
 * on or stops the run. Guest faults found here (window, alignment, CHECK) stop
 * it as well; those the host finds arrive as a signal, and whoever handles it
 * abandons the run: nothing is held that would need release.
 */
#include "ir/eval_impl.h"

#include <string.h>

enum { FEW = 16 }; /* parameters moved without scratch memory */

static void
eval_nop(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	(void)run, (void)ins, (void)out;
}

static void
eval_at(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	(void)out;
	run->eval->retired = run->passed++;
	run->eval->at = (int32_t)ins->imm;
	run->length = ins->aux;
}

static void
eval_const(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	(void)run;
	memset(out, 0, sizeof(eval_value));
	out[0] = (uint64_t)ins->imm;
}

static void
eval_pc(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	out[0] = eval_cut(ins->type, run->base + (uint64_t)ins->imm);
}

/* ---- helpers ------------------------------------------------------------ */

static void
eval_call(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	const struct ir_region *region = run->region;
	ir_helper_fn function;
	const uint32_t *list;
	uint64_t operand[3] = { 0 }, result;
	uint32_t count;

	function = ins->aux < region->helper_count ? region->helpers[ins->aux].function :
		   ins->aux < IR_HELPER_MAX	   ? run->frame->helper[ins->aux] :
						     NULL;
	list = ir_call_arguments(region, (ir_ref)(ins - region->ins), &count);
	if (!function || count > 3) {
		run->broken = true;
		return;
	}
	for (uint32_t i = 0; i < count; i++)
		operand[i] = eval_of(run, list[i])[0];
	result = function(run->frame, operand[0], operand[1], operand[2]);
	if (ins->type != IR_VOID) {
		memset(out, 0, sizeof(eval_value));
		out[0] = eval_cut(ins->type, result);
	}
}

/* ---- ends --------------------------------------------------------------- */

static void
stop_at(struct eval_run *run, enum ir_exit_kind kind, uint64_t pc, uint64_t link, unsigned retired)
{
	run->eval->kind = kind;
	run->eval->link = link;
	run->eval->retired = retired;
	run->frame->pc = pc;
	run->stop = true;
}

void
eval_fault(struct eval_run *run, enum ir_trap trap, uint64_t value)
{
	uint64_t pc = run->base + (uint64_t)(int64_t)run->eval->at;

	run->eval->trap = trap;
	run->eval->trap_value = value;
	run->eval->before = true;
	stop_at(run, IR_EXIT_TRAP, pc, pc + run->length, run->eval->retired);
}

static void
eval_check(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	const uint64_t *condition = eval_of(run, ins->a);
	bool wide = eval_type(run, ins->a) == IR_I128;

	(void)out;
	if (condition[0] | (wide ? condition[1] : 0))
		eval_fault(run, (enum ir_trap)ins->aux, (uint64_t)ins->imm);
}

/* The values are moved at once: an argument may be a parameter of the same
 * block, which another argument replaces. */
static void
go(struct eval_run *run, ir_ref end, unsigned which)
{
	const uint32_t *arguments;
	uint32_t count;
	const struct ir_block *block =
		&run->region->block[ir_target(run->region, end, which, &arguments, &count)];
	eval_value few[FEW], *moved = few;

	if (count > FEW) {
		if (!run->scratch)
			run->scratch = arena_alloc(run->region->arena,
						   run->region->ins_count * sizeof(eval_value));
		moved = run->scratch;
	}
	for (uint32_t i = 0; i < count; i++)
		memcpy(moved[i], eval_of(run, arguments[i]), sizeof(eval_value));
	for (uint32_t i = 0; i < count; i++)
		memcpy(eval_of(run, block->first + i), moved[i], sizeof(eval_value));
	run->next = block->first;
}

static void
eval_goto(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	(void)out;
	go(run, (ir_ref)(ins - run->region->ins), 0);
}

static void
eval_br(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	const uint64_t *condition = eval_of(run, ins->a);
	bool wide = eval_type(run, ins->a) == IR_I128;

	(void)out;
	go(run, (ir_ref)(ins - run->region->ins), !(condition[0] | (wide ? condition[1] : 0)));
}

static void
eval_exit(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	struct ir_exit e = ir_exit_of(run->region, (ir_ref)(ins - run->region->ins));
	uint64_t base = run->base, pc = base + (uint64_t)(int64_t)e.target;
	bool begun = false;

	(void)out;
	switch (e.kind) {
	case IR_EXIT_JUMP:
	case IR_EXIT_CALL:
	case IR_EXIT_LOOKUP:
		break;
	case IR_EXIT_INDIRECT:
	case IR_EXIT_ICALL:
	case IR_EXIT_RETURN:
		pc = eval_of(run, e.value)[0];
		break;
	case IR_EXIT_TRAP: /* as ir_exit_trap counts; loops make the count dynamic */
		run->eval->trap = e.trap;
		begun = run->passed && run->eval->at == e.target && e.trap != IR_TRAP_SYSCALL;
		break;
	}
	stop_at(run, e.kind, pc, base + (uint64_t)(int64_t)e.link, run->passed - begun);
}

/* ---- the loop ----------------------------------------------------------- */

bool
ir_eval(struct ir_eval *eval, const struct ir_region *region)
{
	struct eval_run run = {
		.eval = eval,
		.region = region,
		.frame = eval->frame,
		.value = (eval_value *)eval->value,
		.base = region->pc,
		.next = region->block[0].first,
	};

	if (eval->mmu)
		run.base = ir_frame_page(eval->frame) + region->pc % IR_TLB_PAGE;
	if (!run.value)
		run.value = arena_alloc(eval->arena, region->ins_count * sizeof(eval_value));
	eval->at = 0;
	eval->retired = 0;
	eval->device = false;
	eval->trap = IR_TRAP_NONE;
	eval->trap_value = 0;
	eval->before = false;
	eval->link = 0;
	while (!run.stop && !run.broken) {
		ir_ref ref = run.next++;
		const struct ir_ins *ins = &region->ins[ref];
		eval_fn function = ins->op < IR_OP_COUNT ? eval_table[ins->op] : NULL;

		if (function)
			function(&run, ins, run.value[ref]);
		else
			run.broken = true;
		if (run.broken)
			log_line(LOG_ERROR, "evaluator: cannot do op %u (number %u) of region %#llx",
				 ref, ins->op, (unsigned long long)region->pc);
	}
	return !run.broken;
}

#define INTEGER eval_integer
#define VECTOR eval_vector_lanes
#define MOVE eval_vector_move
#define PERMUTE eval_vector_permute
#define RESIZE eval_vector_resize
#define UNARY eval_vector_unary
#define EXTRA eval_vector_extra
#define LANES eval_float_lanes
const eval_fn eval_table[IR_OP_COUNT] = {
	[IR_NOP] = eval_nop, [IR_AT] = eval_at, [IR_CONST] = eval_const,
	[IR_PARAM] = eval_nop, /* whoever came here has set it */
	[IR_COPY] = eval_copy, [IR_PC] = eval_pc, [IR_BITCAST] = eval_copy,
	[IR_GET] = eval_get, [IR_SET] = eval_set,
	[IR_ADD] = INTEGER, [IR_SUB] = INTEGER, [IR_MUL] = INTEGER, [IR_MULHS] = INTEGER,
	[IR_MULHU] = INTEGER, [IR_MULHSU] = INTEGER, [IR_SDIV] = INTEGER, [IR_UDIV] = INTEGER,
	[IR_SREM] = INTEGER, [IR_UREM] = INTEGER, [IR_AND] = INTEGER, [IR_OR] = INTEGER,
	[IR_XOR] = INTEGER, [IR_ANDN] = INTEGER, [IR_NOT] = INTEGER, [IR_NEG] = INTEGER,
	[IR_SHL] = INTEGER, [IR_LSHR] = INTEGER, [IR_ASHR] = INTEGER, [IR_ROTL] = INTEGER,
	[IR_ROTR] = INTEGER, [IR_SMIN] = INTEGER, [IR_SMAX] = INTEGER, [IR_UMIN] = INTEGER,
	[IR_UMAX] = INTEGER, [IR_CLZ] = INTEGER, [IR_CTZ] = INTEGER, [IR_POPCNT] = INTEGER,
	[IR_BSWAP] = INTEGER, [IR_BITREV] = INTEGER, [IR_ORCB] = INTEGER, [IR_CLMUL] = INTEGER,
	[IR_CLMULH] = INTEGER, [IR_CRC32] = INTEGER, [IR_SEXT] = INTEGER, [IR_ZEXT] = INTEGER,
	[IR_TRUNC] = INTEGER, [IR_INSERT] = INTEGER, [IR_EXTRACT] = INTEGER, [IR_PAIR] = eval_pair,
	[IR_ICMP] = INTEGER, [IR_SELECT] = eval_select,
	[IR_FLAGS_ADD] = eval_flags_arith, [IR_FLAGS_SUB] = eval_flags_arith,
	[IR_FLAGS_ADC] = eval_flags_arith, [IR_FLAGS_SBC] = eval_flags_arith,
	[IR_FLAGS_LOGIC] = eval_flags_logic, [IR_FLAGS_FCMP] = eval_float_compare,
	[IR_FLAGS_MERGE] = eval_flags_merge, [IR_FLAGS_SELECT] = eval_select,
	[IR_FLAGS_PACK] = eval_flags_pack, [IR_FLAGS_BITS] = eval_flags_bits,
	[IR_ADC] = eval_carry_arith, [IR_SBC] = eval_carry_arith, [IR_COND] = eval_cond,
	[IR_XLATE] = eval_xlate, [IR_LOAD] = eval_load, [IR_STORE] = eval_store,
	[IR_RMW] = eval_rmw, [IR_CAS] = eval_cas, [IR_LL] = eval_ll, [IR_SC] = eval_sc,
	[IR_FENCE] = eval_fence, [IR_PREFETCH] = eval_nop,
	[IR_FADD] = eval_float, [IR_FSUB] = eval_float, [IR_FMUL] = eval_float,
	[IR_FDIV] = eval_float, [IR_FSQRT] = eval_float, [IR_FMA] = eval_float,
	[IR_FMIN] = eval_float, [IR_FMAX] = eval_float, [IR_FCMP] = eval_float_compare,
	[IR_FCVT] = eval_float_convert, [IR_F2I] = eval_float_convert, [IR_I2F] = eval_float_convert,
	[IR_F2X] = eval_float_convert, [IR_X2F] = eval_float_convert, [IR_FMULX] = eval_float,
	[IR_FRECPE] = eval_float, [IR_FRSQRTE] = eval_float, [IR_FRECPS] = eval_float,
	[IR_FRSQRTS] = eval_float, [IR_FRECPX] = eval_float,
	[IR_FRINT] = eval_float, [IR_FCLASS] = eval_float_bits, [IR_FNEG] = eval_float_bits,
	[IR_FABS] = eval_float_bits, [IR_FSGNJ] = eval_float_bits, [IR_BOX] = eval_float_bits,
	[IR_UNBOX] = eval_float_bits, [IR_FPFLAGS_GET] = eval_float_state,
	[IR_FPFLAGS_SET] = eval_float_state, [IR_FPROUND_SET] = eval_float_state,
	[IR_VSPLAT] = MOVE, [IR_VEXTRACT] = MOVE,
	[IR_VINSERT] = MOVE, [IR_VADD] = VECTOR, [IR_VSUB] = VECTOR, [IR_VMUL] = VECTOR,
	[IR_VAND] = eval_vector_bits, [IR_VOR] = eval_vector_bits, [IR_VXOR] = eval_vector_bits,
	[IR_VANDN] = eval_vector_bits, [IR_VSHL] = VECTOR, [IR_VLSHR] = VECTOR, [IR_VASHR] = VECTOR,
	[IR_VSMIN] = VECTOR, [IR_VSMAX] = VECTOR, [IR_VUMIN] = VECTOR, [IR_VUMAX] = VECTOR,
	[IR_VADDS] = VECTOR, [IR_VSUBS] = VECTOR, [IR_VADDU] = VECTOR, [IR_VSUBU] = VECTOR,
	[IR_VCMPEQ] = VECTOR, [IR_VCMPGT] = VECTOR, [IR_VCMPGTU] = VECTOR,
	[IR_VSHUF] = MOVE, [IR_VBSL] = eval_vector_bits,
	[IR_VZIPLO] = PERMUTE, [IR_VZIPHI] = PERMUTE, [IR_VSXTL] = RESIZE, [IR_VZXTL] = RESIZE,
	[IR_VNARROW] = RESIZE, [IR_VNOT] = eval_vector_bits, [IR_VNEG] = UNARY, [IR_VABS] = UNARY,
	[IR_VCLZ] = UNARY, [IR_VPOPCNT] = UNARY, [IR_VBITREV] = UNARY, [IR_VHADD] = EXTRA,
	[IR_VHSUB] = EXTRA, [IR_VABD] = EXTRA, [IR_VSHIFT] = EXTRA, [IR_VADDLP] = eval_vector_widen,
	[IR_VDOT] = eval_vector_widen, [IR_VMULL] = eval_vector_widen, [IR_VQDMULH] = EXTRA,
	[IR_VQRDMLAH] = EXTRA, [IR_VPMULL] = eval_vector_widen, [IR_VREDUCE] = eval_vector_reduce,
	[IR_VNARROWS] = RESIZE, [IR_VNARROWSU] = RESIZE, [IR_VNARROWU] = RESIZE,
	[IR_VSCALAR] = MOVE, [IR_VRESIZE] = eval_vector_bytes, [IR_VHIGH] = eval_vector_bytes,
	[IR_VJOIN] = eval_vector_bytes, [IR_VDUP] = MOVE, [IR_VEXT] = eval_vector_bytes,
	[IR_VREV] = eval_vector_bytes, [IR_VEVEN] = PERMUTE, [IR_VODD] = PERMUTE,
	[IR_VTRNEVEN] = PERMUTE, [IR_VTRNODD] = PERMUTE,
	[IR_VFADD] = LANES, [IR_VFSUB] = LANES, [IR_VFMUL] = LANES, [IR_VFDIV] = LANES,
	[IR_VFSQRT] = LANES, [IR_VFMA] = LANES, [IR_VFMIN] = LANES, [IR_VFMAX] = LANES,
	[IR_VFCMP] = eval_float_lanes_int, [IR_VFRINT] = LANES, [IR_VF2I] = eval_float_lanes_int,
	[IR_VI2F] = eval_float_lanes_int, [IR_VFWIDEN] = eval_float_lanes_convert,
	[IR_VFNARROW] = eval_float_lanes_convert, [IR_VFMULX] = LANES, [IR_VFRECPE] = LANES,
	[IR_VFRSQRTE] = LANES, [IR_VFRECPS] = LANES, [IR_VFRSQRTS] = LANES,
	[IR_VRECPE] = UNARY, [IR_VRSQRTE] = UNARY,
	[IR_VAESE] = eval_aes, [IR_VAESD] = eval_aes, [IR_VAESMC] = eval_aes, [IR_VAESIMC] = eval_aes,
	[IR_VSHA1] = eval_sha1, [IR_VSHA1SU1] = eval_sha1, [IR_VSHA256H] = eval_sha256,
	[IR_VSHA256H2] = eval_sha256, [IR_VSHA256SU0] = eval_sha256, [IR_VSHA256SU1] = eval_sha256,
	[IR_CALL] = eval_call, [IR_CHECK] = eval_check,
	[IR_GOTO] = eval_goto, [IR_BR] = eval_br, [IR_EXIT] = eval_exit,
};
