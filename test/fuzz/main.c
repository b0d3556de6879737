/* Feeds a fuzz target (LLVMFuzzerTestOneInput, as libFuzzer knows it) with inputs of
 * its own making: random ones, and the one before with some bytes changed. The same
 * seed makes the same inputs.
 *
 * usage: TARGET [-n INPUTS] [-s SEED] [FILE…]     FILE: one input, instead
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"

#define INPUT_MAX 768u

static uint64_t seed = 1;

static uint32_t
next(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 16);
}

/* Bytes near the edges come up more often. */
static uint8_t
byte(void)
{
	uint32_t r = next();

	switch (r & 7) {
	case 0: return 0;
	case 1: return 0xff;
	case 2: case 3: return (uint8_t)(r >> 8 & 7);
	case 4: return (uint8_t)(1u << (r >> 8 & 7));
	default: return (uint8_t)(r >> 8);
	}
}

static size_t
make(uint8_t *input, size_t size)
{
	if (size && next() % 4) {
		for (uint32_t changes = 1 + next() % 8; changes; changes--)
			input[next() % size] = byte();
		return size;
	}
	size = next() % INPUT_MAX;
	for (size_t i = 0; i < size; i++)
		input[i] = byte();
	return size;
}

static int
run_file(const char *path)
{
	static uint8_t input[1 << 20];
	FILE *file = fopen(path, "rb");
	size_t size;

	if (!file) {
		perror(path);
		return 1;
	}
	size = fread(input, 1, sizeof input, file);
	fclose(file);
	LLVMFuzzerTestOneInput(input, size);
	return 0;
}

int
main(int argc, char **argv)
{
	uint8_t input[INPUT_MAX];
	unsigned long inputs = 1000;
	size_t size = 0;
	int i = 1;

	for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
		if (argv[i][1] == 'n')
			inputs = strtoul(argv[i + 1], NULL, 10);
		else
			seed = strtoull(argv[i + 1], NULL, 10) * 2654435761u + 1;
	}
	fuzz_start();
	if (i < argc) {
		int failed = 0;

		for (; i < argc; i++)
			failed |= run_file(argv[i]);
		fuzz_stop();
		return failed;
	}
	for (unsigned long n = 0; n < inputs; n++) {
		size = make(input, size);
		LLVMFuzzerTestOneInput(input, size);
	}
	fuzz_stop();
	printf("%lu inputs\n", inputs);
	return 0;
}
