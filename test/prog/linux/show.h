/* What these programs share: each prints what the kernel answers, without
 * anything that differs between two runs, so that a native run is the oracle. */
#ifndef SHOW_H
#define SHOW_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* SHOW(call): the expression, its value or the name of its error. */
#define SHOW(call)                                                                          \
	do {                                                                                \
		long show_value;                                                            \
		errno = 0;                                                                  \
		show_value = (long)(call);                                                  \
		if (show_value == -1 && errno)                                              \
			printf("%s = -1 %s\n", #call, strerrorname_np(errno));              \
		else                                                                        \
			printf("%s = %ld\n", #call, show_value);                            \
		fflush(stdout);                                                             \
	} while (0)

/* Only whether it worked, for values that differ between runs. */
#define SHOW_OK(call)                                                                       \
	do {                                                                                \
		errno = 0;                                                                  \
		if ((long)(call) == -1 && errno)                                            \
			printf("%s: %s\n", #call, strerrorname_np(errno));                  \
		else                                                                        \
			printf("%s: ok\n", #call);                                          \
		fflush(stdout);                                                             \
	} while (0)

#define MUST(condition)                                                                     \
	do {                                                                                \
		if (!(condition)) {                                                         \
			printf("line %d: %s failed, errno %d\n", __LINE__, #condition, errno); \
			fflush(stdout);                                                     \
			_Exit(1);                                                           \
		}                                                                           \
	} while (0)

#endif
