/* A bit for each source of an interrupt controller, 32 in a word, as their registers
 * have them. */
#ifndef DEVICE_INTC_BITS_H
#define DEVICE_INTC_BITS_H

#include <stdbool.h>
#include <stdint.h>

static inline bool
bit(const uint32_t *words, unsigned n)
{
	return words[n / 32] >> n % 32 & 1;
}

static inline void
set_bit(uint32_t *words, unsigned n, bool on)
{
	if (on)
		words[n / 32] |= UINT32_C(1) << n % 32;
	else
		words[n / 32] &= ~(UINT32_C(1) << n % 32);
}

#endif
