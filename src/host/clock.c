/* Clocks of the host: see clock.h. */
#include "host/clock.h"
#include "base/raw.h"

#include <sys/syscall.h>
#include <time.h>

uint64_t
clock_nanoseconds(void)
{
	struct timespec now = { 0 };

	RAW2(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t
clock_cycles(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#else
	return clock_nanoseconds();
#endif
}
