/* A hash of words: four lanes, each step of which is a bijection of its lane, so
 * that a change of one word always shows. Not for adversaries. */
#include "store/store.h"

#include <string.h>

#define MULTIPLIER UINT64_C(0x9e3779b97f4a7c15)
enum { LANES = 4 };

static uint64_t
step(uint64_t lane, uint64_t word)
{
	lane = (lane ^ word) * MULTIPLIER;
	return lane << 29 | lane >> 35;
}

uint64_t
store_hash(const void *data, size_t size, uint64_t seed)
{
	const uint8_t *p = data;
	uint64_t lane[LANES] = { seed, seed + 1, seed + 2, seed + 3 }, word[LANES], hash = seed ^ size;

	for (; size >= sizeof word; size -= sizeof word, p += sizeof word) {
		memcpy(word, p, sizeof word);
		for (unsigned i = 0; i < LANES; i++)
			lane[i] = step(lane[i], word[i]);
	}
	memset(word, 0, sizeof word);
	memcpy(word, p, size);
	for (unsigned i = 0; i < LANES; i++) {
		lane[i] = step(lane[i], word[i]);
		hash = step(hash, lane[i]);
	}
	return hash ^ hash >> 32;
}
