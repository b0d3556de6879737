/* Integer code from the x86-64 assembler, run on this machine and compared with
 * C. Instructions that the host lacks are left out, and counted. */
#include "x86_run.h"

static int skipped;

static uint64_t
cut(uint64_t value, int size)
{
	return size == 8 ? value : value & ((1ull << size * 8) - 1);
}

static int64_t
sign(uint64_t value, int size)
{
	return (int64_t)(value << (64 - size * 8)) >> (64 - size * 8);
}

/* What a register holds after an operation of this size wrote result to it. */
static uint64_t
merge(uint64_t old, uint64_t result, int size)
{
	return size >= 4 ? cut(result, size) : cut(result, size) | (old & ~cut(UINT64_MAX, size));
}

/* ---- integers ----------------------------------------------------------- */

static uint64_t
alu(enum x86_alu op, uint64_t x, uint64_t y, int size, int *flags)
{
	u128 wide = 0;
	int64_t sx = sign(x, size), sy = sign(y, size);
	s128 exact = 0;
	uint64_t result;
	int carry = *flags & CF;

	x = cut(x, size);
	y = cut(y, size);
	switch (op) {
	case X86_ADD:
	case X86_ADC:
		carry = op == X86_ADC ? carry : 0;
		wide = (u128)x + y + (unsigned)carry;
		exact = (s128)sx + sy + carry;
		break;
	case X86_SUB:
	case X86_CMP:
	case X86_SBB:
		carry = op == X86_SBB ? carry : 0;
		wide = (u128)x - y - (unsigned)carry;
		exact = (s128)sx - sy - carry;
		break;
	case X86_AND:
		wide = x & y;
		exact = sx & sy;
		break;
	case X86_OR:
		wide = x | y;
		exact = sx | sy;
		break;
	case X86_XOR:
		wide = x ^ y;
		exact = sx ^ sy;
		break;
	}
	result = cut((uint64_t)wide, size);
	*flags = (wide >> size * 8 & 1 ? CF : 0) | (result ? 0 : ZF) |
		 (sign(result, size) < 0 ? SF : 0) | (exact != sign(result, size) ? OF : 0) |
		 (__builtin_parity((unsigned)result & 0xff) ? 0 : PF);
	return result;
}

/* Random registers other than RDI and RSP, all different. */
static void
pick(int *chosen, int count)
{
	static const int usable[] = { RAX, RCX, RDX, RSI, R8, R9, R10, R11 };

	for (int i = 0; i < count; i++) {
		bool fresh;

		do {
			fresh = true;
			chosen[i] = usable[random64() % ARRAY_LEN(usable)];
			for (int k = 0; k < i; k++)
				fresh &= chosen[k] != chosen[i];
		} while (!fresh);
	}
}

static void
test_alu(void)
{
	for (int i = 0; i < 4000; i++) {
		enum x86_alu op = random64() % 8;
		int size = 1 << random64() % 4, form = random64() % 5, g[2], flags = random64() & CF;
		int32_t imm = (int32_t)sign(interesting(), size < 4 ? size : 4);
		uint64_t x = interesting(), y = form >= 3 ? (uint64_t)(int64_t)imm : interesting(), want;

		pick(g, 2);
		io.in[0] = x;
		io.in[1] = y;
		begin();
		x86_mov_rm(a, 8, g[0], IO(in[0]));
		x86_mov_rm(a, 8, g[1], IO(in[1]));
		flags & CF ? x86_stc(a) : x86_clc(a);
		switch (form) {
		case 0:
			x86_alu_rr(a, op, size, g[0], g[1]);
			break;
		case 1:
			x86_alu_rm(a, op, size, g[0], IO(in[1]));
			break;
		case 2:
			x86_alu_mr(a, op, size, IO(in[0]), g[1]);
			break;
		case 3:
			x86_alu_ri(a, op, size, g[0], imm);
			break;
		case 4:
			x86_alu_mi(a, op, size, IO(in[0]), imm);
			break;
		}
		x86_mov_mr(a, 8, IO(out[0]), g[0]);
		store_flags();
		run();
		want = alu(op, x, y, size, &flags);
		want = op == X86_CMP ? x
		       : form == 2 || form == 4 ? (x & ~cut(UINT64_MAX, size)) | want
						: merge(x, want, size);
		CHECK_INT(form == 2 || form == 4 ? io.in[0] : io.out[0], want);
		CHECK_INT(io.flags & (CF | PF | ZF | SF | OF), flags);
	}
}

/* test with an immediate may shrink the operand: the flags must not change. */
static void
test_test_flags(void)
{
	for (int i = 0; i < 1000; i++) {
		int size = 1 << random64() % 4, g[1], flags = 0;
		int32_t imm = (int32_t)sign(interesting(), size < 4 ? size : 4);

		pick(g, 1);
		io.in[0] = interesting();
		begin();
		x86_mov_rm(a, 8, g[0], IO(in[0]));
		x86_test_ri(a, size, g[0], imm);
		store_flags();
		run();
		alu(X86_AND, io.in[0], (uint64_t)(int64_t)imm, size, &flags);
		CHECK_INT(io.flags & (CF | PF | ZF | SF | OF), flags);
	}
}

static uint64_t
shift(enum x86_shift op, uint64_t x, int n, int size)
{
	int bits = size * 8;
	uint64_t v = cut(x, size);

	n &= size == 8 ? 63 : 31;
	switch (op) {
	case X86_SHL:
		return n >= bits ? 0 : cut(v << n, size);
	case X86_SHR:
		return n >= bits ? 0 : v >> n;
	case X86_SAR:
		return cut((uint64_t)(sign(v, size) >> (n >= bits ? bits - 1 : n)), size);
	case X86_ROL:
	case X86_RCL:
		n %= bits;
		return n ? cut(v << n, size) | v >> (bits - n) : v;
	case X86_ROR:
	case X86_RCR:
		n %= bits;
		return n ? v >> n | cut(v << (bits - n), size) : v;
	}
	return 0;
}

static void
test_shifts(void)
{
	static const enum x86_shift ops[] = { X86_ROL, X86_ROR, X86_SHL, X86_SHR, X86_SAR };

	for (int i = 0; i < 2000; i++) {
		enum x86_shift op = ops[random64() % ARRAY_LEN(ops)];
		int size = 1 << random64() % 4, n = (int)(random64() & 127), d = i & 1 ? R9 : RSI;

		io.in[0] = interesting();
		begin();
		x86_mov_rm(a, 8, d, IO(in[0]));
		x86_mov_ri(a, RCX, (uint64_t)n);
		if (i & 2)
			x86_shift_rc(a, op, size, d);
		else
			x86_shift_ri(a, op, size, d, n &= size * 8 - 1);
		x86_mov_mr(a, 8, IO(out[0]), d);
		run();
		CHECK_INT(io.out[0], merge(io.in[0], shift(op, io.in[0], n, size), size));
		if (size < 4)
			continue;
		if (!cpu.bmi2) {
			skipped++;
			continue;
		}
		begin();
		x86_mov_ri(a, RDX, (uint64_t)n);
		if (op == X86_SHL)
			x86_shlx_rmr(a, size, d, IO(in[0]), RDX);
		else if (op == X86_SHR)
			x86_shrx_rmr(a, size, d, IO(in[0]), RDX);
		else if (op == X86_SAR)
			x86_sarx_rmr(a, size, d, IO(in[0]), RDX);
		else
			continue;
		x86_mov_mr(a, 8, IO(out[0]), d);
		run();
		CHECK_INT(io.out[0], shift(op, io.in[0], n, size));
	}
}

/* Constants in every length, and that mov keeps the flags. */
static void
test_constants(void)
{
	for (int i = 0; i < 500; i++) {
		uint64_t v = random64() & 1 ? interesting() : -interesting();
		int g[1];

		pick(g, 1);
		begin();
		x86_mov_ri(a, g[0], ~v);
		x86_stc(a);
		i & 1 ? x86_mov_ri(a, g[0], v) : x86_movabs_ri(a, g[0], v);
		x86_mov_mr(a, 8, IO(out[0]), g[0]);
		store_flags();
		x86_set_ri(a, g[0], v);
		x86_mov_mr(a, 8, IO(out[1]), g[0]);
		run();
		CHECK_INT(io.out[0], v);
		CHECK_INT(io.out[1], v);
		CHECK_INT(io.flags & CF, CF);
	}
}

static void
test_extend(void)
{
	for (int from = 1; from <= 8; from *= 2)
		for (int i = 0; i < 100; i++) {
			int g[2], to = from == 8 || i & 1 ? 8 : 4;

			pick(g, 2);
			io.in[0] = interesting();
			begin();
			x86_mov_rm(a, 8, g[0], IO(in[0]));
			i & 2 ? x86_movzx_rr(a, from, g[1], g[0])
			      : x86_movzx_rm(a, from, g[1], IO(in[0]));
			x86_mov_mr(a, 8, IO(out[0]), g[1]);
			i & 2 ? x86_movsx_rr(a, to, from, g[1], g[0])
			      : x86_movsx_rm(a, to, from, g[1], IO(in[0]));
			x86_mov_mr(a, 8, IO(out[1]), g[1]);
			run();
			CHECK_INT(io.out[0], cut(io.in[0], from));
			CHECK_INT(io.out[1], cut((uint64_t)sign(io.in[0], from), to));
		}
}

static void
test_multiply_divide(void)
{
	for (int i = 0; i < 1000; i++) {
		uint64_t x = interesting(), y = interesting();
		u128 product = (u128)x * y;
		s128 sproduct = (s128)(int64_t)x * (int64_t)y;

		io.in[0] = x;
		io.in[1] = y;
		begin();
		x86_mov_rm(a, 8, RAX, IO(in[0]));
		x86_mov_rm(a, 8, R10, IO(in[1]));
		i & 1 ? x86_mul_r(a, 8, R10) : x86_imul_m(a, 8, IO(in[1]));
		x86_mov_mr(a, 8, IO(out[0]), RAX);
		x86_mov_mr(a, 8, IO(out[1]), RDX);
		x86_mov_rm(a, 8, RAX, IO(in[0]));
		x86_imul_rr(a, 4, RAX, R10);
		x86_imul_rri(a, 8, RAX, RAX, -7);
		x86_mov_mr(a, 8, IO(memory[0]), RAX);
		run();
		CHECK_INT(io.out[0], (uint64_t)product);
		CHECK_INT(io.out[1], i & 1 ? (uint64_t)(product >> 64) : (uint64_t)(sproduct >> 64));
		uint64_t small;
		memcpy(&small, io.memory, 8);
		CHECK_INT(small, cut(x * y, 4) * (uint64_t)-7);
		if (!y || (y == UINT64_MAX && x == 1ull << 63))
			continue;
		begin();
		x86_mov_rm(a, 8, RAX, IO(in[0]));
		if (i & 1)
			x86_set_ri(a, RDX, 0), x86_div_m(a, 8, IO(in[1]));
		else
			x86_cdq(a, 8), x86_idiv_m(a, 8, IO(in[1]));
		x86_mov_mr(a, 8, IO(out[0]), RAX);
		x86_mov_mr(a, 8, IO(out[1]), RDX);
		run();
		CHECK_INT(io.out[0], i & 1 ? x / y : (uint64_t)((int64_t)x / (int64_t)y));
		CHECK_INT(io.out[1], i & 1 ? x % y : (uint64_t)((int64_t)x % (int64_t)y));
	}
}

static void
test_bits(void)
{
	for (int i = 0; i < 500; i++) {
		uint64_t v = interesting(), w = interesting();

		io.in[0] = v;
		io.in[1] = w;
		begin();
		x86_popcnt_rm(a, 8, RAX, IO(in[0]));
		x86_mov_mr(a, 8, IO(out[0]), RAX);
		x86_mov_rm(a, 8, R9, IO(in[0]));
		x86_bswap_r(a, 8, R9);
		x86_mov_mr(a, 8, IO(out[1]), R9);
		run();
		CHECK_INT(io.out[0], __builtin_popcountll(v));
		CHECK_INT(io.out[1], __builtin_bswap64(v));
		if (!cpu.bmi1 || !cpu.bmi2 || !cpu.lzcnt) {
			skipped++;
			continue;
		}
		begin();
		x86_lzcnt_rm(a, 8, RAX, IO(in[0]));
		x86_mov_mr(a, 8, IO(out[0]), RAX);
		x86_tzcnt_rm(a, 4, R11, IO(in[0]));
		x86_mov_mr(a, 8, IO(out[1]), R11);
		x86_mov_rm(a, 8, RCX, IO(in[0]));
		x86_andn_rrm(a, 8, R8, RCX, IO(in[1]));
		x86_rorx_rri(a, 8, R8, R8, 20);
		x86_mov_mr(a, 8, IO(flags), R8);
		x86_mov_rr(a, 8, RDX, RCX);
		x86_mulx_rrm(a, 8, RAX, R10, IO(in[1]));
		x86_mov_mr(a, 8, IO(in[2]), RAX);
		x86_mov_mr(a, 8, IO(in[3]), R10);
		run();
		CHECK_INT(io.out[0], v ? __builtin_clzll(v) : 64);
		CHECK_INT(io.out[1], (uint32_t)v ? __builtin_ctz((uint32_t)v) : 32);
		CHECK_INT(io.flags, shift(X86_ROR, ~v & w, 20, 8));
		CHECK_INT(io.in[2], (uint64_t)((u128)v * w >> 64));
		CHECK_INT(io.in[3], v * w);
	}
}

static void
test_conditions(void)
{
	for (int i = 0; i < 1600; i++) {
		enum x86_cc cc = (enum x86_cc)(i & 15);
		uint64_t x = interesting(), y = i & 16 ? x : interesting();
		int flags = 0;
		uint8_t *field;
		bool want;

		alu(X86_CMP, x, y, 8, &flags);
		const bool truth[] = {
			flags & OF, x < y, x == y, x <= y, flags & SF, flags & PF,
			(int64_t)x < (int64_t)y, (int64_t)x <= (int64_t)y,
		};
		want = truth[cc >> 1] != (cc & 1);
		io.in[0] = x;
		io.in[1] = y;
		begin();
		x86_mov_rm(a, 8, RSI, IO(in[0]));
		x86_mov_ri(a, R9, 0x1100);
		x86_mov_ri(a, RDX, 5);
		x86_cmp_rm(a, 8, RSI, IO(in[1]));
		x86_setcc_r(a, cc, R9);
		x86_mov_mr(a, 8, IO(out[0]), R9);
		x86_cmov_rm(a, cc, 8, RDX, IO(in[0]));
		field = i & 32 ? x86_jcc_forward(a, cc) : x86_jcc_short(a, cc);
		x86_mov_ri(a, RDX, 77);
		i & 32 ? x86_patch_rel32(field, a->p) : x86_patch_rel8(field, a->p);
		x86_mov_mr(a, 8, IO(out[1]), RDX);
		run();
		CHECK_INT(io.out[0], 0x1100 | want);
		CHECK_INT(io.out[1], want ? x : 77);
	}
}

/* A backward loop, calls patched, known and indirect. */
static void
test_flow(void)
{
	uint8_t *function, *skip, *loop, *call;

	begin();
	x86_mov_ri(a, RCX, 10);
	x86_set_ri(a, RAX, 0);
	skip = x86_jmp_forward(a);
	function = a->p;
	x86_lea(a, 8, RAX, x86_index(RAX, RCX, 1, 3)); /* rax += 2 rcx + 3 */
	x86_ret(a);
	x86_patch_rel32(skip, a->p);
	loop = a->p;
	call = x86_call_patchable(a, a->p);
	x86_patch_rel32_atomic(call, function);
	x86_sub_ri(a, 8, RCX, 1);
	x86_jcc(a, X86_CC_NE, loop);
	x86_lea(a, 8, R9, x86_rip((int32_t)(function - a->start)));
	x86_push_r(a, R9);
	x86_call_m(a, x86_base(RSP, 0));
	x86_pop_r(a, R9);
	x86_mov_mr(a, 8, IO(out[0]), RAX);
	run();
	CHECK_INT(io.out[0], 2 * 55 + 3 * 10 + 3);
}

static void
test_atomics(void)
{
	uint64_t pair[2] = { 7, 8 };

	io.in[0] = 100;
	memcpy(io.memory, pair, 16);
	begin();
	x86_push_r(a, RBX);
	x86_mov_ri(a, RCX, 5);
	x86_lock(a), x86_xadd_mr(a, 8, IO(in[0]), RCX);
	x86_mov_mr(a, 8, IO(out[0]), RCX);
	x86_mov_ri(a, RAX, 105);
	x86_mov_ri(a, R8, 9);
	x86_lock(a), x86_cmpxchg_mr(a, 8, IO(in[0]), R8);
	x86_mov_ri(a, RAX, 7);
	x86_mov_ri(a, RDX, 8);
	x86_mov_ri(a, RBX, 11);
	x86_mov_ri(a, RCX, 12);
	x86_lock(a), x86_cmpxchg16b_m(a, IO(memory));
	store_flags();
	x86_mfence(a);
	x86_pop_r(a, RBX);
	run();
	memcpy(pair, io.memory, 16);
	CHECK_INT(io.out[0], 100);
	CHECK_INT(io.in[0], 9);
	CHECK_INT(pair[0], 11);
	CHECK_INT(pair[1], 12);
	CHECK_INT(io.flags & ZF, ZF);
}

int
main(void)
{
	if (!run_init())
		return check_done();
	test_alu();
	test_test_flags();
	test_shifts();
	test_constants();
	test_extend();
	test_multiply_divide();
	test_bits();
	test_conditions();
	test_flow();
	test_atomics();
	if (skipped)
		printf("%d snippets left out: this host lacks BMI\n", skipped);
	return check_done();
}
