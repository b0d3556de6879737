/* Host threads that run system vCPUs. Guest memory is always there, so the one
 * host fault that guest code can cause is a shadow stack that ran into its guard
 * (translate/shadow.c). Its handler must find the vCPU, on a stack of its own. */
#include "cpu/system/system.h"

#include "host/thread.h"

#define STACK_SIZE (64u << 10)

/* What the host's signal table needs to know of a thread. */
static _Thread_local struct vcpu *running;
static _Thread_local uint8_t *stack;

/* And locks: whose number this thread is. */
static _Thread_local uint32_t number;

static uint32_t
own_number(void)
{
	return number;
}

static void
on_fault(int signal, siginfo_t *info, void *context)
{
	if (running && cpu_host_fault(running, signal, info, context))
		return;
	host_signal_set(signal, NULL, 0); /* a defect of ours: again, and die of it */
}

int
cpu_thread_enter(struct error *error)
{
	if (stack)
		return 0;
	stack = pages_alloc(STACK_SIZE);
	if (!stack)
		return error_set(error, 12, "no memory for a signal stack");
	number = host_thread_number();
	lock_identify(own_number);
	host_signal_stack(stack, STACK_SIZE);
	host_signal_set(SIGSEGV, on_fault, 0);
	host_signal_set(SIGBUS, on_fault, 0);
	return 0;
}

void
cpu_thread_leave(void)
{
	running = NULL;
	if (!stack)
		return;
	host_signal_stack_none();
	pages_free(stack, STACK_SIZE);
	stack = NULL;
}

void
system_thread_runs(struct vcpu *vcpu)
{
	running = vcpu;
}
