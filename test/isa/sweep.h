/* Floating point on all pairs of chosen operands. See sweep.c. */
#ifndef TEST_ISA_SWEEP_H
#define TEST_ISA_SWEEP_H

#include <stdbool.h>

/* Writes the program; operands (8…400) of each format. */
void sweep_program(unsigned operands, const char *path);

/* Reads the program's output from stdin and compares each result and its flags
 * with softfloat; says what differs. Returns whether all was right. */
bool sweep_check(unsigned operands);

#endif
