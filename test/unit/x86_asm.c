/* The x86-64 assembler's integer encodings against GNU as and objdump. */
#include "x86_text.h"

/* Registers that need something: none, SIB as base, displacement as base, REX
 * as byte; and the same above 8. */
static const int regs[] = { RAX, RCX, RBX, RSP, RBP, RDI, R8, R12, R13, R15 };
static const int sizes[] = { 1, 2, 4, 8 };

#define EACH(v, array) \
	for (int v##_i = 0, v = (array)[0]; v##_i < (int)ARRAY_LEN(array); \
	     v = (array)[++v##_i < (int)ARRAY_LEN(array) ? v##_i : 0])

/* Memory operands of every shape; the first few are enough for most uses. */
static struct x86_mem mems[300];
static int mem_count;
#define FEW 6

static void
add_mem(struct x86_mem mem)
{
	mems[mem_count++] = mem;
}

static void
make_mems(void)
{
	static const int32_t disps[] = { 0, 127, -128, 128, -129, 0x7fffffff };
	static const int indexes[] = { RAX, RBP, RSI, R12, R13, R15 };

	add_mem(x86_base(RAX, 0));
	add_mem(x86_base(R13, 0));
	add_mem(x86_base(RSP, 8));
	add_mem(x86_index(R12, R9, 3, 0x1234));
	add_mem(x86_scaled(R14, 2, -4));
	add_mem(x86_absolute(0x1000));
	for (int base = RAX; base <= R15; base++)
		EACH(disp, disps)
			add_mem(x86_base(base, disp));
	EACH(base, regs)
		EACH(index, indexes)
			add_mem(x86_index(base, index, (unsigned)(base + index) & 3,
					  disps[(base + index) % 6]));
	EACH(index, indexes)
		add_mem(x86_scaled(index, 1, 0));
	add_mem(x86_absolute(-8));
}

static void
test_mov(void)
{
	for (int d = RAX; d <= R15; d++)
		for (int s = RAX; s <= R15; s++)
			EACH(size, sizes)
				EMIT("mov %s, %s", r(size, d), r(size, s)) x86_mov_rr(a, size, d, s);
	for (int i = 0; i < mem_count; i++)
		EACH(size, sizes) {
			int g = (i * 7 + size) & 15;
			struct x86_mem mem = mems[i];

			EMIT("mov %s, %s", r(size, g), m(size, mem)) x86_mov_rm(a, size, g, mem);
			EMIT("mov %s, %s", m(size, mem), r(size, g)) x86_mov_mr(a, size, mem, g);
			EMIT("mov %s, %d", m(size, mem), 0x5a) x86_mov_mi(a, size, mem, 0x5a);
			if (size != 1)
				EMIT("lea %s, %s", r(size, g), m(0, mem)) x86_lea(a, size, g, mem);
		}
	EMIT("mov qword ptr [rax], -2") x86_mov_mi(a, 8, x86_base(RAX, 0), -2);
	EMIT("mov word ptr [rax], 0x1234") x86_mov_mi(a, 2, x86_base(RAX, 0), 0x1234);
}

static void
test_mov_immediate(void)
{
	static const uint64_t values[] = { 1, 0x7fffffff, 0x80000000, 0xffffffff,
					   0x100000000, 0x123456789abcdef0 };

	EACH(d, regs) {
		for (size_t i = 0; i < ARRAY_LEN(values); i++)
			EMIT("%s %s, %#" PRIx64, values[i] >> 32 ? "movabs" : "mov",
			     r(values[i] >> 32 ? 8 : 4, d), values[i]) x86_mov_ri(a, d, values[i]);
		EMIT("mov %s, -1", r(8, d)) x86_mov_ri(a, d, UINT64_MAX);
		EMIT("mov %s, -0x80000000", r(8, d)) x86_mov_ri(a, d, 0xffffffff80000000);
		EMIT("mov %s, 0", r(4, d)) x86_mov_ri(a, d, 0);
		EMIT("xor %s, %s", r(4, d), r(4, d)) x86_set_ri(a, d, 0);
		EMIT("mov %s, 7", r(4, d)) x86_set_ri(a, d, 7);
		EMIT("movabs %s, 7", r(8, d)) x86_movabs_ri(a, d, 7);
	}
}

static void
test_extend(void)
{
	EACH(d, regs)
		EACH(s, regs) {
			EMIT("movzx %s, %s", r(4, d), r(1, s)) x86_movzx_rr(a, 1, d, s);
			EMIT("movzx %s, %s", r(4, d), r(2, s)) x86_movzx_rr(a, 2, d, s);
			EMIT("mov %s, %s", r(4, d), r(4, s)) x86_movzx_rr(a, 4, d, s);
			EMIT("mov %s, %s", r(8, d), r(8, s)) x86_movzx_rr(a, 8, d, s);
			for (int to = 2; to <= 8; to *= 2)
				for (int from = 1; from < to && from < 4; from *= 2)
					EMIT("movsx %s, %s", r(to, d), r(from, s))
						x86_movsx_rr(a, to, from, d, s);
			EMIT("movsxd %s, %s", r(8, d), r(4, s)) x86_movsx_rr(a, 8, 4, d, s);
			EMIT("mov %s, %s", r(4, d), r(4, s)) x86_movsx_rr(a, 4, 4, d, s);
		}
	for (int i = 0; i < mem_count; i += 3) {
		struct x86_mem mem = mems[i];
		int d = i & 15;

		EMIT("movzx %s, %s", r(4, d), m(1, mem)) x86_movzx_rm(a, 1, d, mem);
		EMIT("movzx %s, %s", r(4, d), m(2, mem)) x86_movzx_rm(a, 2, d, mem);
		EMIT("mov %s, %s", r(4, d), m(4, mem)) x86_movzx_rm(a, 4, d, mem);
		EMIT("movsx %s, %s", r(8, d), m(1, mem)) x86_movsx_rm(a, 8, 1, d, mem);
		EMIT("movsx %s, %s", r(4, d), m(2, mem)) x86_movsx_rm(a, 4, 2, d, mem);
		EMIT("movsx %s, %s", r(2, d), m(1, mem)) x86_movsx_rm(a, 2, 1, d, mem);
		EMIT("movsxd %s, %s", r(8, d), m(4, mem)) x86_movsx_rm(a, 8, 4, d, mem);
		EMIT("mov %s, %s", r(8, d), m(8, mem)) x86_movsx_rm(a, 8, 8, d, mem);
	}
}

/* Every form of one of the eight; the named functions, not x86_alu_*. */
#define TEST_ALU(name)                                                                         \
	static void test_##name(void)                                                          \
	{                                                                                      \
		static const int32_t imms[] = { 0, 1, -1, 127, -128, 128, -129, 0x1234567 };   \
		EACH(size, sizes) {                                                            \
			EACH(d, regs) {                                                        \
				EACH(s, regs)                                                  \
					EMIT(#name " %s, %s", r(size, d), r(size, s))          \
						x86_##name##_rr(a, size, d, s);                \
				EACH(imm, imms) {                                              \
					int32_t i = size == 1 ? (int8_t)imm                    \
						    : size == 2 ? (int16_t)imm : imm;          \
					EMIT(#name " %s, %d", r(size, d), i)                   \
						x86_##name##_ri(a, size, d, i);                \
				}                                                              \
			}                                                                      \
			for (int k = 0; k < FEW; k++) {                                        \
				int g = (k * 5 + size) & 15;                                   \
				EMIT(#name " %s, %s", r(size, g), m(size, mems[k]))            \
					x86_##name##_rm(a, size, g, mems[k]);                  \
				EMIT(#name " %s, %s", m(size, mems[k]), r(size, g))            \
					x86_##name##_mr(a, size, mems[k], g);                  \
				EMIT(#name " %s, -3", m(size, mems[k]))                        \
					x86_##name##_mi(a, size, mems[k], -3);                 \
				if (size > 1)                                                  \
					EMIT(#name " %s, 0x300", m(size, mems[k]))             \
						x86_##name##_mi(a, size, mems[k], 0x300);      \
			}                                                                      \
		}                                                                              \
	}

TEST_ALU(add)
TEST_ALU(or)
TEST_ALU(adc)
TEST_ALU(sbb)
TEST_ALU(and)
TEST_ALU(sub)
TEST_ALU(xor)
TEST_ALU(cmp)

static void
test_test(void)
{
	EACH(d, regs) {
		EACH(size, sizes) {
			EACH(s, regs)
				EMIT("test %s, %s", r(size, d), r(size, s)) x86_test_rr(a, size, d, s);
			EMIT("test %s, 0x7f", r(1, d)) x86_test_ri(a, size, d, 0x7f);
			EMIT("test %s, -1", r(size, d)) x86_test_ri(a, size, d, -1);
		}
		EMIT("test %s, 0x80", r(1, d)) x86_test_ri(a, 1, d, 0x80);
		EMIT("test %s, 0x80", r(2, d)) x86_test_ri(a, 2, d, 0x80);
		EMIT("test %s, 0x80", r(4, d)) x86_test_ri(a, 4, d, 0x80);
		EMIT("test %s, 0x12345", r(4, d)) x86_test_ri(a, 8, d, 0x12345);
	}
	EACH(size, sizes)
		for (int k = 0; k < FEW; k++) {
			EMIT("test %s, %s", m(size, mems[k]), r(size, k + 4))
				x86_test_mr(a, size, mems[k], k + 4);
			EMIT("test %s, 1", m(size, mems[k])) x86_test_mi(a, size, mems[k], 1);
		}
}

#define TEST_UNARY(name)                                                                       \
	EACH(size, sizes) {                                                                    \
		EACH(d, regs)                                                                  \
			EMIT(#name " %s", r(size, d)) x86_##name##_r(a, size, d);              \
		for (int k = 0; k < FEW; k++)                                                  \
			EMIT(#name " %s", m(size, mems[k])) x86_##name##_m(a, size, mems[k]);  \
	}

static void
test_unary(void)
{
	TEST_UNARY(inc)
	TEST_UNARY(dec)
	TEST_UNARY(not)
	TEST_UNARY(neg)
	TEST_UNARY(mul)
	TEST_UNARY(imul)
	TEST_UNARY(div)
	TEST_UNARY(idiv)
	EMIT("cwd") x86_cdq(a, 2);
	EMIT("cdq") x86_cdq(a, 4);
	EMIT("cqo") x86_cdq(a, 8);
	for (int size = 2; size <= 8; size *= 2)
		EACH(d, regs) {
			EACH(s, regs) {
				EMIT("imul %s, %s", r(size, d), r(size, s)) x86_imul_rr(a, size, d, s);
				EMIT("imul %s, %s, -100", r(size, d), r(size, s))
					x86_imul_rri(a, size, d, s, -100);
				EMIT("imul %s, %s, 1000", r(size, d), r(size, s))
					x86_imul_rri(a, size, d, s, 1000);
				EMIT("shld %s, %s, 5", r(size, d), r(size, s))
					x86_shld_rri(a, size, d, s, 5);
				EMIT("shrd %s, %s, 5", r(size, d), r(size, s))
					x86_shrd_rri(a, size, d, s, 5);
				EMIT("shld %s, %s, cl", r(size, d), r(size, s))
					x86_shld_rrc(a, size, d, s);
				EMIT("shrd %s, %s, cl", r(size, d), r(size, s))
					x86_shrd_rrc(a, size, d, s);
			}
			EMIT("imul %s, %s", r(size, d), m(size, mems[d % FEW]))
				x86_imul_rm(a, size, d, mems[d % FEW]);
		}
}

#define TEST_SHIFT(name, number)                                                               \
	EACH(size, sizes) {                                                                    \
		EACH(d, regs) {                                                                \
			EMIT(#name " %s, 1", r(size, d)) x86_##name##_ri(a, size, d, 1);       \
			EMIT(#name " %s, 7", r(size, d)) x86_##name##_ri(a, size, d, 7);       \
			EMIT(#name " %s, cl", r(size, d)) x86_##name##_rc(a, size, d);         \
		}                                                                              \
		for (int k = 0; k < FEW; k++)                                                  \
			EMIT(#name " %s, 3", m(size, mems[k]))                                 \
				x86_shift_mi(a, number, size, mems[k], 3);                     \
	}

static void
test_shifts(void)
{
	TEST_SHIFT(rol, X86_ROL)
	TEST_SHIFT(ror, X86_ROR)
	TEST_SHIFT(rcl, X86_RCL)
	TEST_SHIFT(rcr, X86_RCR)
	TEST_SHIFT(shl, X86_SHL)
	TEST_SHIFT(shr, X86_SHR)
	TEST_SHIFT(sar, X86_SAR)
}

static void
test_atomics(void)
{
	EACH(size, sizes)
		for (int k = 0; k < FEW; k++) {
			int g = k + 3;

			EMIT("xchg %s, %s", m(size, mems[k]), r(size, g)) x86_xchg_mr(a, size, mems[k], g);
			EMIT("lock xadd %s, %s", m(size, mems[k]), r(size, g))
				x86_lock(a), x86_xadd_mr(a, size, mems[k], g);
			EMIT("lock cmpxchg %s, %s", m(size, mems[k]), r(size, g))
				x86_lock(a), x86_cmpxchg_mr(a, size, mems[k], g);
			EMIT("lock and %s, %s", m(size, mems[k]), r(size, g))
				x86_lock(a), x86_and_mr(a, size, mems[k], g);
			EMIT("lock add %s, 5", m(size, mems[k]))
				x86_lock(a), x86_add_mi(a, size, mems[k], 5);
		}
	for (int k = 0; k < FEW; k++)
		EMIT("lock cmpxchg16b %s", m(16, mems[k])) x86_lock(a), x86_cmpxchg16b_m(a, mems[k]);
	EACH(size, sizes)
		EACH(d, regs)
			EMIT("xchg %s, %s", r(size, RDI), r(size, d)) x86_xchg_rr(a, size, RDI, d);
}

static void
test_system(void)
{
	EACH(g, regs) {
		EMIT("push %s", r(8, g)) x86_push_r(a, g);
		EMIT("pop %s", r(8, g)) x86_pop_r(a, g);
	}
	for (int k = 0; k < FEW; k++) {
		EMIT("push %s", m(8, mems[k])) x86_push_m(a, mems[k]);
		EMIT("pop %s", m(8, mems[k])) x86_pop_m(a, mems[k]);
		EMIT("ldmxcsr %s", m(4, mems[k])) x86_ldmxcsr(a, mems[k]);
		EMIT("stmxcsr %s", m(4, mems[k])) x86_stmxcsr(a, mems[k]);
	}
	EMIT("push -1") x86_push_i(a, -1);
	EMIT("push 0x1234") x86_push_i(a, 0x1234);
	EMIT("int3") x86_int3(a);
	EMIT("ret") x86_ret(a);
	EMIT("cmc; clc; stc") x86_cmc(a), x86_clc(a), x86_stc(a);
	EMIT("pushfq; popfq") x86_pushfq(a), x86_popfq(a);
	EMIT("sahf; lahf") x86_sahf(a), x86_lahf(a);
	EMIT("ud2; pause; rdtsc; syscall") x86_ud2(a), x86_pause(a), x86_rdtsc(a), x86_syscall(a);
	EMIT("mfence; lfence; sfence") x86_mfence(a), x86_lfence(a), x86_sfence(a);
}

static const char *const cc_names[] = { "o", "no", "b",  "ae", "e", "ne", "be", "a",
					"s", "ns", "p",  "np", "l", "ge", "le", "g" };

static void
test_conditions(void)
{
	for (int cc = 0; cc < 16; cc++) {
		const char *n = cc_names[cc];
		struct x86_mem mem = mems[cc % FEW];

		EACH(d, regs) {
			EMIT("set%s %s", n, r(1, d)) x86_setcc_r(a, cc, d);
			EMIT("cmov%s %s, %s", n, r(4, d), r(4, R9)) x86_cmov_rr(a, cc, 4, d, R9);
			EMIT("cmov%s %s, %s", n, r(8, R9), r(8, d)) x86_cmov_rr(a, cc, 8, R9, d);
		}
		EMIT("set%s %s", n, m(1, mem)) x86_setcc_m(a, cc, mem);
		EMIT("cmov%s %s, %s", n, r(8, R10), m(8, mem)) x86_cmov_rm(a, cc, 8, R10, mem);
		EMIT("cmov%s %s, %s", n, r(4, RDI), m(4, mem)) x86_cmov_rm(a, cc, 4, RDI, mem);
		EMIT("j%s .+0x12", n) x86_jcc(a, cc, HERE + 0x12);
		EMIT("j%s .-0x10000", n) x86_jcc(a, cc, HERE - 0x10000);
		EMIT("j%s .+2+127", n) x86_patch_rel8(x86_jcc_short(a, cc), HERE + 129);
		EMIT("{disp32} j%s .+7", n) x86_patch_rel32(x86_jcc_forward(a, cc), HERE + 7);
		CHECK_INT(x86_cc_invert(cc), cc ^ 1);
	}
}

static void
test_jumps(void)
{
	EMIT("jmp .+2-128") x86_jmp(a, HERE + 2 - 128);
	EMIT("jmp .+5-132") x86_jmp(a, HERE + 5 - 132);
	EMIT("jmp .+2+127") x86_jmp(a, HERE + 2 + 127);
	EMIT("jmp .+2+128") x86_jmp(a, HERE + 2 + 128);
	EMIT("jmp .+0x10") x86_patch_rel8(x86_jmp_short(a), HERE + 0x10);
	EMIT("{disp32} jmp .+5") x86_jmp_forward(a);
	EMIT("call .+0x4000") x86_call(a, HERE + 0x4000);
	EACH(g, regs) {
		EMIT("jmp %s", r(8, g)) x86_jmp_r(a, g);
		EMIT("call %s", r(8, g)) x86_call_r(a, g);
	}
	for (int k = 0; k < FEW; k++) {
		EMIT("jmp %s", m(8, mems[k])) x86_jmp_m(a, mems[k]);
		EMIT("call %s", m(8, mems[k])) x86_call_m(a, mems[k]);
	}
}

/* Fields that are patched while they run must be aligned wherever they come. */
static void
test_patchable(void)
{
	for (int offset = 0; offset < 8; offset++) {
		uint8_t *target = code + 100, *field;

		a->p = code + offset;
		field = x86_jmp_patchable(a, target);
		CHECK_INT(x86_field_pad(field), 0);
		CHECK(x86_rel32_target(field) == target && field + 4 == a->p && field[-1] == 0xe9);
		a->p = code + offset;
		field = x86_jcc_patchable(a, X86_CC_B, target);
		CHECK_INT(x86_field_pad(field), 0);
		CHECK(x86_rel32_target(field) == target && field[-1] == 0x82 && field[-2] == 0x0f);
		a->p = code + offset;
		field = x86_call_patchable(a, target);
		CHECK_INT(x86_field_pad(field), 0);
		x86_patch_rel32_atomic(field, code);
		CHECK(x86_rel32_target(field) == code && field[-1] == 0xe8);
	}
}

static void
test_nops(void)
{
	static const char *const texts[] = {
		"nop", "xchg ax, ax", "nop dword ptr [rax]", "{disp8} nop dword ptr [rax+0]",
		"{disp8} nop dword ptr [rax+rax*1+0]", "{disp8} nop word ptr [rax+rax*1+0]",
		"{disp32} nop dword ptr [rax+0]", "{disp32} nop dword ptr [rax+rax*1+0]",
		"{disp32} nop word ptr [rax+rax*1+0]",
	};

	for (int n = 1; n <= 9; n++)
		EMIT("%s", texts[n - 1]) x86_nop(a, n);
	EMIT("%s; %s", texts[8], texts[1]) x86_nop(a, 11);
}

/* The displacement counts from the end, behind the immediate. */
static void
test_rip(void)
{
	int at = case_count * SLOT;

	EMIT("mov rax, [rip+0x100-7]") x86_mov_rm(a, 8, RAX, x86_rip(at + 0x100));
	EMIT("mov dword ptr [rip+0x100-10], 9") x86_mov_mi(a, 4, x86_rip(at + SLOT + 0x100), 9);
	at = case_count * SLOT;
	EMIT("add word ptr [rip-8], 9") x86_add_mi(a, 2, x86_rip(at), 9);
	at = case_count * SLOT;
	EMIT("add qword ptr [rip-11], 999") x86_add_mi(a, 8, x86_rip(at), 999);
	at = case_count * SLOT;
	EMIT("lea r9, [rip-0x1007]") x86_lea(a, 8, R9, x86_rip(at - 0x1000));
	at = case_count * SLOT;
	EMIT("test byte ptr [rip-7], 1") x86_test_mi(a, 1, x86_rip(at), 1);
	a->vex = true;
	at = case_count * SLOT;
	EMIT("vaddsd xmm1, xmm2, [rip-8]") x86_addsd_m(a, XMM1, XMM2, x86_rip(at));
	at = case_count * SLOT;
	EMIT("vpshufd xmm1, [rip-9], 27") x86_vop2_mi(a, X86_PSHUFD, 0, XMM1, x86_rip(at), 27);
	at = case_count * SLOT;
	EMIT("vaddsd xmm17, xmm2, [rip-10]") x86_addsd_m(a, XMM17, XMM2, x86_rip(at));
}

int
main(void)
{
	make_mems();
	test_patchable();
	test_mov();
	test_mov_immediate();
	test_extend();
	test_add();
	test_or();
	test_adc();
	test_sbb();
	test_and();
	test_sub();
	test_xor();
	test_cmp();
	test_test();
	test_unary();
	test_shifts();
	test_atomics();
	test_system();
	test_conditions();
	test_jumps();
	test_nops();
	test_rip();
	x86_text_compare();
	return check_done();
}
