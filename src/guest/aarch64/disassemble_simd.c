/* Operands of floating point and Advanced SIMD as text. */
#include "guest/aarch64/text.h"

bool
a64_write_simd(struct a64_writer *w, const char *word, const struct aarch64_insn *insn)
{
	(void)w, (void)word, (void)insn;
	return false;
}
