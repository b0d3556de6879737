/* The trap is the one-byte breakpoint instruction. */
#include "host/trace.h"

#include <linux/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <ucontext.h>

#include "base/raw.h"

void
host_trap(uint64_t magic, void *argument)
{
	__asm__ volatile("int3" : : "a"(magic), "D"(argument) : "memory");
}

bool
host_context_trapped(const void *context, uint64_t magic)
{
	const greg_t *r = ((const ucontext_t *)context)->uc_mcontext.gregs;

	return (uint64_t)r[REG_RAX] == magic && *((const uint8_t *)r[REG_RIP] - 1) == 0xcc;
}

void *
host_tracee_trapped(int tid, uint64_t magic, uint64_t *stack)
{
	struct user_regs_struct regs;

	*stack = 0;
	if (raw_failed(RAW4(SYS_ptrace, PTRACE_GETREGS, tid, 0, &regs)))
		return NULL;
	*stack = regs.rsp;
	return regs.rax == magic ? (void *)regs.rdi : NULL;
}
