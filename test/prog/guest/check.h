/* For programs that check themselves: say what does not hold, count it, and end
 * with 0 only if all did. */
#ifndef TEST_PROG_CHECK_H
#define TEST_PROG_CHECK_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __riscv
#define MACHINE "riscv64"
#define MACHINE_NUMBER EM_RISCV
#define MINIMUM_STACK 1088
#define CPUINFO "isa\t\t: rv64imafdc_zicbom_"
#else
#define MACHINE "aarch64"
#define MACHINE_NUMBER EM_AARCH64
#define MINIMUM_STACK 4704
#define CPUINFO "Features\t: fp asimd "
#endif

static int check_failures, check_count;

#define CHECK(condition)                                                              \
	do {                                                                          \
		check_count++;                                                        \
		if (!(condition)) {                                                   \
			check_failures++;                                             \
			printf("line %d: %s (errno %d)\n", __LINE__, #condition, errno); \
		}                                                                     \
	} while (0)

static inline int
check_done(void)
{
	if (!check_failures)
		puts(check_count ? "good" : "nothing was checked");
	fflush(stdout);
	return check_failures || !check_count;
}

#endif
