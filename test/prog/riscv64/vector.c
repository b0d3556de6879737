/* V as Linux has it: what tells of it, signal frames, faults in the middle of an
 * access, what system calls leave, prctl.
 * options: --vlen 128
 * out: good
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "check.h"

#define V(text) ".option push\n\t.option arch, +v\n\t" text "\n\t.option pop\n\t"
#define MAGIC 0x53465457u

struct context { /* header, struct __riscv_v_ext_state */
	uint32_t magic, size;
	uint64_t vstart, vl, vtype, vcsr, vlenb;
	uint8_t *datap;
	uint8_t data[512];
	uint32_t end[2];
};

static char *page;
static uint64_t vstart_seen;
static void *address_seen;
static int traps;

static struct context *
context_of(ucontext_t *uc)
{
	return (struct context *)((char *)&uc->uc_mcontext + 776);
}

static void
on_trap(int signal, siginfo_t *info, void *argument)
{
	ucontext_t *uc = argument;
	struct context *c = context_of(uc);

	traps++;
	CHECK(c->magic == MAGIC && c->size == 568 && !c->end[0] && !c->end[1]);
	CHECK((uintptr_t)c->data % 16 == 0 && c->datap == c->data);
	CHECK(!c->vstart && c->vl == 3 && c->vtype == 0x10 && c->vcsr == 5 && c->vlenb == 16);
	CHECK(c->data[8 * 16] == 42 && c->data[8 * 16 + 4] == 43);
	c->data[8 * 16] = 99;
	c->vl = 2;
	c->vcsr = 2;
	/* What the handler does with V is lost. */
	__asm__ volatile(V("vsetivli zero, 16, e8, m1, ta, ma\n\tvmv.v.i v8, 1"));
	uc->uc_mcontext.__gregs[0] += *(uint16_t *)uc->uc_mcontext.__gregs[0] == 0x9002 ? 2 : 4;
}

static void
frames(void)
{
	struct sigaction action = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };
	uint32_t out[4] = { 0 }, in[3] = { 42, 43, 44 };
	uint64_t vl, vtype, vcsr;

	sigaction(SIGTRAP, &action, NULL);
	__asm__ volatile(V("vsetivli zero, 3, e32, m1, tu, mu\n\t"
			   "vle32.v v8, (%3)\n\t"
			   "csrwi vcsr, 5\n\t"
			   "ebreak\n\t"
			   "csrr %0, vl\n\tcsrr %1, vtype\n\tcsrr %2, vcsr\n\t"
			   "vsetivli zero, 3, e32, m1, tu, mu\n\t"
			   "vse32.v v8, (%4)")
			 : "=&r"(vl), "=&r"(vtype), "=&r"(vcsr)
			 : "r"(in), "r"(out)
			 : "memory");
	CHECK(traps == 1 && vl == 2 && vtype == 0x10 && vcsr == 2);
	CHECK(out[0] == 99 && out[1] == 43 && out[2] == 44 && !out[3]);
}

static void
on_fault(int signal, siginfo_t *info, void *argument)
{
	ucontext_t *uc = argument;

	vstart_seen = context_of(uc)->vstart;
	address_seen = info->si_addr;
	traps++;
	mprotect(page + 4096, 4096, PROT_READ | PROT_WRITE);
}

/* A page that cannot be read, five elements on; the handler opens it. */
static void
faults(void)
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	uint64_t vl, strided[2], address = 0;
	uint32_t out[16] = { 0 };

	sigaction(SIGSEGV, &action, NULL);
	traps = 0;
	for (int i = 0; i < 16; i++)
		((uint32_t *)(page + 4096 - 20))[i] = i + 1;
	mprotect(page + 4096, 4096, PROT_NONE);
	__asm__ volatile(V("vsetivli zero, 16, e32, m4, ta, ma\n\tvle32.v v8, (%0)\n\tvse32.v v8, (%1)")
			 :
			 : "r"(page + 4096 - 20), "r"(out)
			 : "memory");
	CHECK(traps == 1 && vstart_seen == 5 && address_seen == page + 4096);
	for (int i = 0; i < 16; i++)
		CHECK(out[i] == i + 1);

	mprotect(page + 4096, 4096, PROT_NONE);
	__asm__ volatile(V("vsetivli zero, 16, e32, m4, ta, ma\n\tvle32ff.v v8, (%1)\n\tcsrr %0, vl")
			 : "=r"(vl)
			 : "r"(page + 4096 - 20));
	CHECK(traps == 1 && vl == 5);

	/* A store backwards: the third element is the one in the first page. */
	mprotect(page + 4096, 4096, PROT_READ);
	__asm__ volatile(V("vsetivli zero, 4, e64, m2, ta, ma\n\tvid.v v8\n\tvsse64.v v8, (%0), %1")
			 :
			 : "r"(page + 4096 - 16), "r"(8L)
			 : "memory");
	CHECK(traps == 2 && vstart_seen == 2 && address_seen == page + 4096);
	memcpy(strided, page + 4096, 16);
	CHECK(strided[0] == 2 && strided[1] == 3);

	/* The first element of a fault-only-first load does trap. */
	mprotect(page + 4096, 4096, PROT_NONE);
	__asm__ volatile(V("vsetivli zero, 4, e8, m1, ta, ma\n\tvle8ff.v v8, (%1)\n\tcsrr %0, vl")
			 : "=r"(vl)
			 : "r"(page + 4096));
	CHECK(traps == 3 && vl == 4 && !vstart_seen && address_seen == page + 4096);
}

static void
calls(void)
{
	register long a7 __asm__("a7") = SYS_getpid, a0 __asm__("a0");
	uint8_t out[16] = { 0 };
	uint64_t vl, vtype;

	__asm__ volatile(V("vsetivli zero, 16, e8, m1, ta, ma\n\tvmv.v.i v8, 3\n\tecall\n\t"
			   "csrr %1, vl\n\tcsrr %2, vtype\n\t"
			   "vsetivli zero, 16, e8, m1, ta, ma\n\tvse8.v v8, (%4)")
			 : "=&r"(a0), "=&r"(vl), "=&r"(vtype)
			 : "r"(a7), "r"(out)
			 : "memory");
	CHECK(a0 == getpid() && !vl && vtype == 1ul << 63);
	for (int i = 0; i < 16; i++)
		CHECK(out[i] == 0xff);
}

static void
tells(void)
{
	struct { int64_t key; uint64_t value; } pair[2] = { { 4, 0 }, { 10, 0 } };
	char line[1024];
	FILE *file = fopen("/proc/cpuinfo", "r");
	int found = 0;

	CHECK(getauxval(AT_HWCAP) >> ('V' - 'A') & 1);
	CHECK(getauxval(51 /* AT_MINSIGSTKSZ */) == 1664);
	CHECK(!syscall(258, pair, 2, 0, NULL, 0) && (pair[0].value >> 2 & 1) && (pair[0].value >> 41 & 1));
	CHECK(pair[1].value == 3);
	while (fgets(line, sizeof line, file))
		found |= !strncmp(line, "isa", 3) && strstr(line, "rv64imafdcv_") && strstr(line, "_zve64d");
	CHECK(found);
	fclose(file);
}

static void
controls(void)
{
	CHECK(prctl(70) == 2);
	CHECK(prctl(69, 1) == -1 && errno == EPERM);
	CHECK(prctl(69, 3) == -1 && errno == EINVAL);
	CHECK(prctl(69, 2 | 3 << 2) == -1 && errno == EINVAL);
	CHECK(prctl(69, 1 << 5) == -1 && errno == EINVAL);
	CHECK(!prctl(69, 2 | 1 << 2 | 1 << 4) && prctl(70) == (2 | 1 << 2 | 1 << 4));
}

/* A child that it executes is without. */
static void
executes(char *self)
{
	int status = 0;

	if (!fork()) {
		execl(self, self, "none", NULL);
		_exit(99);
	}
	wait(&status);
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status));
}

int
main(int argc, char **argv)
{
	if (argc > 1)
		return getauxval(AT_HWCAP) >> ('V' - 'A') & 1 || prctl(70) != -1;
	page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	tells();
	frames();
	faults();
	calls();
	controls();
	executes(argv[0]);
	return check_done();
}
