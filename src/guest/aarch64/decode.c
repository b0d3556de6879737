/* Decoding and encoding by the tables that tools/gen-aarch64.c makes of
 * insns.def. Pattern n is operation n; those after the operations are reserved
 * encodings. */
#include "guest/decode.h"
#include "guest/aarch64/insn.h"

/* Operand bits as the generator finds them; letters as in insns.def. */
struct field {
	char letter;
	uint8_t shift, width, low;
};

struct format_fields {
	uint16_t first, count;
};

#include "gen/aarch64_tables.h"

bool
aarch64_decode(uint32_t bits, struct aarch64_insn *out)
{
	unsigned number = decode_find(nodes, children, lists, patterns, bits >> 21, bits);

	*out = (struct aarch64_insn){ .op = patterns[number].op, .bits = bits };
	if (UNLIKELY(out->op == A64_ILLEGAL))
		return false;
	extract(patterns[number].format, bits, out);
	return true;
}

/* The operand that a field holds part of. */
static uint64_t
operand(const struct aarch64_insn *in, char letter)
{
	switch (letter) {
	case 'd':
		return in->rd;
	case 'n':
		return in->rn;
	case 'm':
		return in->rm;
	case 'a':
		return in->ra;
	case 'z':
		return in->size;
	case 'y':
		return in->size ^ 1u;
	case 'q':
		return in->q;
	case 'c':
		return in->cond;
	case 't':
		return in->kind;
	case 'o':
		return in->option;
	case 'k':
		return in->imm2;
	case 'h':
		return in->imm3;
	case 'A':
		return in->acquire;
	case 'L':
		return in->release;
	}
	return (uint64_t)in->imm;
}

bool
aarch64_encode(const struct aarch64_insn *in, uint32_t *bits)
{
	const struct pattern *pattern = &patterns[in->op];
	const struct format_fields *format = &format_fields[pattern->format];
	struct aarch64_insn back;

	if (in->op == A64_ILLEGAL || in->op >= A64_OP_COUNT)
		return false;
	*bits = pattern->match;
	for (unsigned i = 0; i < format->count; i++) {
		const struct field *field = &fields[format->first + i];
		uint64_t value = operand(in, field->letter) >> field->low & ((1ull << field->width) - 1);

		*bits |= (uint32_t)(value << field->shift);
	}
	/* What does not fit, or is another operation's or reserved, does not come back. */
	return aarch64_decode(*bits, &back) && back.op == in->op && back.imm == in->imm &&
	       back.imm2 == in->imm2 && back.imm3 == in->imm3 && back.rd == in->rd && back.rn == in->rn &&
	       back.rm == in->rm && back.ra == in->ra && back.size == in->size && back.q == in->q &&
	       back.cond == in->cond && back.kind == in->kind && back.option == in->option &&
	       back.acquire == in->acquire && back.release == in->release;
}

/* ---- what the table says ------------------------------------------------- */

/* Names stand in arrays of characters, not behind pointers, so that nothing
 * needs relocation. */
static const struct {
	char mnemonic[12], operands[44];
	uint8_t extension;
} texts[A64_OP_COUNT] = {
#define INSN(op, mnemonic, picture, extension, operands, attributes) \
	[A64_##op] = { mnemonic, operands, A64_EXT_##extension },
#include "guest/aarch64/insns.def"
};

static const uint16_t attributes_of[A64_OP_COUNT] = {
#define INSN(op, mnemonic, picture, extension, operands, attributes) [A64_##op] = attributes,
#include "guest/aarch64/insns.def"
};

struct aarch64_op_info
aarch64_op_info(enum aarch64_op op)
{
	return (struct aarch64_op_info){
		.mnemonic = texts[op].mnemonic,
		.operands = texts[op].operands,
		.match = patterns[op].match,
		.mask = patterns[op].mask,
		.extension = texts[op].extension,
		.attributes = attributes_of[op],
	};
}

unsigned
aarch64_op_attributes(enum aarch64_op op)
{
	return attributes_of[op];
}

/* ---- immediates ---------------------------------------------------------- */

unsigned
aarch64_access_log2(const struct aarch64_insn *insn)
{
	unsigned memory = attributes_of[insn->op] & AA_MEMORY;

	return memory == AA_MZ ? 2u + insn->size : memory / AA_M8 - 1;
}

int64_t
aarch64_access_offset(const struct aarch64_insn *insn)
{
	unsigned attributes = attributes_of[insn->op];

	if ((attributes & AA_ADDRESS) == AA_BASE)
		return 0;
	return attributes & AA_SCALED ? insn->imm * (1ll << aarch64_access_log2(insn)) : insn->imm;
}

uint64_t
aarch64_bitmask(unsigned imm13, bool is_64)
{
	unsigned n = imm13 >> 12, immr = imm13 >> 6 & 63, imms = imm13 & 63;
	unsigned length = 31 - (unsigned)__builtin_clz((n << 6 | (~imms & 63)) | 1);
	unsigned size = 1u << length, ones = (imms & (size - 1)) + 1, rotate = immr & (size - 1);
	uint64_t all = ~0ull >> (64 - size), mask = ~0ull >> (64 - ones);

	if (rotate)
		mask = (mask >> rotate | mask << (size - rotate)) & all;
	for (; size < 64; size *= 2)
		mask |= mask << size;
	return is_64 ? mask : mask & 0xffffffff;
}
