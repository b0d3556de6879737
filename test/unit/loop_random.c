/* Tier 2 against the evaluator on random loops.
 *
 *	loop_random [seed [loops]]
 *
 * A loop is a few pieces of random instructions that jump to each other and out, as
 * lifters make them. Each piece first takes one from a slot of fuel and leaves when
 * there is none, so all of them end. The pieces are joined; the evaluator runs that,
 * the host what opt/ and the code generator make of it. Where the host leaves in the
 * middle (a rare case left to the interpreter, a planted fault, a poll), the state it
 * brings must be one that the evaluator has at that instruction: its n-th visit for
 * some n. Fuel tells the visits apart. */
#include "codegen_random.h"
#include "opt/opt.h"

enum { FUEL = 19, STOP = 18, PIECES = 6, PIECE_SPAN = 0x100, OUTSIDE = 0x4000 };

static struct maker maker[PIECES];
static unsigned long compiled, unsupported, partial, faults, polled;
static struct arena pass_arena;

/* ---- making -------------------------------------------------------------------- */

static ir_ref
loop_value(struct maker *m, enum ir_type type)
{
	ir_ref value = any(m, type);

	return m->region.ins[value].type == type ? value : ir_const(&m->b, type, 3);
}

static void
loop_int_op(struct maker *m)
{
	static const uint8_t narrow[] = { IR_ADD, IR_SUB, IR_AND, IR_OR, IR_XOR, IR_ANDN, IR_NOT, IR_NEG, IR_MUL };
	static const uint8_t wide[] = { IR_ADD, IR_ADD, IR_ADD, IR_SUB, IR_AND, IR_OR, IR_XOR, IR_ANDN, IR_NOT, IR_NEG,
					IR_MUL, IR_MULHS, IR_MULHU, IR_MULHSU, IR_SDIV, IR_UDIV, IR_SREM, IR_UREM,
					IR_SHL, IR_LSHR, IR_ASHR, IR_ROTL, IR_ROTR, IR_SHL, IR_SMIN, IR_SMAX,
					IR_UMIN, IR_UMAX, IR_CLZ, IR_CTZ, IR_POPCNT, IR_BSWAP };
	enum ir_type type = any_int_type();
	enum ir_op op;
	ir_ref x, y = 0;

	switch (below(10)) {
	case 0:
		make_extension(m);
		return;
	case 1:
		make_compare(m);
		return;
	case 2:
		x = loop_value(m, IR_I64);
		if (percent(60))
			x = make(m, IR_ICMP, IR_I64, below(IR_UGE + 1), x, loop_value(m, IR_I64), 0);
		make(m, IR_SELECT, type, 0, x, loop_value(m, type), loop_value(m, type));
		return;
	}
	op = (enum ir_op)(type < IR_I32 ? narrow[below(ARRAY_LEN(narrow))] : wide[below(ARRAY_LEN(wide))]);
	x = loop_value(m, type);
	if (ir_op_info[op].operands[1] != '.')
		y = percent(8) ? x : percent(30) ? ir_const(&m->b, type, random_int()) : loop_value(m, type);
	make(m, op, type, op >= IR_SDIV && op <= IR_UDIV ? below(2) : 0, x, y, 0);
}

static void
loop_fp_op(struct maker *m)
{
	static const uint8_t two[] = { IR_FADD, IR_FSUB, IR_FMUL, IR_FDIV, IR_FMIN, IR_FMAX };
	static const uint8_t rounds[] = { IR_RDYN, IR_RTZ, IR_RNE, IR_RDN };
	enum ir_type type = percent(60) ? IR_F64 : IR_F32, other = type == IR_F64 ? IR_F32 : IR_F64;
	unsigned aux = IR_FP(percent(90) ? IR_RDYN : IR_RNE, IR_NAN_RISCV, 0, 0), round = rounds[below(4)];
	ir_ref x = loop_value(m, type), y = percent(8) ? x : loop_value(m, type);

	switch (below(14)) {
	case 0:
		make(m, IR_F2I, percent(50) ? IR_I64 : IR_I32, IR_FP(round, IR_NAN_RISCV, 0, IR_F2I_RISCV | IR_F2I_SIGNED), x, 0, 0);
		break;
	case 1:
		make(m, IR_I2F, type, IR_FP(IR_RDYN, IR_NAN_RISCV, 0, IR_I2F_SIGNED), loop_value(m, percent(50) ? IR_I64 : IR_I32), 0, 0);
		break;
	case 2:
		make(m, IR_FCVT, type, aux, loop_value(m, other), 0, 0);
		break;
	case 3:
		make(m, IR_FRINT, type, IR_FP(round, IR_NAN_RISCV, 0, below(2)), x, 0, 0);
		break;
	case 4:
		make(m, IR_FSQRT, type, aux, x, 0, 0);
		break;
	case 5:
	case 6:
		make(m, IR_FMA, type, aux | below(4) << IR_FP_VARIANT, x, y, loop_value(m, type));
		break;
	case 7:
		make(m, IR_FCMP, IR_I64, IR_FP(IR_RDYN, IR_NAN_RISCV, 0, below(4) | below(2) << 3), x, y, 0);
		break;
	case 8:
		make(m, IR_FSGNJ, type, below(3), x, y, 0);
		break;
	case 9:
		make(m, percent(50) ? IR_FNEG : IR_FABS, type, 0, x, 0, 0);
		break;
	case 10:
		make(m, IR_BITCAST, type == IR_F64 ? IR_I64 : IR_I32, 0, x, 0, 0);
		break;
	case 11:
		make(m, IR_BITCAST, type, 0, loop_value(m, type == IR_F64 ? IR_I64 : IR_I32), 0, 0);
		break;
	default:
		make(m, (enum ir_op)two[below(percent(80) ? 4 : 6)], type, aux, x, y, 0);
	}
}

static void
loop_load(struct maker *m)
{
	enum ir_type type = percent(25) ? (percent(50) ? IR_F64 : IR_F32) : percent(80) ? IR_I64 : any_int_type(), memory = type;
	int32_t disp;
	ir_ref address;

	if (type <= IR_I64)
		memory = (enum ir_type)(IR_I8 + below(type - IR_I8 + 1));
	address = make_address(m, &disp, ir_type_bits(memory) / 8);
	if (percent(20)) /* an array's element */
		address = make(m, IR_ADD, IR_I64, 0, address,
			       make(m, IR_SHL, IR_I64, 0, make(m, IR_AND, IR_I64, 0, loop_value(m, IR_I64), ir_const(&m->b, IR_I64, 31), 0),
				    ir_const(&m->b, IR_I64, 1 + below(4)), 0), 0);
	if (percent(30)) /* which is set first, and is loaded to next */
		set_slot(m, 7, address), make_at(m);
	address = make_xlate(m, IR_ACCESS_R, 0, address, disp, ir_type_bits(memory) / 8);
	keep(m, ir_load(&m->b, type, IR_MEM(memory, memory <= IR_I64 && below(2), IR_RELAXED), address, disp));
}

static void
loop_store(struct maker *m)
{
	enum ir_type type = percent(25) ? (percent(50) ? IR_F64 : IR_F32) : any_int_type(), memory = type;
	ir_ref address, value = loop_value(m, type);
	int32_t disp;

	if (type <= IR_I64)
		memory = (enum ir_type)(IR_I8 + below(type - IR_I8 + 1));
	else if (percent(50) && type == IR_F64)
		memory = IR_F32;
	address = make_address(m, &disp, ir_type_bits(memory) / 8);
	address = make_xlate(m, IR_ACCESS_W, 0, address, disp, ir_type_bits(memory) / 8);
	ir_store(&m->b, IR_MEM(memory, 0, IR_RELAXED), address, value, disp);
}

static void
loop_instruction(struct maker *m)
{
	bool fp = percent(m->fp);

	make_at(m);
	if (percent(m->memory))
		loop_load(m);
	for (unsigned n = 1 + below(3); n > 0; n--) {
		if (fp && percent(70))
			loop_fp_op(m); /* raises flags: nothing may fault behind it */
		else
			loop_int_op(m);
	}
	if (!fp && percent(m->memory))
		loop_store(m);
	if (fp && percent(10)) {
		make(m, IR_AND, IR_I64, 0, ir_emit(&m->b, IR_FPFLAGS_GET, IR_I64, 0, 0, 0, 0), ir_const(&m->b, IR_I64, ~32ull), 0);
		if (percent(50)) {
			ir_emit(&m->b, IR_FPFLAGS_SET, IR_VOID, 0, loop_value(m, IR_I64), 0, 0);
			return;
		}
	}
	for (unsigned n = below(3); n > 0; n--)
		make_set(m);
}

static int32_t
somewhere(const struct maker *m, unsigned pieces)
{
	int64_t to = percent(70) ? TOY_PC + (int64_t)PIECE_SPAN * below(pieces) : TOY_PC + OUTSIDE + 4 * (int64_t)below(64);

	return (int32_t)(to - (int64_t)m->region.pc);
}

static void
side_exit(struct maker *m, ir_ref condition, int32_t to)
{
	uint32_t away = m->region.block_count;

	ir_br(&m->b, condition, away, away + 1);
	ir_block(&m->b, true);
	ir_exit_jump(&m->b, to);
	ir_block(&m->b, true);
}

static void
make_piece(struct maker *m, unsigned number, unsigned pieces)
{
	ir_ref fuel;

	toy_begin(&m->b, &m->region);
	m->region.pc = TOY_PC + (uint64_t)PIECE_SPAN * number;
	memset(m->count, 0, sizeof m->count);
	m->raw = percent(20);
	m->flags = m->vectors = 0;
	m->pc = 0;
	make_at(m);
	fuel = ir_binary(&m->b, IR_SUB, ir_get(&m->b, FUEL), ir_const(&m->b, IR_I64, 1));
	ir_set(&m->b, FUEL, fuel);
	make_at(m);
	side_exit(m, ir_icmp(&m->b, IR_I64, IR_EQ, fuel, ir_const(&m->b, IR_I64, 0)), OUTSIDE);
	for (unsigned n = below(8); n > 0; n--) {
		loop_instruction(m);
		if (!percent(25))
			continue;
		make_at(m);
		side_exit(m, percent(70) ? make(m, IR_ICMP, IR_I64, below(IR_UGE + 1), loop_value(m, IR_I64), loop_value(m, IR_I64), 0)
					 : loop_value(m, IR_I64), somewhere(m, pieces));
	}
	make_at(m);
	if (percent(5))
		ir_exit_call(&m->b, OUTSIDE, m->pc);
	else if (percent(5))
		ir_exit_trap(&m->b, IR_TRAP_SYSCALL, m->pc - 4, m->pc);
	else
		ir_exit_jump(&m->b, somewhere(m, pieces));
	ir_build_end(&m->b);
	/* Fuel and stop are nobody else's. */
	for (ir_ref ref = 1; ref < m->region.ins_count; ref++) {
		struct ir_ins *ins = &m->region.ins[ref];

		if ((ins->op == IR_GET || ins->op == IR_SET) && (ins->aux == STOP || (ins->aux == FUEL && ins->a != fuel && ins->op == IR_SET)))
			ins->aux = 17;
	}
}

/* ---- comparing ------------------------------------------------------------------- */

/* The joined region with a trap before each instruction at the delta, taken when the
 * slot STOP has come down to 0. */
static bool
with_stop(struct ir_region *out, const struct ir_region *in, int32_t delta)
{
	ir_ref *renamed = arena_alloc(&pass_arena, in->ins_count * sizeof *renamed);
	struct ir_builder b;

	toy_begin(&b, out);
	for (uint32_t i = 0; i < in->block_count; i++) {
		const struct ir_block *block = &in->block[i];
		const uint32_t *list;
		uint32_t count;
		ir_ref end = block->first + block->count - 1;

		if (i)
			ir_block(&b, false);
		for (ir_ref ref = block->first; ref < end; ref++) {
			const struct ir_ins *ins = &in->ins[ref];
			const char *k = ir_op_info[ins->op].operands;

			renamed[ref] = ir_emit(&b, (enum ir_op)ins->op, (enum ir_type)ins->type, ins->aux,
					       k[0] != '.' ? renamed[ins->a] : ins->a, k[1] != '.' ? renamed[ins->b] : ins->b,
					       k[2] != '.' && k[2] != 'D' ? renamed[ins->c] : ins->c);
			if (ins->op == IR_AT && ins->imm == delta) {
				ir_ref left = ir_emit(&b, IR_SUB, IR_I64, 0, ir_emit(&b, IR_GET, IR_I64, STOP, 0, 0, 0),
						      ir_const(&b, IR_I64, 1), 0);

				ir_emit(&b, IR_SET, IR_VOID, STOP, left, 0, 0);
				ir_check(&b, IR_TRAP_BREAKPOINT, ir_icmp(&b, IR_I64, IR_EQ, left, ir_const(&b, IR_I64, 0)), 0);
			}
		}
		if (in->ins[end].op == IR_BR)
			ir_br(&b, renamed[in->ins[end].a], ir_target(in, end, 0, &list, &count), ir_target(in, end, 1, &list, &count));
		else if (in->ins[end].op == IR_GOTO)
			ir_goto(&b, ir_target(in, end, 0, &list, &count), 0, NULL);
		else
			ir_exit_jump(&b, ir_exit_of(in, end).target);
	}
	return ir_build_end(&b);
}

/* The state is the evaluator's at some visit of the instruction. */
static bool
visited(const struct ir_region *joined, unsigned how, const struct outcome *out)
{
	struct ir_region stopped;
	struct ir_eval eval;
	uint64_t stop;

	memcpy(&stop, start_frame.guest + toy_slot[STOP].offset, sizeof stop);
	if (!with_stop(&stopped, joined, (int32_t)(out->pc - joined->pc)))
		return false;
	for (uint64_t n = 1; n < 64; n++) {
		bool good;

		slot_write(STOP, n);
		good = toy_eval(&stopped, how, &eval);
		slot_write(STOP, stop);
		if (!good || eval.kind != IR_EXIT_TRAP || eval.trap != IR_TRAP_BREAKPOINT)
			break;
		memcpy(eval_frame.guest + toy_slot[STOP].offset, &stop, sizeof stop);
		if (!memcmp(eval_frame.guest + toy_slot[FUEL].offset, host_frame.guest + toy_slot[FUEL].offset, 8))
			return same_state(true);
	}
	return same("visit", 0, 1);
}

static bool
compare(const struct ir_region *joined, const struct ir_region *clean, unsigned how, struct outcome *out)
{
	struct ir_eval eval;
	bool good;

	memset(out, 0, sizeof *out);
	out->compiled = toy_compile(clean, how | HOW_LOOP);
	if (out->compiled != TARGET_OK)
		return out->compiled == TARGET_UNSUPPORTED;
	toy_enter(clean, how, out);
	if (out->kind == CODE_EXIT_INTERPRET || out->kind == CODE_EXIT_POLL || forced_taken) {
		good = visited(joined, how, out);
		return good;
	}
	good = toy_eval(joined, how, &eval);
	good &= same("pc", out->pc, eval_frame.pc);
	good &= same("kind", out->kind, eval.before ? (unsigned)OUT_FAULT : eval.kind);
	good &= same_state(false);
	return good;
}

/* The pieces that the first one leads to, which comes first. */
static unsigned
reached(unsigned pieces, const struct ir_region **piece)
{
	bool in[PIECES] = { true };
	unsigned count = 0;

	for (bool more = true; more;) {
		more = false;
		for (unsigned i = 0; i < pieces; i++)
			for (ir_ref ref = 1; in[i] && ref < maker[i].region.ins_count; ref++) {
				struct ir_exit out = { .kind = IR_EXIT_CALL };
				uint64_t to;

				if (maker[i].region.ins[ref].op == IR_EXIT)
					out = ir_exit_of(&maker[i].region, ref);
				to = (maker[i].region.pc + (uint64_t)(int64_t)out.target - TOY_PC) / PIECE_SPAN;
				if (out.kind != IR_EXIT_JUMP || to >= pieces || in[to])
					continue;
				in[to] = more = true;
			}
	}
	for (unsigned i = 0; i < pieces; i++)
		if (in[i])
			piece[count++] = &maker[i].region;
	return count;
}

static bool
well_formed(const struct ir_region *region, const char *what)
{
	struct error error = { 0 };

	if (!ir_verify(region, &error))
		return true;
	fprintf(stderr, "%s: %s\n", what, error.text);
	toy_print(region);
	return false;
}

static void
tell(const struct ir_region *joined, const struct ir_region *clean, unsigned how, uint64_t at_seed, struct outcome *out)
{
	static char text[1 << 18];

	fprintf(stderr, "seed %#" PRIx64 "%s, exit %u to %#" PRIx64 "%s\n", at_seed, how & HOW_FORCED ? " forced" : "", out->kind,
		out->pc, start_frame.poll ? " poll" : "");
	toy_show = true;
	compare(joined, clean, how, out);
	toy_show = false;
	ir_print(joined, text, sizeof text);
	fprintf(stderr, "%s\n", text);
	ir_print(clean, text, sizeof text);
	fprintf(stderr, "%s\n", text);
	toy_dump();
}

static bool
one(void)
{
	static struct ir_region joined, promoted, clean;
	const struct ir_region *piece[PIECES];
	uint64_t at_seed = seed;
	unsigned how = percent(30) ? HOW_FORCED : 0, pieces = 1 + below(PIECES);
	struct outcome out;
	bool good;

	arena_reset(&region_arena);
	arena_reset(&pass_arena);
	toy_random_state(how);
	slot_write(FUEL, 1 + below(24));
	start_frame.poll = percent(10);
	for (unsigned i = 0; i < pieces; i++) {
		struct maker *m = &maker[i];

		m->fp = percent(50) ? 0 : below(60);
		m->memory = percent(20) ? 0 : below(50);
		m->reach = 1 + below(12);
		make_piece(m, i, pieces);
		if (!CHECK(well_formed(&m->region, "piece")))
			return false;
	}
	pieces = reached(pieces, piece);
	if (!CHECK(opt_join(&joined, &pass_arena, piece, pieces)) || !CHECK(well_formed(&joined, "joined")))
		return false;
	if (!opt_promote(&promoted, &joined, &pass_arena)) {
		unsupported++;
		return true;
	}
	if (!CHECK(well_formed(&promoted, "promoted")) || !CHECK(opt_clean(&clean, &promoted, &pass_arena)) ||
	    !CHECK(well_formed(&clean, "clean")))
		return false;
	good = compare(&joined, &clean, how, &out);
	if (!CHECK(good)) {
		tell(&joined, &clean, how, at_seed, &out);
		return false;
	}
	compiled += out.compiled == TARGET_OK;
	unsupported += out.compiled == TARGET_UNSUPPORTED;
	partial += out.kind == CODE_EXIT_INTERPRET || (forced_taken && out.compiled == TARGET_OK);
	polled += out.kind == CODE_EXIT_POLL;
	faults += out.kind == OUT_FAULT && !forced_taken;
	return true;
}

int
main(int argc, char **argv)
{
	unsigned long loops = argc > 2 ? strtoul(argv[2], NULL, 0) : 4000;

	if (argc > 1)
		seed = strtoull(argv[1], NULL, 0);
	seed |= seed == 0;
	printf("seed %#" PRIx64 "\n", seed);
	if (!toy_init())
		return check_done();
	toy_choose(false);
	for (unsigned long i = 0; i < loops && one(); i++)
		;
	printf("%lu compiled, %lu unsupported, %lu left in the middle, %lu polled, %lu faulted\n", compiled, unsupported,
	       partial, polled, faults);
	CHECK(unsupported * 5 < loops);
	return check_done();
}
