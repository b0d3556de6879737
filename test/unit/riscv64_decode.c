/* RV64 decoder, encoder and disassembler: the vectors of test/isa/riscv64.tab,
 * each form with random operands there and back, every 16-bit encoding against
 * its expansion, and reserved encodings one by one. */
#include "guest/riscv64/insn.h"
#include "unit/isa_vectors.h"

#include <stdlib.h>

/* Where the vectors' instructions stand. */
#define PC 0x40000000ull

static uint32_t
random_bits(void)
{
	static uint64_t state = 0x9e3779b97f4a7c15ull;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32);
}

static struct riscv64_insn
decode(uint32_t bits)
{
	struct riscv64_insn insn;

	riscv64_decode(bits, &insn);
	return insn;
}

static void
check_line_text(const char *line, uint32_t bits, unsigned flags, const char *want)
{
	char text[128];

	riscv64_disassemble(text, sizeof text, PC, bits, flags);
	for (char *p = text; *p; p++)
		if (*p == '\t')
			*p = ' ';
	if (!CHECK_TEXT(text, want))
		fprintf(stderr, "  in: %s\n", line);
}

static void
check_vector(uint32_t bits, unsigned digits, const char *plain, const char *usual)
{
	check_line_text(plain, bits, 0, plain);
	check_line_text(plain, bits, RV_TEXT_ALIASES, usual);
	CHECK_INT(digits, 2 * riscv64_insn_length((uint16_t)bits));
}

static void
test_vectors(void)
{
	CHECK(isa_vectors("test/isa/riscv64.tab", check_vector) > 4 * RV_FORM_COUNT);
}

/* Random operands: what decodes as the form encodes to the same bits, but for
 * the fields that fence and fence.i ignore. */
static void
test_round_trip(void)
{
	for (unsigned form = 1; form < RV_FORM_COUNT; form++) {
		struct riscv64_form info = riscv64_form_info(form);
		unsigned seen = 0;

		CHECK(info.length == (form < RV_OP_COUNT ? 4 : 2));
		CHECK(form >= RV_OP_COUNT || info.op == form);
		for (unsigned i = 0; i < 200; i++) {
			uint32_t all = info.length == 2 ? 0xffff : 0xffffffff;
			uint32_t bits = info.match | (random_bits() & ~info.mask & all), back;
			struct riscv64_insn insn = decode(bits);

			if (insn.form != form)
				continue;
			seen++;
			CHECK(insn.op == info.op && insn.length == info.length);
			CHECK(riscv64_encode(&insn, &back));
			if (form == RV_FENCE)
				bits &= ~0x000f8f80u;
			if (form == RV_FENCE_I)
				bits = info.match;
			CHECK_INT(back, bits);
		}
		CHECK(seen > 0);
	}
}

static bool
same_operands(const struct riscv64_insn *a, const struct riscv64_insn *b)
{
	return a->op == b->op && a->imm == b->imm && a->rd == b->rd && a->rs1 == b->rs1 &&
	       a->rs2 == b->rs2 && a->rs3 == b->rs3 && a->rm == b->rm && a->csr == b->csr;
}

/* Each 16-bit instruction has a 32-bit one that decodes to the same; the upper
 * half of the word does not matter; the number of illegal ones is the manual's:
 * c.addi4spn of 0: 8; c.addiw to x0: 64; c.lui and c.addi16sp of 0, without
 * eight c.mop: 24; c.lwsp and c.ldsp to x0: 128; c.jr to x0: 1; the last two
 * Zcb unary operations: 16; quadrant 0, funct3 100 without Zcb's
 * 256 + 256 + 256 + 128: 1152. */
static void
test_short(void)
{
	unsigned illegal = 0;

	for (uint32_t bits = 0; bits < 0x10000; bits++) {
		struct riscv64_insn insn, other, wide;
		uint32_t expansion;

		if ((bits & 3) == 3)
			continue;
		if (!riscv64_decode(bits, &insn)) {
			CHECK(insn.op == RV_ILLEGAL && insn.length == 2);
			CHECK(!riscv64_decode(bits | 0xabcd0000, &other));
			illegal++;
			continue;
		}
		CHECK(riscv64_decode(bits | 0xffff0000, &other));
		CHECK(same_operands(&insn, &other) && insn.length == 2 && insn.form >= RV_OP_COUNT);
		/* c.mv x0, x2…x5: a hint, but its expansion is another one, ntl. */
		if (insn.form == RV_FORM_C_MV && insn.rd == 0 && insn.rs2 >= 2 && insn.rs2 <= 5)
			continue;
		insn.form = (uint16_t)insn.op;
		CHECK(riscv64_encode(&insn, &expansion));
		CHECK(riscv64_decode(expansion, &wide));
		CHECK(same_operands(&insn, &wide) && wide.length == 4);
	}
	CHECK_INT(illegal, 8 + 64 + 24 + 128 + 1 + 16 + 1152);
}

static void
test_illegal(void)
{
	static const uint32_t illegal[] = {
		0x00000000, 0xffffffff,
		0x0000001f, /* longer than 32 bits */
		0x00c5d553, /* fadd.s with rm 5 */
		0x00c5e553, /* and 6 */
		0x04c5f543, /* fmadd in half precision: Zfh */
		0x1015a52f, /* lr.w with rs2 */
		0x0205951b, /* slliw by 32 */
		0x0000105b, /* custom */
		0x00200073, /* uret */
		0x10100073, /* ecall's neighbour */
		0x00000173, /* ecall with rd */
		0x00003067, /* jalr with funct3 3 */
		0x00007003, /* ldu */
		0x0040a10f, /* cbo.zero with rd */
		0x0030a00f, /* cbo of 3 */
		0x00002063, /* branch with funct3 2 */
	};

	for (size_t i = 0; i < ARRAY_LEN(illegal); i++) {
		struct riscv64_insn insn;

		if (!CHECK(!riscv64_decode(illegal[i], &insn)))
			fprintf(stderr, "  %08x decodes\n", illegal[i]);
		CHECK(insn.op == RV_ILLEGAL);
	}
}

/* What is special in the manual and easy to get wrong. */
static void
test_special(void)
{
	struct riscv64_insn insn = decode(0x8330000f); /* fence.tso */
	uint32_t bits;

	CHECK(insn.op == RV_FENCE_TSO);
	insn = decode(0x8330008f); /* with rd: reserved, a fence */
	CHECK(insn.op == RV_FENCE && insn.imm == 0x833);
	insn = decode(0x9330000f); /* reserved fm */
	CHECK(insn.op == RV_FENCE && insn.imm == 0x933);
	CHECK(decode(0x0100000f).op == RV_PAUSE);
	CHECK(decode(0x0200000f).op == RV_FENCE);
	CHECK(decode(0x00200033).op == RV_NTL_P1);
	CHECK(decode(0x00600033).op == RV_ADD);
	insn = decode(0x0010e013); /* ori x0, x1, 1 */
	CHECK(insn.op == RV_PREFETCH_R && insn.imm == 0 && insn.rs1 == 1);
	CHECK(decode(0x0020e013).op == RV_ORI);
	insn = decode(0xfff0e513); /* ori a0, ra, -1 */
	CHECK(insn.op == RV_ORI && insn.imm == -1 && insn.rd == 10);
	insn = decode(0x800002b7); /* lui */
	CHECK(insn.op == RV_LUI && insn.imm == (int64_t)0xffffffff80000000ull);
	insn = decode(0x6085); /* c.lui ra, 1 */
	CHECK(insn.op == RV_LUI && insn.imm == 0x1000 && insn.rd == 1);
	insn = decode(0x717d); /* c.addi16sp -16 */
	CHECK(insn.op == RV_ADDI && insn.imm == -16 && insn.rd == 2 && insn.rs1 == 2);
	insn = decode(0x6581); /* c.mop.11 */
	CHECK(insn.form == RV_FORM_C_MOP && insn.rd == 0 && insn.imm == 11);
	insn = decode(0x9502); /* c.jalr a0 */
	CHECK(insn.op == RV_JALR && insn.rd == 1 && insn.rs1 == 10 && insn.imm == 0);
	insn = decode(0xc1e5f573); /* csrrci a0, hpmcounter30, 11 */
	CHECK(insn.op == RV_CSRRCI && insn.imm == 11 && insn.csr == 0xc1e);
	insn = decode(0xceb54573); /* mop.rr.7 */
	CHECK(insn.op == RV_MOP_RR && insn.imm == 7);
	insn = (struct riscv64_insn){ .form = RV_ADDI, .rd = 1, .rs1 = 2, .imm = 2048 };
	CHECK(!riscv64_encode(&insn, &bits));
	insn.imm = -2048;
	CHECK(riscv64_encode(&insn, &bits));
	CHECK_INT(bits, 0x80010093);
}

static void
test_table(void)
{
	CHECK_INT(sizeof(struct riscv64_insn), 24);
	CHECK_TEXT(riscv64_extension_name(RV_EXT_ZIHINTPAUSE), "zihintpause");
	CHECK_INT(riscv64_form_extensions(RV_FORM_C_FLD), 1u << RV_EXT_C | 1u << RV_EXT_D);
	CHECK_INT(riscv64_op_attributes(RV_AMOADD_W), RVA_AMO | RVA_LOAD | RVA_STORE);
	CHECK_TEXT(riscv64_csr_name(0xc1f), "hpmcounter31");
	CHECK_TEXT(riscv64_csr_name(0x300), "mstatus");
	CHECK(riscv64_csr_name(0x7c0) == NULL);
	char text[8];
	CHECK_INT(riscv64_disassemble(text, sizeof text, 0, 0x00b50533, 0), 12);
	CHECK_TEXT(text, "add\ta0,");
}

int
main(void)
{
	test_vectors();
	test_round_trip();
	test_short();
	test_illegal();
	test_special();
	test_table();
	return check_done();
}
