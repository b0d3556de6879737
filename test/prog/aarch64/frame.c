/* The signal frame as the kernel lays it out, read and changed by the handler,
 * and unwound through.
 * out: good
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include "check.h"

static uintptr_t interrupted, main_address;
static int found;

static _Unwind_Reason_Code
step(struct _Unwind_Context *context, void *argument)
{
	uintptr_t ip = _Unwind_GetIP(context);

	(void)argument;
	/* Exactly the interrupted instruction, not one past a call. */
	found |= ip == interrupted;
	return ip == main_address ? _URC_END_OF_STACK : _URC_NO_REASON;
}

/* The record of this magic, or NULL. */
static struct _aarch64_ctx *
record(mcontext_t *mc, uint32_t magic)
{
	for (char *p = (char *)mc->__reserved;;) {
		struct _aarch64_ctx *head = (struct _aarch64_ctx *)p;

		if (head->magic == magic || !head->magic)
			return head->magic ? head : NULL;
		p += head->size;
	}
}

static void
on_trap(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	struct fpsimd_context *fp = (struct fpsimd_context *)record(&uc->uc_mcontext, FPSIMD_MAGIC);
	uintptr_t *next = __builtin_frame_address(0);

	CHECK(signal == SIGTRAP && info->si_signo == SIGTRAP && info->si_code == TRAP_BRKPT);
	CHECK((uintptr_t)uc - (uintptr_t)info == 128 && (uintptr_t)uc % 16 == 0);
	CHECK(!uc->uc_flags && !uc->uc_link && uc->uc_stack.ss_flags == SS_DISABLE);
	interrupted = uc->uc_mcontext.pc;
	CHECK(info->si_addr == (void *)interrupted);
	CHECK(uc->uc_mcontext.regs[19] == 0x123456789abcdef);
	CHECK(uc->uc_mcontext.pstate == 6u << 28); /* Z and C */
	/* The frame record that the kernel makes above the frame. */
	next = (uintptr_t *)next[0];
	CHECK(next[0] == uc->uc_mcontext.regs[29] && next[1] == uc->uc_mcontext.regs[30]);
	CHECK((uintptr_t)next == (uintptr_t)info + 4688);
	CHECK(fp && fp->head.size == 528 && fp->fpsr == 0x10 && fp->fpcr == 0);
	CHECK(fp->vregs[8] == ((__uint128_t)7 << 64 | 0x3ff8000000000000));
	_Unwind_Backtrace(step, NULL);
	uc->uc_mcontext.pc += 4;
	uc->uc_mcontext.regs[19]++;
	uc->uc_mcontext.pstate = 9u << 28; /* N and V */
	fp->vregs[8] = (__uint128_t)9 << 64 | 0x4004000000000000; /* 2.5 */
	fp->fpsr = 0x08000008; /* saturated, underflow */
	fp->fpcr = 1u << 22;   /* round up */
}

static void
test_registers(void)
{
	struct sigaction action = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };
	uint64_t fpcr, fpsr, nzcv, x19, low, high;

	sigaction(SIGTRAP, &action, NULL);
	__asm__ volatile("mov x19, %6\n\t"
			 "fmov d8, %7\n\t"
			 "mov v8.d[1], %8\n\t"
			 "msr fpsr, %9\n\t"
			 "cmp xzr, xzr\n\t"
			 "brk 0\n\t"
			 "mrs %3, nzcv\n\t"
			 "mov %0, x19\n\t"
			 "fmov %1, d8\n\t"
			 "mov %2, v8.d[1]\n\t"
			 "mrs %4, fpcr\n\t"
			 "mrs %5, fpsr\n\t"
			 "msr fpcr, xzr"
			 : "=&r"(x19), "=&r"(low), "=&r"(high), "=&r"(nzcv), "=&r"(fpcr), "=&r"(fpsr)
			 : "r"(0x123456789abcdef), "r"(0x3ff8000000000000), "r"(7l), "r"(16l)
			 : "x19", "v8", "cc", "memory");
	CHECK(x19 == 0x123456789abcdf0);
	CHECK(low == 0x4004000000000000 && high == 9);
	CHECK(nzcv == 9u << 28);
	CHECK(fpcr == 1u << 22 && fpsr == 0x08000008);
	CHECK(found);
}

static volatile uint64_t esr, fault_address;

static void
on_fault(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	struct esr_context *e = (struct esr_context *)record(&uc->uc_mcontext, ESR_MAGIC);

	CHECK(signal == SIGSEGV && e && e->head.size == 16);
	CHECK((uintptr_t)info->si_addr == uc->uc_mcontext.fault_address);
	esr = e ? e->esr : 0;
	fault_address = uc->uc_mcontext.fault_address;
	uc->uc_mcontext.pc += 4;
}

static void
test_fault(void)
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	char *page = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(page + 4096, 4096);
	sigaction(SIGSEGV, &action, NULL);
	__asm__ volatile("str xzr, [%0]" : : "r"(page + 8) : "memory");
	CHECK(fault_address == (uintptr_t)page + 8 && esr == 0x9200004f);
	__asm__ volatile("ldr x9, [%0, 16]" : : "r"(page + 4096) : "x9", "memory");
	CHECK(fault_address == (uintptr_t)page + 4096 + 16 && esr == 0x92000007);
}

int
main(void)
{
	main_address = 0;
	test_registers();
	test_fault();
	return check_done();
}
