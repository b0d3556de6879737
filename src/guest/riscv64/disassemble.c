/* Instructions as text, in objdump's syntax.
 *
 * An operand string of insns.def is copied but for these words:
 *
 *	rd rs1 rs2 rs3    x register
 *	fd fs1 fs2 fs3    f register
 *	imm               immediate, decimal
 *	shamt             immediate, hexadecimal
 *	hi20              bits 31:12 of the immediate, hexadecimal
 *	target            pc plus immediate, hexadecimal
 *	csr               CSR name, or its number
 *	rm                rounding mode, with the comma before it left out if dynamic
 *	rm0               the same of an exact conversion, left out if it is rne
 *	pred succ         the sets of a fence
 *	fli               constant of fli
 *	vd vs1 vs2        v register
 *	vm                v0.t of a masked instruction, with the comma before it
 *	uimm              the number in the field of rs1
 *	vtype             a vector type, or the number of a reserved one
 */
#include "guest/riscv64/insn.h"

#include <assert.h>
#include <string.h>

static const char x_names[32][5] = {
	"zero", "ra", "sp", "gp", "tp",	 "t0",	"t1", "t2", "s0", "s1", "a0",
	"a1",	"a2", "a3", "a4", "a5",	 "a6",	"a7", "s2", "s3", "s4", "s5",
	"s6",	"s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
};

static const char f_names[32][5] = {
	"ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6",  "ft7",  "fs0",  "fs1", "fa0",
	"fa1", "fa2", "fa3", "fa4", "fa5", "fa6", "fa7",  "fs2",  "fs3",  "fs4", "fs5",
	"fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11",
};

static const char rm_names[8][4] = { "rne", "rtz", "rdn", "rup", "rmm", "?", "?", "dyn" };

/* The constants that fli loads (Zfa, "Load-immediate instructions"). */
static const char fli_names[32][10] = {
	"-0x1p+0", "min", "0x1p-16", "0x1p-15", "0x1p-8", "0x1p-7", "0x1p-4", "0x1p-3",
	"0x1p-2", "0x1.4p-2", "0x1.8p-2", "0x1.cp-2", "0x1p-1", "0x1.4p-1", "0x1.8p-1", "0x1.cp-1",
	"0x1p+0", "0x1.4p+0", "0x1.8p+0", "0x1.cp+0", "0x1p+1", "0x1.4p+1", "0x1.8p+1", "0x1p+2",
	"0x1p+3", "0x1p+4", "0x1p+7", "0x1p+8", "0x1p+15", "0x1p+16", "inf", "nan",
};

static const char fence_names[16][5] = {
	"0", "w", "r", "rw", "o", "ow", "or", "orw", "i", "iw", "ir", "irw", "io", "iow", "ior", "iorw",
};

enum alias_condition {
	RV_ALIAS_ALWAYS,
	RV_ALIAS_SAME, /* rs1 and rs2 are one register */
	RV_ALIAS_ALL_SAME, /* and rd too */
};

struct alias {
	char mnemonic[16], picture[44], operands[12];
	uint8_t condition;
};

static const struct alias aliases[] = {
#define ALIAS(mnemonic, picture, operands, condition) { mnemonic, picture, operands, condition },
#include "guest/riscv64/insns.def"
};

/* ---- names -------------------------------------------------------------- */

const char *
riscv64_x_name(unsigned reg)
{
	return x_names[reg];
}

const char *
riscv64_f_name(unsigned reg)
{
	return f_names[reg];
}

const char *
riscv64_csr_name(unsigned csr)
{
	switch (csr) {
#define NAME(number, name) \
	case number: \
		return name;
#include "guest/riscv64/csrs.def"
	}
	return NULL;
}

/* ---- writing ------------------------------------------------------------ */

struct writer {
	char *buffer;
	size_t size;
	size_t length; /* of the whole text */
};

static void put(struct writer *w, const char *format, ...) PRINTF_LIKE(2, 3);

static void
put(struct writer *w, const char *format, ...)
{
	size_t at = w->length < w->size ? w->length : w->size;
	va_list args;

	va_start(args, format);
	w->length += (size_t)text_vformat(w->buffer + at, w->size - at, format, args);
	va_end(args);
}

static void
put_csr(struct writer *w, unsigned csr)
{
	const char *name = riscv64_csr_name(csr);

	if (name)
		put(w, "%s", name);
	else
		put(w, "0x%x", csr);
}

/* Writes register operand `word` if it is one. */
static bool
put_register(struct writer *w, const char *word, const struct riscv64_insn *insn)
{
	static const char suffixes[4][3] = { "d", "s1", "s2", "s3" };
	const uint8_t regs[4] = { insn->rd, insn->rs1, insn->rs2, insn->rs3 };

	for (unsigned i = 0; i < 4; i++)
		if (!strcmp(word + 1, suffixes[i]) && (*word == 'r' || *word == 'f')) {
			put(w, "%s", *word == 'r' ? x_names[regs[i]] : f_names[regs[i]]);
			return true;
		} else if (!strcmp(word + 1, suffixes[i]) && *word == 'v') {
			put(w, "v%u", regs[i]);
			return true;
		}
	return false;
}

/* vsew, vlmul, vta and vma of the immediate (volume I, "Vector type register"). */
static void
put_vtype(struct writer *w, uint64_t vtype)
{
	static const char lmul[8][4] = { "m1", "m2", "m4", "m8", "", "mf8", "mf4", "mf2" };

	if (vtype >> 8 || vtype >> 5 & 1 || (vtype & 7) == 4)
		put(w, "%llu", (unsigned long long)vtype);
	else
		put(w, "e%u,%s,%s,%s", 8u << (vtype >> 3 & 7), lmul[vtype & 7], vtype >> 6 & 1 ? "ta" : "tu",
		    vtype >> 7 & 1 ? "ma" : "mu");
}

static void
put_word(struct writer *w, const char *word, const struct riscv64_insn *insn, uint64_t pc)
{
	if (put_register(w, word, insn))
		return;
	if (!strcmp(word, "imm"))
		put(w, "%lld", (long long)insn->imm);
	else if (!strcmp(word, "shamt"))
		put(w, "0x%llx", (unsigned long long)insn->imm);
	else if (!strcmp(word, "hi20"))
		put(w, "0x%llx", (unsigned long long)(insn->imm >> 12 & 0xfffff));
	else if (!strcmp(word, "target"))
		put(w, "0x%llx", (unsigned long long)(pc + (uint64_t)insn->imm));
	else if (!strcmp(word, "csr"))
		put_csr(w, insn->csr);
	else if (!strcmp(word, "rm") || !strcmp(word, "rm0"))
		put(w, "%s", rm_names[insn->rm]);
	else if (!strcmp(word, "pred"))
		put(w, "%s", fence_names[insn->imm >> 4 & 15]);
	else if (!strcmp(word, "succ"))
		put(w, "%s", fence_names[insn->imm & 15]);
	else if (!strcmp(word, "fli"))
		put(w, "%s", fli_names[insn->imm & 31]);
	else if (!strcmp(word, "vm"))
		put(w, "v0.t");
	else if (!strcmp(word, "uimm"))
		put(w, "%u", insn->rs1);
	else if (!strcmp(word, "vtype"))
		put_vtype(w, (uint64_t)insn->imm);
	else
		put(w, "%s", word);
}

/* What goes without saying, and the comma with it. */
static bool
is_silent(const char *word, const struct riscv64_insn *insn)
{
	return (!strcmp(word, "rm") && insn->rm == RV_DYN) || (!strcmp(word, "rm0") && insn->rm == RV_RNE) ||
	       (!strcmp(word, "vm") && insn->vm);
}

static void
put_operands(struct writer *w, const char *operands, const struct riscv64_insn *insn, uint64_t pc)
{
	bool comma = false;

	for (const char *p = operands; *p;) {
		size_t length = strspn(p, "abcdefghijklmnopqrstuvwxyz0123456789");
		char word[8];

		if (!length) {
			if (comma)
				put(w, ",");
			comma = *p == ',';
			if (!comma)
				put(w, "%c", *p);
			p++;
			continue;
		}
		assert(length < sizeof word);
		memcpy(word, p, length);
		word[length] = 0;
		p += length;
		if (is_silent(word, insn))
			continue;
		if (comma)
			put(w, ",");
		comma = false;
		put_word(w, word, insn, pc);
	}
}

static void
put_insn(struct writer *w, const char *mnemonic, const char *operands, const struct riscv64_insn *insn,
	 uint64_t pc)
{
	for (const char *p = mnemonic; *p; p++)
		if (*p == '#')
			put(w, "%lld", (long long)insn->imm);
		else if (*p == '@')
			put(w, "%u", insn->nf + 1u);
		else
			put(w, "%c", *p);
	if (insn->aq || insn->rl)
		put(w, ".%s%s", insn->aq ? "aq" : "", insn->rl ? "rl" : "");
	if (*operands) {
		put(w, "\t");
		put_operands(w, operands, insn, pc);
	}
}

/* ---- aliases ------------------------------------------------------------ */

static bool
picture_matches(const char *picture, uint32_t bits, unsigned length)
{
	unsigned bit = 0;

	for (size_t i = strlen(picture); i-- > 0;) {
		if (picture[i] == ' ')
			continue;
		if (bit == 8 * length)
			return false;
		if (picture[i] != '.' && (picture[i] == '1') != (bits >> bit & 1))
			return false;
		bit++;
	}
	return bit == 8 * length;
}

static const struct alias *
alias_find(const struct riscv64_insn *insn, uint32_t bits, unsigned length)
{
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++) {
		const struct alias *alias = &aliases[i];

		if (alias->condition != RV_ALIAS_ALWAYS && insn->rs1 != insn->rs2)
			continue;
		if (alias->condition == RV_ALIAS_ALL_SAME && insn->rd != insn->rs2)
			continue;
		if (picture_matches(alias->picture, bits, length))
			return alias;
	}
	return NULL;
}

/* Writes what people call the instruction: an alias of the bits, an alias of
 * their expansion, or the expansion. */
static void
put_usual(struct writer *w, struct riscv64_insn *insn, uint64_t pc, uint32_t bits)
{
	const struct alias *alias = alias_find(insn, bits, insn->length);
	struct riscv64_form form;

	insn->form = (uint16_t)insn->op;
	if (!alias && insn->length == 2 && riscv64_encode(insn, &bits))
		alias = alias_find(insn, bits, 4);
	form = riscv64_form_info(insn->form);
	if (alias)
		put_insn(w, alias->mnemonic, alias->operands, insn, pc);
	else
		put_insn(w, form.mnemonic, form.operands, insn, pc);
}

int
riscv64_disassemble(char *buffer, size_t size, uint64_t pc, uint32_t bits, unsigned flags)
{
	struct writer w = { buffer, size, 0 };
	struct riscv64_insn insn;
	struct riscv64_form form;

	if (!riscv64_decode(bits, &insn)) {
		if (insn.length == 2)
			put(&w, ".insn\t2, 0x%04x", bits & 0xffff);
		else
			put(&w, ".insn\t4, 0x%08x", bits);
	} else if (flags & RV_TEXT_ALIASES) {
		put_usual(&w, &insn, pc, bits);
	} else {
		form = riscv64_form_info(insn.form);
		put_insn(&w, form.mnemonic, form.operands, &insn, pc);
	}
	return (int)w.length;
}
