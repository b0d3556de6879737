/* What a fuzz target is: three functions, and bytes taken from an input. */
#ifndef TEST_FUZZ_FUZZ_H
#define TEST_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Once before the first and after the last input. */
void fuzz_start(void);
void fuzz_stop(void);

struct input {
	const uint8_t *at, *end;
};

/* The next bytes as a little-endian number; 0 when there are none left. */
static inline uint64_t
take(struct input *in, unsigned bytes)
{
	uint64_t value = 0;
	size_t left = (size_t)(in->end - in->at);

	if (bytes > left)
		bytes = (unsigned)left;
	memcpy(&value, in->at, bytes);
	in->at += bytes;
	return value;
}

#endif
