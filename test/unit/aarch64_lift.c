/* The A64 table and its lifters: decoding gives back what was encoded, and each
 * operation, whatever its operands, lifts to IR that keeps the rules. */
#include "unit/aarch64_run.h"

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

int
main(void)
{
	test_encode();
	test_lift();
	return check_done();
}
