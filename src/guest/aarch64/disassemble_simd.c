/* Operands of floating point and Advanced SIMD as text.
 *
 * Words beside those that the head of insns_simd.def tells:
 *	Bd Hd … Vn         register of that width
 *	Rod Ron            x or w by option, which is sf
 *	list2T list2b      as many registers from Vd on, of a shape
 *	table              imm + 1 registers from Vn on
 *	elem felem helem   element of Vm: by size, f32 or f64, f16;
 *	celem elem4b       the real part of a complex number, four bytes
 *	poststruct postsingle postreplicate   what is added to the base
 *	vright vleft fbits lanebits rot90 rot180
 *	lsl8 msl           shift of an immediate, by imm2
 *	float bytemask     what an immediate means
 *	movid              d or v.2d
 */
#include "guest/aarch64/text.h"

#include <string.h>

static unsigned
log2_of_immh(const struct aarch64_insn *insn)
{
	return 31 - (unsigned)__builtin_clz((unsigned)insn->imm >> 3 | 1);
}

static int
register_of(char letter, const struct aarch64_insn *insn)
{
	switch (letter) {
	case 'd':
		return insn->rd;
	case 'n':
		return insn->rn;
	case 'm':
		return insn->rm;
	case 'a':
		return insn->ra;
	}
	return -1;
}

/* ---- scalars ------------------------------------------------------------ */

static char
format_letter(const struct aarch64_insn *insn)
{
	return insn->size == 3 ? 'h' : insn->size ? 'd' : 's';
}

static bool
put_scalar(struct a64_writer *w, const char *word, const struct aarch64_insn *insn)
{
	static const char lower[] = "bhsdq";
	size_t length = strlen(word);
	int reg = length ? register_of(word[length - 1], insn) : -1;
	char letter;

	if (reg < 0)
		return false;
	if (length == 3 && !memcmp(word, "Ro", 2)) {
		if (reg == 31)
			a64_write(w, "%s", insn->option ? "xzr" : "wzr");
		else
			a64_write(w, "%c%d", insn->option ? 'x' : 'w', reg);
		return true;
	}
	if (length == 3 && !memcmp(word, "EW", 2))
		letter = lower[log2_of_immh(insn) + 1];
	else if (length != 2)
		return false;
	else if (word[0] == 'F')
		letter = format_letter(insn);
	else if (word[0] == 'Y' || word[0] == 'Z')
		letter = lower[insn->size + (word[0] == 'Z')];
	else if (word[0] == 'E')
		letter = lower[log2_of_immh(insn)];
	else if (strchr("BHSDQV", word[0]))
		letter = (char)(word[0] | 0x20);
	else
		return false;
	a64_write(w, "%c%d", letter, reg);
	return true;
}

/* ---- shapes ------------------------------------------------------------- */

/* Lanes of 8 << log2 bits in 64 or 128. */
static void
put_lanes(struct a64_writer *w, unsigned log2, bool q)
{
	a64_write(w, "%u%c", (q ? 16u : 8u) >> log2, "bhsdq"[log2]);
}

static bool
put_shape(struct a64_writer *w, const char *word, const struct aarch64_insn *insn)
{
	static const struct {
		char word[3];
		uint8_t log2;
	} fixed[] = { { "B", 0 }, { "H", 1 }, { "S", 2 }, { "D", 3 } };

	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		if (!strcmp(word, fixed[i].word)) {
			put_lanes(w, fixed[i].log2, insn->q);
			return true;
		}
	if (!strcmp(word, "T"))
		put_lanes(w, insn->size, insn->q);
	else if (!strcmp(word, "W"))
		put_lanes(w, insn->size + 1u, true);
	else if (!strcmp(word, "P"))
		put_lanes(w, insn->size + 1u, insn->q);
	else if (!strcmp(word, "E"))
		put_lanes(w, log2_of_immh(insn), insn->q);
	else if (!strcmp(word, "EW"))
		put_lanes(w, log2_of_immh(insn) + 1, true);
	else if (!strcmp(word, "F"))
		put_lanes(w, insn->size ? 3 : 2, insn->q);
	else if (!strcmp(word, "FN"))
		put_lanes(w, insn->size ? 2 : 1, insn->q);
	else if (!strcmp(word, "FW"))
		put_lanes(w, insn->size ? 3 : 2, true);
	else if (!strcmp(word, "F2"))
		a64_write(w, "2%c", insn->size ? 'd' : 's');
	else if (!strcmp(word, "HH"))
		a64_write(w, "%uh", insn->q ? 4u : 2u);
	else if (strchr("bhsdq", word[0]) && word[1] >= '1' && word[1] <= '9')
		a64_write(w, "%s%c", word + 1, word[0]); /* d2: 2d */
	else
		return false;
	return true;
}

/* ---- lists of registers ------------------------------------------------- */

/* A range of three and more that does not wrap has a dash. */
static void
put_list(struct a64_writer *w, unsigned first, unsigned count, const char *shape, const struct aarch64_insn *insn)
{
	bool range = count > 2 && first + count <= 32;

	for (unsigned i = 0; i < count; i += range ? count - 1 : 1) {
		a64_write(w, "%sv%u.", !i ? "" : range ? "-" : ", ", (first + i) % 32);
		if (!put_shape(w, shape, insn))
			a64_write(w, "%s", shape);
	}
}

/* What post-indexing adds: Rm, or if that is 31 the bytes moved. */
static void
put_post(struct a64_writer *w, unsigned bytes, const struct aarch64_insn *insn)
{
	if (insn->rm == 31)
		a64_write(w, "#%u", bytes);
	else
		a64_write(w, "x%u", insn->rm);
}

/* Registers of a load or store of structures: its mnemonic's digit, but for those
 * of one element, which tell by bits 15 to 12. */
static unsigned
structure_registers(const struct aarch64_insn *insn)
{
	switch (insn->bits >> 12 & 15) {
	case 7:
		return 1;
	case 10:
	case 8:
		return 2;
	case 6:
	case 4:
		return 3;
	}
	return 4;
}

static bool
put_structure(struct a64_writer *w, const char *word, const struct aarch64_insn *insn)
{
	/* Of one element to a register: R, and the low bit of the opcode. */
	unsigned single = 1 + (insn->bits >> 21 & 1) + 2 * (insn->bits >> 13 & 1), log2 = insn->bits >> 14 & 3;

	if (!strncmp(word, "list", 4))
		put_list(w, insn->rd, (unsigned)(word[4] - '0'), word + 5, insn);
	else if (!strcmp(word, "table"))
		put_list(w, insn->rn, (unsigned)insn->imm + 1, "b16", insn);
	else if (!strcmp(word, "poststruct"))
		put_post(w, structure_registers(insn) * (insn->q ? 16 : 8), insn);
	else if (!strcmp(word, "postsingle"))
		put_post(w, single << (log2 == 2 && insn->bits >> 10 & 1 ? 3 : log2), insn);
	else if (!strcmp(word, "postreplicate"))
		put_post(w, single << insn->size, insn);
	else
		return false;
	return true;
}

/* ---- elements ----------------------------------------------------------- */

/* Bits L, M, Rm, H; see a64_element. */
static void
put_element(struct a64_writer *w, unsigned log2, const char *shape, const struct aarch64_insn *insn)
{
	unsigned low = (unsigned)insn->imm >> 2 & 1, middle = (unsigned)insn->imm >> 1 & 1, high = (unsigned)insn->imm & 1;
	unsigned reg = insn->rm | (log2 == 1 ? 0 : middle << 4);
	unsigned number = log2 == 1 ? high << 2 | low << 1 | middle : log2 == 2 ? high << 1 | low : high;

	a64_write(w, "v%u.%s[%u]", reg, shape, number);
}

static bool
put_any_element(struct a64_writer *w, const char *word, const struct aarch64_insn *insn)
{
	unsigned middle = (unsigned)insn->imm >> 1 & 1, high = (unsigned)insn->imm & 1, low = (unsigned)insn->imm >> 2 & 1;

	if (!strcmp(word, "elem"))
		put_element(w, insn->size, insn->size == 1 ? "h" : "s", insn);
	else if (!strcmp(word, "felem"))
		put_element(w, insn->size ? 3 : 2, insn->size ? "d" : "s", insn);
	else if (!strcmp(word, "helem"))
		put_element(w, 1, "h", insn);
	else if (!strcmp(word, "elem4b"))
		put_element(w, 2, "4b", insn);
	else if (!strcmp(word, "celem"))
		a64_write(w, "v%u.%c[%u]", insn->rm | middle << 4, insn->size == 1 ? 'h' : 's',
			  insn->size == 1 ? high << 1 | low : high);
	else
		return false;
	return true;
}

/* ---- immediates --------------------------------------------------------- */

/* abcdefgh as ± 1.efgh × 2^(bcd - 7 or + 1), in the form %.18e: a multiple of
 * 2^-7, so that ten million of it are a whole number. */
static void
put_float(struct a64_writer *w, unsigned imm8)
{
	unsigned fraction = 16 + (imm8 & 15), power = ((imm8 >> 4 & 7) ^ 4); /* 2^-3 is 0 */
	unsigned long long digits = 10000000ull * fraction * (1u << power) / 128, unit = 1;
	int exponent = -7;

	while (unit * 10 <= digits) {
		unit *= 10;
		exponent++;
	}
	a64_write(w, "%s%llu.", imm8 >> 7 ? "-" : "", digits / unit);
	for (unsigned i = 0; i < 18; i++) {
		digits = digits % unit * 10;
		a64_write(w, "%llu", digits / unit);
	}
	a64_write(w, "e%c%02d", exponent < 0 ? '-' : '+', exponent < 0 ? -exponent : exponent);
}

static unsigned long long
byte_mask(unsigned imm8)
{
	unsigned long long mask = 0;

	for (unsigned i = 0; i < 8; i++)
		if (imm8 >> i & 1)
			mask |= 0xffull << 8 * i;
	return mask;
}

static bool
put_immediate(struct a64_writer *w, const char *word, const struct aarch64_insn *insn)
{
	unsigned imm = (unsigned)insn->imm;

	if (!strcmp(word, "vright"))
		a64_write(w, "%u", (16u << log2_of_immh(insn)) - imm);
	else if (!strcmp(word, "vleft"))
		a64_write(w, "%u", imm - (8u << log2_of_immh(insn)));
	else if (!strcmp(word, "fbits"))
		a64_write(w, "%u", 64 - imm);
	else if (!strcmp(word, "lanebits"))
		a64_write(w, "%u", 8u << insn->size);
	else if (!strcmp(word, "rot90"))
		a64_write(w, "%u", 90 * insn->imm2);
	else if (!strcmp(word, "rot180"))
		a64_write(w, "%u", insn->imm2 ? 270u : 90u);
	else if (!strcmp(word, "float"))
		put_float(w, imm);
	else if (!strcmp(word, "bytemask"))
		a64_write(w, "0x%llx", byte_mask(imm));
	else if (!strcmp(word, "msl"))
		a64_write(w, "msl #%u", 8 + 8 * insn->imm2);
	else if (!strcmp(word, "lsl8") && insn->imm2)
		a64_write(w, "lsl #%u", 8 * insn->imm2);
	else
		return !strcmp(word, "lsl8");
	return true;
}

bool
a64_write_simd(struct a64_writer *w, const char *word, const struct aarch64_insn *insn)
{
	if (put_scalar(w, word, insn) || put_shape(w, word, insn) || put_structure(w, word, insn) ||
	    put_any_element(w, word, insn) || put_immediate(w, word, insn))
		return true;
	if (strcmp(word, "movid"))
		return false;
	a64_write(w, insn->q ? "v%u.2d" : "d%u", insn->rd);
	return true;
}
