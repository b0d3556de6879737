/* Checks for unit tests: a failing one prints where and what, the rest run on.
 *
 *	CHECK(count == 3);                 any condition
 *	CHECK_INT(value, 3);               integers, shows both
 *	CHECK_TEXT(text, "add");           strings, shows both
 *	return check_done();               at the end of main
 *
 * A test that makes no check at all fails.
 */
#ifndef TEST_UNIT_CHECK_H
#define TEST_UNIT_CHECK_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static unsigned long check_count, check_failures;

/* How many failures are shown in full; the rest are only counted. */
#define CHECK_SHOWN 50

/* Counts one check. True when it failed and is to be shown. */
static inline bool
check_note(bool ok)
{
	check_count++;
	if (ok)
		return false;
	return ++check_failures <= CHECK_SHOWN;
}

static inline bool
check_text(const char *got, const char *want, const char *what, const char *file, int line)
{
	bool ok = got && want ? !strcmp(got, want) : got == want;

	if (check_note(ok))
		fprintf(stderr, "%s:%d: %s: got \"%s\", want \"%s\"\n", file, line, what,
			got ? got : "(null)", want ? want : "(null)");
	return ok;
}

static inline bool
check_int(uint64_t got, uint64_t want, const char *what, const char *file, int line)
{
	if (check_note(got == want))
		fprintf(stderr,
			"%s:%d: %s: got %#" PRIx64 " (%" PRId64 "), want %#" PRIx64 " (%" PRId64 ")\n",
			file, line, what, got, (int64_t)got, want, (int64_t)want);
	return got == want;
}

static inline bool
check_condition(bool ok, const char *what, const char *file, int line)
{
	if (check_note(ok))
		fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
	return ok;
}

/* Each yields whether it held. */
#define CHECK(condition) check_condition((condition), #condition, __FILE__, __LINE__)
#define CHECK_INT(got, want) \
	check_int((uint64_t)(got), (uint64_t)(want), #got, __FILE__, __LINE__)
#define CHECK_TEXT(got, want) check_text((got), (want), #got, __FILE__, __LINE__)

/* The exit code of the test; says how many checks were made. */
static inline int
check_done(void)
{
	printf("%lu checks, %lu failed\n", check_count, check_failures);
	return check_failures || !check_count;
}

#endif
