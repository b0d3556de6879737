/* Blocks of random instructions. See random.c. */
#ifndef TEST_ISA_RANDOM_H
#define TEST_ISA_RANDOM_H

#include "isa/rvasm.h"

struct random_options {
	uint64_t seed;
	const char *extension; /* "i" …, "mix", or "illegal" */
	bool full;             /* what the reference lacks, too */
	unsigned blocks;
	unsigned runs;  /* of each block */
	unsigned group; /* checkpoints a line of output */
};

/* Writes a program that runs blocks × runs of them; returns the number of
 * random instructions that one run of all blocks has. */
unsigned random_program(const struct random_options *options, const char *path);

/* False if there is no such extension. */
bool random_extension_known(const char *extension);

#endif
