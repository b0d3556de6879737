/* Instructions as text, in objdump's syntax.
 *
 * An operand string of insns.def is copied but for the words that put_word and
 * its parts list, and those of disassemble_simd.c. A word may write nothing; the
 * comma before it is left out then.
 *
 *	Rd Rn Rm Ra         register by the size: x or w
 *	Xd … Wd …           x or w register
 *	RdSP RnSP XnSP      the same, 31 is the stack pointer
 *	Rm1 Rd1             the second register of a pair
 *	Rdbit               x, or w if bit imm2 is in it
 *	imm imm2            immediates, decimal; hex hex2: hexadecimal
 *	off                 what the immediate adds to an address
 *	XnSPoff             base and offset, left out if it is 0
 *	index               register and extension of an address
 *	shift extended      Rm's shift; Rm and its extension
 *	lsl12 lsl16         shift of the immediate
 *	bitmask movimm      what the immediate means
 *	target page         addresses relative to the pc
 *	cond invcond        condition, its opposite
 *	lsb width widthx    of a bit field; left: of a shift
 *	sysreg barrier prefetch
 *	unless15            the immediate, hexadecimal, left out if it is 15
 */
#include "guest/aarch64/text.h"

#include <assert.h>
#include <string.h>

static const char condition_names[16][3] = {
	"eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "al", "nv",
};

static const char shift_names[4][4] = { "lsl", "lsr", "asr", "ror" };

static const char extension_names[8][5] = {
	"uxtb", "uxth", "uxtw", "uxtx", "sxtb", "sxth", "sxtw", "sxtx",
};

static const char barrier_names[16][6] = {
	"", "oshld", "oshst", "osh", "", "nshld", "nshst", "nsh", "", "ishld", "ishst", "ish", "", "ld", "st", "sy",
};

/* Hints that have a name of their own, by number. */
static const struct {
	uint8_t number;
	char name[13];
} hint_names[] = {
	{ 0, "nop" }, { 1, "yield" }, { 2, "wfe" }, { 3, "wfi" }, { 4, "sev" }, { 5, "sevl" }, { 6, "dgh" },
	{ 7, "xpaclri" }, { 8, "pacia1716" }, { 10, "pacib1716" }, { 12, "autia1716" }, { 14, "autib1716" },
	{ 16, "esb" }, { 17, "psb\tcsync" }, { 18, "tsb\tcsync" }, { 20, "csdb" }, { 22, "clearbhb" },
	{ 24, "paciaz" }, { 25, "paciasp" }, { 26, "pacibz" }, { 27, "pacibsp" }, { 28, "autiaz" },
	{ 29, "autiasp" }, { 30, "autibz" }, { 31, "autibsp" }, { 32, "bti" }, { 34, "bti\tc" },
	{ 36, "bti\tj" }, { 38, "bti\tjc" },
};

/* ---- writing ------------------------------------------------------------ */

static void
append(struct a64_writer *w, const char *format, va_list args)
{
	size_t at = w->length < w->size ? w->length : w->size;

	w->length += (size_t)text_vformat(w->buffer + at, w->size - at, format, args);
}

static void put(struct a64_writer *w, const char *format, ...) PRINTF_LIKE(2, 3);

static void
put(struct a64_writer *w, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	append(w, format, args);
	va_end(args);
}

void
a64_write(struct a64_writer *w, const char *format, ...)
{
	va_list args;

	if (w->comma)
		put(w, ", ");
	w->comma = false;
	va_start(args, format);
	append(w, format, args);
	va_end(args);
}

static void
put_register(struct a64_writer *w, unsigned reg, bool is_64, bool sp)
{
	if (reg == 31)
		a64_write(w, "%s", sp ? (is_64 ? "sp" : "wsp") : is_64 ? "xzr" : "wzr");
	else
		a64_write(w, "%c%u", is_64 ? 'x' : 'w', reg);
}

/* The register words: R, X or W, a letter of the field, and SP or 1. */
static bool
put_general(struct a64_writer *w, const char *word, const struct aarch64_insn *insn)
{
	static const char letters[] = "dnma";
	const uint8_t regs[4] = { insn->rd, insn->rn, insn->rm, insn->ra };
	const char *letter = word[1] ? strchr(letters, word[1]) : NULL;
	bool is_64 = *word == 'X' || (*word == 'R' && insn->size);
	unsigned reg;

	if (!letter || !strchr("RXW", *word))
		return false;
	reg = regs[letter - letters];
	if (!word[2])
		put_register(w, reg, is_64, false);
	else if (!strcmp(word + 2, "SP"))
		put_register(w, reg, is_64, true);
	else if (!strcmp(word + 2, "1"))
		put_register(w, reg + 1, is_64, false);
	else if (!strcmp(word + 2, "bit"))
		put_register(w, reg, insn->imm2 > 31, false);
	else
		return false;
	return true;
}

/* ---- addresses and second operands -------------------------------------- */

static void
put_base_offset(struct a64_writer *w, const struct aarch64_insn *insn)
{
	int64_t offset = aarch64_access_offset(insn);

	put_register(w, insn->rn, true, true);
	if (offset)
		put(w, ", #%lld", (long long)offset);
}

static void
put_index(struct a64_writer *w, const struct aarch64_insn *insn)
{
	bool plain = insn->option == 3;

	put_register(w, insn->rm, insn->option & 1, false);
	if (plain && !insn->imm)
		return;
	put(w, ", %s", plain ? "lsl" : extension_names[insn->option]);
	if (insn->imm)
		put(w, " #%u", aarch64_access_log2(insn));
}

static void
put_shift(struct a64_writer *w, const struct aarch64_insn *insn)
{
	if (insn->kind || insn->imm)
		a64_write(w, "%s #%lld", shift_names[insn->kind], (long long)insn->imm);
}

/* Where SP is an operand, the extension that does nothing is a shift. */
static void
put_extended(struct a64_writer *w, const struct aarch64_insn *insn)
{
	bool adds_flags = insn->op == A64_ADDS_EXT || insn->op == A64_SUBS_EXT;
	bool sp = insn->rn == 31 || (insn->rd == 31 && !adds_flags);
	bool plain = sp && insn->option == (insn->size ? 3 : 2);

	put_register(w, insn->rm, insn->size && (insn->option & 3) == 3, false);
	if (plain && !insn->imm)
		return;
	put(w, ", %s", plain ? "lsl" : extension_names[insn->option]);
	if (insn->imm)
		put(w, " #%lld", (long long)insn->imm);
}

/* ---- immediates --------------------------------------------------------- */

static uint64_t
move_immediate(const struct aarch64_insn *insn)
{
	uint64_t value;

	if (insn->op == A64_ORR_IMM)
		return aarch64_bitmask((unsigned)insn->imm, insn->size);
	value = (uint64_t)insn->imm << 16 * insn->kind;
	if (insn->op == A64_MOVN)
		value = ~value;
	return insn->size ? value : value & 0xffffffff;
}

static unsigned
register_bits(const struct aarch64_insn *insn)
{
	return insn->size ? 64 : 32;
}

static bool
put_immediate(struct a64_writer *w, const char *word, const struct aarch64_insn *insn)
{
	unsigned bits = register_bits(insn);

	if (!strcmp(word, "imm"))
		a64_write(w, "%lld", (long long)insn->imm);
	else if (!strcmp(word, "imm2"))
		a64_write(w, "%u", insn->imm2);
	else if (!strcmp(word, "hex"))
		a64_write(w, "0x%llx", (unsigned long long)insn->imm);
	else if (!strcmp(word, "hex2"))
		a64_write(w, "0x%x", insn->imm2);
	else if (!strcmp(word, "off"))
		a64_write(w, "%lld", (long long)aarch64_access_offset(insn));
	else if (!strcmp(word, "bitmask"))
		a64_write(w, "0x%llx", (unsigned long long)aarch64_bitmask((unsigned)insn->imm, insn->size));
	else if (!strcmp(word, "movimm"))
		a64_write(w, "0x%llx", (unsigned long long)move_immediate(insn));
	else if (!strcmp(word, "lsb"))
		a64_write(w, "%u", (bits - (unsigned)insn->imm) % bits);
	else if (!strcmp(word, "width"))
		a64_write(w, "%u", insn->imm2 + 1);
	else if (!strcmp(word, "widthx"))
		a64_write(w, "%u", insn->imm2 - (unsigned)insn->imm + 1);
	else if (!strcmp(word, "left"))
		a64_write(w, "%u", bits - 1 - insn->imm2);
	else
		return false;
	return true;
}

/* ---- system ------------------------------------------------------------- */

static void
put_system_register(struct a64_writer *w, unsigned number)
{
	unsigned op0 = 2 + (number >> 14), op1 = number >> 11 & 7, crn = number >> 7 & 15, crm = number >> 3 & 15;
	unsigned op2 = number & 7;

#define SYSREG(name, o0, o1, n, m, o2) \
	if (op0 == (o0) && op1 == (o1) && crn == (n) && crm == (m) && op2 == (o2)) { \
		a64_write(w, "%s", name); \
		return; \
	}
#include "guest/aarch64/sysregs.def"
	a64_write(w, "s%u_%u_c%u_c%u_%u", op0, op1, crn, crm, op2);
}

/* Type, target and policy; some types have no name. */
static void
put_prefetch(struct a64_writer *w, unsigned operation)
{
	static const char types[3][4] = { "pld", "pli", "pst" };
	unsigned type = operation >> 3, target = operation >> 1 & 3;

	if (type == 3 || target == 3)
		a64_write(w, "#0x%02x", operation);
	else
		a64_write(w, "%sl%u%s", types[type], target + 1, operation & 1 ? "strm" : "keep");
}

static const char *
hint_name(unsigned number)
{
	for (size_t i = 0; i < ARRAY_LEN(hint_names); i++)
		if (hint_names[i].number == number)
			return hint_names[i].name;
	return NULL;
}

static bool
put_system(struct a64_writer *w, const char *word, const struct aarch64_insn *insn)
{
	unsigned imm = (unsigned)insn->imm;

	if (!strcmp(word, "sysreg"))
		put_system_register(w, imm);
	else if (!strcmp(word, "prefetch"))
		put_prefetch(w, insn->rd);
	else if (!strcmp(word, "barrier") && barrier_names[imm][0])
		a64_write(w, "%s", barrier_names[imm]);
	else if (!strcmp(word, "barrier"))
		a64_write(w, "#0x%02x", imm);
	else if (!strcmp(word, "unless15") && imm != 15)
		a64_write(w, "#0x%x", imm);
	else
		return !strcmp(word, "unless15");
	return true;
}

/* ---- all words ---------------------------------------------------------- */

static void
put_word(struct a64_writer *w, const char *word, const struct aarch64_insn *insn)
{
	if (put_general(w, word, insn) || put_immediate(w, word, insn) || put_system(w, word, insn) ||
	    a64_write_simd(w, word, insn))
		return;
	if (!strcmp(word, "XnSPoff"))
		put_base_offset(w, insn);
	else if (!strcmp(word, "index"))
		put_index(w, insn);
	else if (!strcmp(word, "shift"))
		put_shift(w, insn);
	else if (!strcmp(word, "extended"))
		put_extended(w, insn);
	else if (!strcmp(word, "lsl12")) {
		if (insn->kind)
			a64_write(w, "lsl #12");
	} else if (!strcmp(word, "lsl16")) {
		if (insn->kind)
			a64_write(w, "lsl #%u", 16 * insn->kind);
	} else if (!strcmp(word, "target"))
		a64_write(w, "0x%llx", (unsigned long long)(w->pc + (uint64_t)(4 * insn->imm | insn->imm2 * (insn->op == A64_ADR))));
	else if (!strcmp(word, "page"))
		a64_write(w, "0x%llx", (unsigned long long)((w->pc & ~0xfffull) + ((uint64_t)(4 * insn->imm | insn->imm2) << 12)));
	else if (!strcmp(word, "cond"))
		a64_write(w, "%s", condition_names[insn->cond]);
	else if (!strcmp(word, "invcond"))
		a64_write(w, "%s", condition_names[insn->cond ^ 1]);
	else
		a64_write(w, "%s", word);
}

static void
put_operands(struct a64_writer *w, const char *operands, const struct aarch64_insn *insn)
{
	for (const char *p = operands; *p;) {
		size_t length = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
		char word[16];

		if (!length) {
			if (*p == ',')
				w->comma = true;
			else if (*p != ' ')
				a64_write(w, "%c", *p);
			p++;
			continue;
		}
		assert(length < sizeof word);
		memcpy(word, p, length);
		word[length] = 0;
		p += length;
		put_word(w, word, insn);
	}
}

static void
put_insn(struct a64_writer *w, const char *mnemonic, const char *operands, const struct aarch64_insn *insn)
{
	size_t before;

	for (const char *p = mnemonic; *p; p++)
		if (*p == '@')
			put(w, "%s%s", insn->acquire ? "a" : "", insn->release ? "l" : "");
		else if (*p == '?')
			put(w, "%s", condition_names[insn->cond]);
		else if (*p == '%')
			put(w, "%s", insn->q ? "2" : "");
		else
			put(w, "%c", *p);
	before = w->length;
	put(w, "\t");
	put_operands(w, operands, insn);
	if (w->length == before + 1 && before < w->size)
		w->buffer[w->length = before] = 0;
}

/* ---- aliases ------------------------------------------------------------ */

/* The manual's MoveWidePreferred: a bit mask that movz or movn could make. */
static bool
is_wide(const struct aarch64_insn *insn)
{
	uint64_t value = move_immediate(insn), all = insn->size ? ~0ull : 0xffffffff;

	for (unsigned shift = 0; shift < register_bits(insn); shift += 16)
		if (!(value & ~(0xffffull << shift)) || !(~value & all & ~(0xffffull << shift)))
			return true;
	return false;
}

enum alias_condition {
#define CONDITION(name, expression) A64_ALIAS_##name,
#include "guest/aarch64/aliases.def"
};

static bool
holds(enum alias_condition condition, const struct aarch64_insn *in)
{
	const unsigned bits = register_bits(in);

	switch (condition) {
#define CONDITION(name, expression) \
	case A64_ALIAS_##name: \
		return expression;
#include "guest/aarch64/aliases.def"
	}
	return false;
}

/* Names stand in arrays, not behind pointers: nothing needs relocation. */
static const struct alias {
	uint16_t op;
	char mnemonic[10], operands[24];
	uint8_t condition;
} aliases[] = {
#define ENTRY(op, mnemonic, operands, condition) { A64_##op, mnemonic, operands, A64_ALIAS_##condition },
#define ALIAS ENTRY
#include "guest/aarch64/aliases.def"
#define ALIAS ENTRY
#include "guest/aarch64/insns.def"
};

static bool
put_alias(struct a64_writer *w, const struct aarch64_insn *insn)
{
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
		if (aliases[i].op == insn->op && holds((enum alias_condition)aliases[i].condition, insn)) {
			put_insn(w, aliases[i].mnemonic, aliases[i].operands, insn);
			return true;
		}
	if (insn->op != A64_HINT || !hint_name((unsigned)insn->imm))
		return false;
	put(w, "%s", hint_name((unsigned)insn->imm));
	return true;
}

int
aarch64_disassemble(char *buffer, size_t size, uint64_t pc, uint32_t bits, unsigned flags)
{
	struct a64_writer w = { .buffer = buffer, .size = size, .pc = pc };
	struct aarch64_insn insn;
	struct aarch64_op_info info;

	if (!aarch64_decode(bits, &insn)) {
		put(&w, ".inst\t0x%08x", bits);
	} else if (!(flags & A64_TEXT_ALIASES) || !put_alias(&w, &insn)) {
		info = aarch64_op_info(insn.op);
		put_insn(&w, info.mnemonic, info.operands, &insn);
	}
	return (int)w.length;
}
