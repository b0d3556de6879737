/* Host signals through the kernel's own interface, with our own restorer: the C
 * library would refuse its two signals and hide the kernel's struct. */
#include "host/thread.h"

#include <sys/syscall.h>
#include <ucontext.h>

#include "base/raw.h"

#define SA_RESTORER_FLAG 0x04000000ul

struct kernel_sigaction { /* arch/x86/include/uapi/asm/signal.h */
	host_handler_fn handler;
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

void host_signal_restorer(void);
extern const char host_window_start[], host_window_call[], host_window_stopped[];
extern const char host_copy_start[], host_copy_end[];

long
host_signal_set(int signal, host_handler_fn handler, unsigned long flags)
{
	struct kernel_sigaction action = { .handler = handler, .flags = flags };

	if ((uintptr_t)handler > 1) {
		action.flags |= SA_SIGINFO | SA_ONSTACK | SA_RESTORER_FLAG;
		action.restorer = host_signal_restorer;
		action.mask = ~(uint64_t)0;
	}
	return RAW4(SYS_rt_sigaction, signal, &action, 0, sizeof action.mask);
}

uint32_t
host_thread_number(void)
{
	return (uint32_t)RAW0(SYS_gettid);
}

bool
host_signal_ignored(int signal)
{
	struct kernel_sigaction action;

	return !RAW4(SYS_rt_sigaction, signal, 0, &action, sizeof action.mask) && (uintptr_t)action.handler == 1;
}

void
host_signal_mask(uint64_t set, uint64_t *old)
{
	RAW4(SYS_rt_sigprocmask, SIG_SETMASK, &set, old, sizeof set);
}

void
host_signal_stack(void *base, size_t size)
{
	stack_t stack = { .ss_sp = base, .ss_size = size };

	RAW2(SYS_sigaltstack, &stack, 0);
}

void
host_signal_stack_none(void)
{
	stack_t stack = { .ss_flags = SS_DISABLE };

	RAW2(SYS_sigaltstack, &stack, 0);
}

/* ---- a handler's context ------------------------------------------------ */

static greg_t *
context_pc(void *context)
{
	return &((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
}

void
host_context_set_mask(void *context, uint64_t set)
{
	*(uint64_t *)&((ucontext_t *)context)->uc_sigmask = set;
}

void
host_window_interrupt(void *context)
{
	greg_t *pc = context_pc(context);

	if (*pc >= (greg_t)host_window_start && *pc <= (greg_t)host_window_call)
		*pc = (greg_t)host_window_stopped;
}

bool
host_copy_recover(void *context)
{
	greg_t *pc = context_pc(context);

	if (*pc < (greg_t)host_copy_start || *pc >= (greg_t)host_copy_end)
		return false;
	*pc = (greg_t)host_copy_end;
	return true;
}

uint64_t
host_context_pc(const void *context)
{
	return (uint64_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
}
