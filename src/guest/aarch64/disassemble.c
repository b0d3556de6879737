/* Instructions as text, in objdump's syntax. */
#include "guest/aarch64/insn.h"

int
aarch64_disassemble(char *buffer, size_t size, uint64_t pc, uint32_t bits, unsigned flags)
{
	struct aarch64_insn insn;

	(void)pc, (void)flags;
	if (!aarch64_decode(bits, &insn))
		return text_format(buffer, size, ".inst\t0x%08x", bits);
	return text_format(buffer, size, "%s", aarch64_op_info(insn.op).mnemonic);
}
