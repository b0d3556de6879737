/* Signal contexts of x86-64 Linux. */
#include "host/fault.h"
#include "host/recover.h"

#include <signal.h>
#include <ucontext.h>

/* Exception vectors and error code bits: Intel SDM volume 3, chapter 6. */
#define TRAP_PAGE_FAULT 14
#define PAGE_FAULT_WRITE 2
#define EFLAGS_DIRECTION 0x400

bool
host_fault_read(struct host_fault *fault, int signal, const void *info, const void *ucontext)
{
	const siginfo_t *si = info;
	const greg_t *reg = ((const ucontext_t *)ucontext)->uc_mcontext.gregs;

	fault->signal = signal;
	fault->code = si->si_code;
	fault->pc = (uintptr_t)reg[REG_RIP];
	fault->has_address = reg[REG_TRAPNO] == TRAP_PAGE_FAULT;
	fault->address = fault->has_address ? (uintptr_t)si->si_addr : 0;
	fault->write = fault->has_address && (reg[REG_ERR] & PAGE_FAULT_WRITE);
	return si->si_code > 0;
}

void
host_fault_set_stack(void *ucontext, uintptr_t stack)
{
	((ucontext_t *)ucontext)->uc_mcontext.gregs[REG_RSP] = (greg_t)stack;
}

void
recovery_redirect(const struct recovery *point, void *ucontext)
{
	/* The order is recovery_set's. */
	static const int where[] = { REG_RBX, REG_RBP, REG_R12, REG_R13,
				     REG_R14, REG_R15, REG_RSP, REG_RIP };
	greg_t *reg = ((ucontext_t *)ucontext)->uc_mcontext.gregs;

	for (unsigned i = 0; i < sizeof where / sizeof where[0]; i++)
		reg[where[i]] = (greg_t)point->reg[i];
	reg[REG_RAX] = 1;
	reg[REG_EFL] &= ~(greg_t)EFLAGS_DIRECTION;
}
