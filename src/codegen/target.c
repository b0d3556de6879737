/* Which code generator there is for the host. */
#include "codegen/target.h"

const struct target *
target_host(void)
{
#if defined(__x86_64__) && __has_include("codegen/x86_64/compile.c")
	return &target_x86_64;
#else
	return NULL;
#endif
}
