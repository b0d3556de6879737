/* What the processor has: hwcaps and ID registers, from the EXTENSION lines of
 * insns.def. */
#include "guest/aarch64/insn.h"
#include "guest/aarch64/state.h"

static const struct {
	char name[11];
	uint8_t word, bit, id, shift, value;
} features[A64_EXT_COUNT] = {
#define EXTENSION(id, name, word, bit, id_register, shift, value) \
	[A64_EXT_##id] = { name, word, bit, A64_ID_##id_register, shift, value },
#include "guest/aarch64/insns.def"
};

/* What Linux does not show reads as the least there can be: 64-bit code alone in
 * PFR0, a debug architecture in DFR0, page sizes not told in MMFR0. */
static uint64_t
base_value(unsigned id)
{
	switch (id) {
	case A64_ID_PFR0:
		return 0x11;
	case A64_ID_DFR0:
		return 6;
	case A64_ID_MMFR0:
		return 0xff000000;
	}
	return 0;
}

uint64_t
aarch64_id_register(unsigned id)
{
	uint64_t value = base_value(id);

	for (unsigned i = 0; i < A64_EXT_COUNT; i++)
		if (features[i].id == id && (value >> features[i].shift & 15) < features[i].value) {
			value &= ~(15ull << features[i].shift);
			value |= (uint64_t)features[i].value << features[i].shift;
		}
	return value;
}

uint64_t
aarch64_hwcap(unsigned word)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < A64_EXT_COUNT; i++)
		if (features[i].word == word)
			bits |= 1ull << features[i].bit;
	return bits;
}

const char *
aarch64_hwcap_name(unsigned word, unsigned bit)
{
	for (unsigned i = 0; i < A64_EXT_COUNT; i++)
		if (features[i].word == word && features[i].bit == bit)
			return features[i].name;
	return NULL;
}
