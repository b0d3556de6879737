/* Sizes as people write them. */
#ifndef ISOMORPH_SIZE_H
#define ISOMORPH_SIZE_H

#include <stdbool.h>
#include <stdint.h>

/* "64K" to bytes: a number of any base that C knows, with at most one of the
 * letters in units behind it ("KMG": powers of 1024, in this order, either case).
 * False when text is no such size, or it does not fit; *bytes is anything then. */
bool isomorph_size_parse(const char *text, const char *units, uint64_t *bytes);

#endif
