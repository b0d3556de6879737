/* Clocks of the host, for code that may not call libc. Any thread. */
#ifndef HOST_CLOCK_H
#define HOST_CLOCK_H

#include "base/base.h"

/* Nanoseconds that pass whether the process runs or not; never goes back. */
uint64_t clock_nanoseconds(void);

/* A fast counter of the host CPU at a constant rate near its frequency. Goes
 * back nowhere that the host kernel uses it as a clock itself. */
uint64_t clock_cycles(void);

#endif
