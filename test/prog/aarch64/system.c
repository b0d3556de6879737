/* What a program learns of its processor: hwcaps, the ID registers that Linux
 * shows, /proc/cpuinfo; counters, thread register, cache line sizes, DC ZVA; and
 * that the rest is illegal.
 * out: good
 */
#include <asm/hwcap.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/auxv.h>

#include "check.h"

#define READ(name)                                                  \
	({                                                          \
		uint64_t value_;                                    \
		__asm__ volatile("mrs %0, " #name : "=r"(value_)); \
		value_;                                             \
	})

static unsigned
field(uint64_t reg, unsigned shift)
{
	return reg >> shift & 15;
}

static void
test_features(void)
{
	uint64_t caps = getauxval(AT_HWCAP), caps2 = getauxval(AT_HWCAP2);
	uint64_t isar0 = READ(s3_0_c0_c6_0), isar1 = READ(s3_0_c0_c6_1), pfr0 = READ(s3_0_c0_c4_0);
	char line[1024] = "", word[32];
	FILE *file = fopen("/proc/cpuinfo", "r");

	CHECK((caps & (HWCAP_FP | HWCAP_ASIMD | HWCAP_CPUID)) == (HWCAP_FP | HWCAP_ASIMD | HWCAP_CPUID));
	CHECK(!!(caps & HWCAP_CRC32) == (field(isar0, 16) >= 1));
	CHECK(!!(caps & HWCAP_ATOMICS) == (field(isar0, 20) >= 2));
	CHECK(!!(caps & HWCAP_AES) == (field(isar0, 4) >= 1) && !!(caps & HWCAP_PMULL) == (field(isar0, 4) >= 2));
	CHECK(!!(caps & HWCAP_SHA2) == (field(isar0, 12) >= 1) && !!(caps & HWCAP_SHA512) == (field(isar0, 12) >= 2));
	CHECK(!!(caps & HWCAP_FLAGM) == (field(isar0, 52) >= 1) && !!(caps2 & HWCAP2_FLAGM2) == (field(isar0, 52) >= 2));
	CHECK(!!(caps & HWCAP_LRCPC) == (field(isar1, 20) >= 1) && !!(caps & HWCAP_ILRCPC) == (field(isar1, 20) >= 2));
	CHECK(!!(caps & HWCAP_SB) == (field(isar1, 36) >= 1));
	CHECK(!(caps & (HWCAP_PACA | HWCAP_PACG | HWCAP_SVE)) && !(caps2 & (HWCAP2_BTI | HWCAP2_MTE)));
	CHECK(!!(caps & HWCAP_FPHP) == (field(pfr0, 16) == 1));
	CHECK(READ(midr_el1) >> 16 != 0 && READ(revidr_el1) == 0);
	for (int i = 0; i < 3 && fgets(line, sizeof line, file); i++)
		;
	CHECK(!strncmp(line, "Features\t: fp asimd ", 20) || !strncmp(line, "Features\t: fp ", 14));
	snprintf(word, sizeof word, " %s ", "atomics");
	CHECK(!!strstr(line, word) == !!(caps & HWCAP_ATOMICS));
	fclose(file);
}

static void
test_registers(void)
{
	static _Alignas(64) char block[192];
	uint64_t before = READ(cntvct_el0), tp;

	CHECK(READ(cntfrq_el0) > 0 && READ(cntvct_el0) >= before);
	CHECK(READ(ctr_el0) >> 31 && READ(dczid_el0) == 4);
	CHECK(READ(tpidr_el0) == (uintptr_t)__builtin_thread_pointer());
	tp = READ(tpidr_el0);
	__asm__ volatile("msr tpidr_el0, %0; mrs %0, tpidr_el0" : "+r"(tp));
	CHECK(tp == (uintptr_t)__builtin_thread_pointer());
	memset(block, 1, sizeof block);
	__asm__ volatile("dc zva, %0" : : "r"(block + 64 + 17) : "memory");
	CHECK(block[63] == 1 && block[64] == 0 && block[127] == 0 && block[128] == 1);
	__asm__ volatile("dc cvau, %0; dsb ish; ic ivau, %0; dsb ish; isb" : : "r"(block) : "memory");
}

static sigjmp_buf back;

static void
on_illegal(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)context;
	siglongjmp(back, info->si_code == ILL_ILLOPC ? 1 : 2);
}

#define ILLEGAL(text)                                              \
	do {                                                       \
		int caught_ = sigsetjmp(back, 1);                  \
		if (!caught_)                                      \
			__asm__ volatile(text : : : "x9", "memory"); \
		CHECK(caught_ == 1);                               \
	} while (0)

static void
test_illegal(void)
{
	struct sigaction action = { .sa_sigaction = on_illegal, .sa_flags = SA_SIGINFO };

	sigaction(SIGILL, &action, NULL);
	ILLEGAL("udf 7");
	ILLEGAL("hlt 1");
	ILLEGAL("mrs x9, sctlr_el1");
	ILLEGAL("msr midr_el1, x9");
	ILLEGAL(".inst 0xdac10120"); /* pacia x0, x9: there is no FEAT_PAuth … */
	__asm__ volatile("hint 25; hint 29; hint 34"); /* … whose hints do nothing */
}

int
main(void)
{
	test_features();
	test_registers();
	test_illegal();
	return check_done();
}
