/* The signal frame as the kernel lays it out, read and changed by the handler,
 * and unwound through.
 * out: good
 */
#define _GNU_SOURCE
#include <fenv.h>
#include <signal.h>
#include <stdint.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include "check.h"

static uintptr_t interrupted, main_address;
static int found;
static double saved_fs0;

static _Unwind_Reason_Code
step(struct _Unwind_Context *context, void *argument)
{
	uintptr_t ip = _Unwind_GetIP(context);

	(void)argument;
	/* Exactly the interrupted instruction, not one past a call. */
	found |= ip == interrupted;
	return ip == main_address ? _URC_END_OF_STACK : _URC_NO_REASON;
}

static void
on_trap(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	CHECK(signal == SIGTRAP && info->si_signo == SIGTRAP && info->si_code == TRAP_BRKPT);
	CHECK((uintptr_t)uc - (uintptr_t)info == 128);
	CHECK(!uc->__uc_flags && !uc->uc_link && uc->uc_stack.ss_flags == SS_DISABLE);
	interrupted = uc->uc_mcontext.__gregs[0];
	CHECK(info->si_addr == (void *)interrupted);
	CHECK(uc->uc_mcontext.__gregs[18] == 0x123456789abcdef);
	memcpy(&saved_fs0, &uc->uc_mcontext.__fpregs.__d.__f[8], 8);
	CHECK(saved_fs0 == 1.5);
	CHECK((uc->uc_mcontext.__fpregs.__d.__fcsr & 31) == 1); /* inexact, no more */
	_Unwind_Backtrace(step, NULL);
	uc->uc_mcontext.__gregs[0] += *(uint16_t *)interrupted == 0x9002 ? 2 : 4;
	uc->uc_mcontext.__gregs[18]++;
	uc->uc_mcontext.__fpregs.__d.__f[8] = 0x4004000000000000; /* 2.5 */
	uc->uc_mcontext.__fpregs.__d.__fcsr = 2 | 3 << 5; /* underflow; round up */
}

int
main(void)
{
	struct sigaction action = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };
	uint64_t fcsr, s2;
	double fs0;

	sigaction(SIGTRAP, &action, NULL);
	__asm__ volatile("li s2, 0x123456789abcdef\n\t"
			 "fmv.d.x fs0, %3\n\t"
			 "csrwi fflags, 1\n\t"
			 "ebreak\n\t"
			 "mv %0, s2\n\t"
			 "fmv.d %1, fs0\n\t"
			 "csrrw %2, fcsr, zero"
			 : "=r"(s2), "=f"(fs0), "=r"(fcsr)
			 : "r"(0x3ff8000000000000)
			 : "s2", "fs0", "memory");
	CHECK(s2 == 0x123456789abcdf0);
	CHECK(fs0 == 2.5);
	CHECK(fcsr == (2 | 3 << 5));
	CHECK(found);
	return check_done();
}
