/* The list of guest ABIs. */
#include "process/process_impl.h"

static const struct abi *const abis[] = { &abi_riscv64, &abi_aarch64 };

const struct abi *
abi_of(const struct guest *guest)
{
	for (size_t i = 0; i < ARRAY_LEN(abis); i++)
		if (abis[i]->guest == guest)
			return abis[i];
	return NULL;
}
