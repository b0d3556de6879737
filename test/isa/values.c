/* Corner cases of single instructions, from a table of lines
 *
 *	mnemonic operand… = result [flags]
 *
 * Operands are given in the order in which assemblers write them, without the
 * destination: hex values of source registers, numbers for immediates, a
 * rounding mode's name where the instruction has one (`dyn:rup` sets frm). A
 * result is the destination's 64 bits, or `illegal` for an illegal instruction.
 * flags: letters of NV DZ OF UF NX joined by +; none means that none is raised.
 * # begins a comment.
 *
 * The program writes 16 bytes a line: the result, and flags | 256 if it was
 * illegal. It starts each line with the destination all ones, fflags clear.
 */
#include "isa/values.h"

#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isa/rvasm.h"

#define TEXT UINT64_C(0x10000)
#define STATE UINT64_C(0x10000000) /* sigaction, then the results */
#define RESULTS 256u
#define UC_PC 176
#define UC_S1 (184 + 8 * (X_S1 - 1))
#define FIRST 10u /* register of the first operand; sources follow */
#define RESULT_REG 15u

struct value_line {
	unsigned number;
	char text[160];
	struct riscv64_insn insn;
	uint64_t sources[3];
	bool is_float[3];
	unsigned source_count;
	bool float_result;
	unsigned frm;
	bool illegal;
	uint64_t result;
	unsigned flags;
};

struct value_table {
	struct value_line *lines;
	unsigned count;
	const char *path;
};

static const char *const mode_names[] = {"rne", "rtz", "rdn", "rup", "rmm", "5", "6", "dyn"};

static _Noreturn void
bad_line(const struct value_line *line, const char *why)
{
	rv_die("line %u: %s: %s", line->number, why, line->text);
}

static unsigned
mode_of(const struct value_line *line, const char *name)
{
	for (unsigned i = 0; i < ARRAY_LEN(mode_names); i++)
		if (!strcmp(name, mode_names[i]))
			return i;
	bad_line(line, "no such rounding mode");
}

static void
read_operand(struct value_line *line, const char *word, char *text)
{
	struct riscv64_insn *insn = &line->insn;

	if (word[0] == 'r' && word[1] == 'm') {
		insn->rm = (uint8_t)mode_of(line, strncmp(text, "dyn:", 4) ? text : "dyn");
		if (!strncmp(text, "dyn:", 4))
			line->frm = mode_of(line, text + 4);
	} else if (!strncmp(word, "rs", 2) || !strncmp(word, "fs", 2)) {
		unsigned i = line->source_count++;
		uint8_t reg = (uint8_t)(FIRST + i);

		line->sources[i] = strtoull(text, NULL, 16);
		line->is_float[i] = word[0] == 'f';
		if (word[2] == '1')
			insn->rs1 = reg;
		else if (word[2] == '2')
			insn->rs2 = reg;
		else
			insn->rs3 = reg;
	} else {
		insn->imm = (int64_t)strtoll(text, NULL, 0);
	}
}

static void
read_flags(struct value_line *line, char *text)
{
	static const char *const names[] = {"NX", "UF", "OF", "DZ", "NV"};

	for (char *name = strtok(text, "+"); name; name = strtok(NULL, "+")) {
		unsigned i = 0;

		while (i < ARRAY_LEN(names) && strcmp(name, names[i]))
			i++;
		if (i == ARRAY_LEN(names))
			bad_line(line, "no such flag");
		line->flags |= 1u << i;
	}
}

static unsigned
find_form(const struct value_line *line, const char *mnemonic)
{
	for (unsigned form = 1; form <= RV_FORM_LAST_LONG; form++)
		if (!strcmp(riscv64_form_info(form).mnemonic, mnemonic))
			return form;
	bad_line(line, "no such instruction");
}

static void
read_line(struct value_line *line, char *copy)
{
	char *words[16], operands[64], *save, *word;
	unsigned count = 0, at = 1;

	for (word = strtok(copy, " \t\n"); word && count < ARRAY_LEN(words); word = strtok(NULL, " \t\n"))
		words[count++] = word;
	line->insn.op = (enum riscv64_op)find_form(line, words[0]);
	line->insn.form = (uint16_t)line->insn.op;
	snprintf(operands, sizeof(operands), "%s", riscv64_form_info(line->insn.form).operands);
	word = strtok_r(operands, ",", &save);
	line->float_result = word && word[0] == 'f';
	line->insn.rd = RESULT_REG;
	while ((word = strtok_r(NULL, ",", &save))) {
		if (!strcmp(word, "rtz"))
			continue;
		if (at >= count)
			bad_line(line, "an operand is missing");
		if (!strcmp(words[at], "=")) {
			if (strncmp(word, "rm", 2))
				bad_line(line, "an operand is missing");
			continue; /* a mode that is not written */
		}
		read_operand(line, word, words[at++]);
	}
	if (at + 1 >= count || strcmp(words[at], "="))
		bad_line(line, "no result");
	line->illegal = !strcmp(words[at + 1], "illegal");
	line->result = line->illegal ? UINT64_MAX : strtoull(words[at + 1], NULL, 16);
	if (at + 2 < count)
		read_flags(line, words[at + 2]);
}

static struct value_table
read_table(const char *path)
{
	struct value_table table = {.path = path};
	FILE *file = fopen(path, "r");
	char text[256];

	if (!file)
		rv_die("cannot read %s", path);
	for (unsigned number = 1; fgets(text, sizeof(text), file); number++) {
		struct value_line line = {.number = number};

		text[strcspn(text, "#\n")] = 0;
		if (!text[strspn(text, " \t")])
			continue;
		snprintf(line.text, sizeof(line.text), "%.150s", text);
		read_line(&line, text);
		table.lines = realloc(table.lines, (table.count + 1) * sizeof(line));
		if (!table.lines)
			rv_die("no memory");
		table.lines[table.count++] = line;
	}
	fclose(file);
	return table;
}

/* ---- the program -------------------------------------------------------- */

/* SIGILL: s1 = 256, behind the instruction (of 4 bytes). */
static void
put_handler(struct rv_code *c)
{
	rv_constant(c, X_T0, 256);
	rv_s(c, RV_SD, X_T0, X_A2, UC_S1);
	rv_i(c, RV_LD, X_T0, X_A2, UC_PC);
	rv_i(c, RV_ADDI, X_T0, X_T0, 4);
	rv_s(c, RV_SD, X_T0, X_A2, UC_PC);
	rv_i(c, RV_JALR, 0, X_RA, 0);
}

static void
put_start(struct rv_code *c, uint64_t handler)
{
	rv_constant(c, X_S0, STATE);
	rv_constant(c, X_T0, handler);
	rv_s(c, RV_SD, X_T0, X_S0, 0);
	rv_constant(c, X_T0, 4); /* SA_SIGINFO */
	rv_s(c, RV_SD, X_T0, X_S0, 8);
	rv_constant(c, X_A0, 4); /* SIGILL */
	rv_i(c, RV_ADDI, X_A1, X_S0, 0);
	rv_constant(c, X_A2, 0);
	rv_constant(c, X_A3, 8);
	rv_syscall(c, 134);
	rv_constant(c, X_S0, STATE + RESULTS);
}

static void
put_line(struct rv_code *c, const struct value_line *line)
{
	rv_constant(c, X_T0, UINT64_MAX);
	rv_r(c, RV_FMV_D_X, RESULT_REG, X_T0, 0);
	for (unsigned i = 0; i < line->source_count; i++) {
		rv_constant(c, FIRST + i, line->sources[i]);
		if (line->is_float[i])
			rv_r(c, RV_FMV_D_X, FIRST + i, FIRST + i, 0);
	}
	rv_constant(c, RESULT_REG, UINT64_MAX);
	rv_constant(c, X_S1, 0);
	rv_constant(c, X_T0, line->frm << 5);
	rv_csr(c, RV_CSRRW, 0, 3, X_T0);
	rv_put(c, &line->insn);
	rv_csr(c, RV_CSRRS, X_T1, 1, 0);
	rv_r(c, RV_OR, X_T1, X_T1, X_S1);
	rv_s(c, line->float_result ? RV_FSD : RV_SD, RESULT_REG, X_S0, 0);
	rv_s(c, RV_SD, X_T1, X_S0, 8);
	rv_i(c, RV_ADDI, X_S0, X_S0, 16);
}

void
values_program(const char *tab, const char *path)
{
	struct value_table table = read_table(tab);
	struct rv_code c = {.base = TEXT};
	uint64_t entry;

	put_handler(&c);
	entry = rv_here(&c);
	put_start(&c, TEXT);
	for (unsigned i = 0; i < table.count; i++)
		put_line(&c, &table.lines[i]);
	rv_constant(&c, X_A0, 1);
	rv_constant(&c, X_A1, STATE + RESULTS);
	rv_constant(&c, X_A2, table.count * 16);
	rv_syscall(&c, 64);
	rv_constant(&c, X_A0, 0);
	rv_syscall(&c, 94);
	rv_write_elf(path, (struct rv_segment[]){
		{TEXT, c.bytes, c.size, 0, PF_R | PF_X},
		{STATE, NULL, 0, RESULTS + table.count * 16, PF_R | PF_W},
	}, 2, entry);
	free(c.bytes);
	free(table.lines);
}

bool
values_check(const char *tab)
{
	struct value_table table = read_table(tab);
	unsigned wrong = 0;

	for (unsigned i = 0; i < table.count; i++) {
		const struct value_line *line = &table.lines[i];
		uint64_t want = line->flags | (line->illegal ? 256 : 0), got[2];

		if (fread(got, sizeof(got), 1, stdin) != 1)
			rv_die("the program's output ends early");
		if (got[0] == line->result && got[1] == want)
			continue;
		wrong++;
		printf("%s:%u: %s: got %016" PRIx64 " flags %#" PRIx64 "\n", table.path, line->number,
		       line->text, got[0], got[1]);
	}
	printf("%u instructions, %u wrong\n", table.count, wrong);
	free(table.lines);
	return table.count && !wrong;
}
