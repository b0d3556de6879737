/* The A64 table and its lifters: the vectors of test/isa/aarch64.tab; decoding gives
 * back what was encoded; each operation, whatever its operands, lifts to IR that
 * keeps the rules. */
#include "unit/aarch64_run.h"
#include "unit/isa_vectors.h"

/* Random operands that the table allows for op; false if a few tries find none. */
static bool
random_encoding(enum aarch64_op op, struct aarch64_insn *insn)
{
	struct aarch64_op_info info = aarch64_op_info(op);

	for (unsigned i = 0; i < 1000; i++) {
		uint32_t bits = info.match | ((uint32_t)arm_random() & ~info.mask);

		if (aarch64_decode(bits, insn) && insn->op == op)
			return true;
	}
	return false;
}

static void
test_encode(void)
{
	for (unsigned op = 1; op < A64_OP_COUNT; op++)
		for (unsigned i = 0; i < 50; i++) {
			struct aarch64_insn insn, again;
			uint32_t bits;

			if (!CHECK(random_encoding((enum aarch64_op)op, &insn)))
				fprintf(stderr, "  %s has no encoding\n", aarch64_op_info((enum aarch64_op)op).mnemonic);
			if (!CHECK(aarch64_encode(&insn, &bits)) || !CHECK(aarch64_decode(bits, &again)))
				fprintf(stderr, "  %08x\n", insn.bits);
			CHECK_INT(again.op, insn.op);
			CHECK_INT(again.imm, insn.imm);
		}
}

static void
test_lift(void)
{
	for (unsigned op = 1; op < A64_OP_COUNT; op++)
		for (unsigned i = 0; i < 20; i++) {
			struct aarch64_insn insn;

			if (!random_encoding((enum aarch64_op)op, &insn))
				continue;
			arm_begin();
			arm_put(insn.bits);
			arm_lift();
		}
}

static void
check_text_of(uint32_t bits, unsigned flags, const char *want)
{
	char text[128];

	CHECK(aarch64_disassemble(text, sizeof text, CODE_PC, bits, flags) < (int)sizeof text);
	for (char *p = text; *p; p++)
		if (*p == '\t')
			*p = ' ';
	CHECK_TEXT(text, want);
}

static void
check_vector(uint32_t bits, unsigned digits, const char *plain, const char *usual)
{
	CHECK_INT(digits, 8);
	check_text_of(bits, 0, plain);
	check_text_of(bits, A64_TEXT_ALIASES, usual);
}

static void
test_vectors(void)
{
	CHECK(isa_vectors("test/isa/aarch64.tab", check_vector) > 4 * A64_OP_COUNT);
}

int
main(void)
{
	test_vectors();
	test_encode();
	test_lift();
	return check_done();
}
