/* For the assembler's test: each case is code from our assembler and the text
 * that GNU as would be given for it. x86_text_compare() has as assemble the
 * texts, objdump disassemble both, and checks that the listings are equal and
 * that no code of ours is longer than theirs.
 *
 *	EMIT("add %s, %s", r(8, RAX), r(8, RCX)) x86_add_rr(a, 8, RAX, RCX);
 *
 * The text is written first, so it cannot depend on what is emitted.
 */
#ifndef TEST_UNIT_X86_TEXT_H
#define TEST_UNIT_X86_TEXT_H

#include "check.h"
#include "codegen/x86_64/asm.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#define SLOT 64           /* bytes of code a case may take, and its alignment */
#define MAX_CASES 40000

static uint8_t code[MAX_CASES * SLOT] __attribute__((aligned(4096)));
static struct text_case {
	int length;
	char text[104];
	char ours[120], theirs[120]; /* the listings */
	int our_length, their_length;
} cases[MAX_CASES];
static int case_count;

static struct x86_asm assembler = { .start = code, .end = code + sizeof code };
static struct x86_asm *const a = &assembler;

static inline PRINTF_LIKE(1, 2) bool
case_begin(const char *format, ...)
{
	va_list args;

	if (case_count == MAX_CASES) {
		fprintf(stderr, "x86_asm: raise MAX_CASES\n");
		exit(1);
	}
	a->p = code + (size_t)case_count * SLOT;
	va_start(args, format);
	vsnprintf(cases[case_count].text, sizeof cases->text, format, args);
	va_end(args);
	return true;
}

static inline bool
case_end(void)
{
	struct text_case *c = &cases[case_count];

	c->length = (int)(a->p - code - (ptrdiff_t)case_count++ * SLOT);
	return false;
}

/* Where the case's code begins. */
#define HERE (code + (size_t)case_count * SLOT)

#define EMIT(...) for (bool now_ = case_begin(__VA_ARGS__); now_; now_ = case_end())

/* ---- operands as text --------------------------------------------------- */

static inline char *
text_buffer(void)
{
	static char ring[16][64];
	static int next;

	return ring[next++ & 15];
}

static inline const char *
r(int size, int reg)
{
	static const char *const old[] = { "ax", "cx", "dx", "bx", "sp", "bp", "si", "di" };
	static const char *const low[] = { "al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil" };
	char *t = text_buffer();

	if (reg >= 8)
		snprintf(t, 64, "r%d%s", reg,
			 size == 8 ? "" : size == 4 ? "d" : size == 2 ? "w" : "b");
	else if (size == 1)
		snprintf(t, 64, "%s", low[reg]);
	else
		snprintf(t, 64, "%s%s", size == 8 ? "r" : size == 4 ? "e" : "", old[reg]);
	return t;
}

static inline const char *
x(int reg)
{
	char *t = text_buffer();

	snprintf(t, 64, "xmm%d", reg);
	return t;
}

static inline const char *
y(int reg)
{
	char *t = text_buffer();

	snprintf(t, 64, "ymm%d", reg);
	return t;
}

static inline const char *
m(int size, struct x86_mem mem)
{
	static char ring[4][64]; /* its own: the register names lie in the other */
	static int next;
	char *t = ring[next++ & 3];
	const char *type = size == 1    ? "byte ptr "
			   : size == 2  ? "word ptr "
			   : size == 4  ? "dword ptr "
			   : size == 8  ? "qword ptr "
			   : size == 16 ? "xmmword ptr "
			   : size == 32 ? "ymmword ptr "
					: "";
	int n = snprintf(t, 64, "%s[", type);

	if (mem.base >= 0)
		n += snprintf(t + n, 64 - (size_t)n, "%s", r(8, mem.base));
	if (mem.index >= 0)
		n += snprintf(t + n, 64 - (size_t)n, "%s%s*%d", mem.base >= 0 ? "+" : "",
			      r(8, mem.index), 1 << mem.scale_log2);
	snprintf(t + n, 64 - (size_t)n, "%+d]", mem.disp);
	return t;
}

/* ---- comparing ---------------------------------------------------------- */

static inline void
write_sources(const char *texts, const char *bytes)
{
	FILE *t = fopen(texts, "w"), *b = fopen(bytes, "w");

	if (!t || !b) {
		perror(texts);
		exit(1);
	}
	fprintf(t, ".intel_syntax noprefix\n");
	for (int i = 0; i < case_count; i++) {
		fprintf(t, ".balign %d, 0xcc\n%s\n", SLOT, cases[i].text);
		fprintf(b, ".balign %d, 0xcc\n", SLOT);
		for (int k = 0; k < cases[i].length; k++)
			fprintf(b, ".byte %d\n", code[(size_t)i * SLOT + (size_t)k]);
	}
	fclose(t);
	fclose(b);
}

/* Appends an objdump line, "ADDRESS:\tBYTES\tTEXT", to its case's listing. */
static inline void
take_line(char *line, bool ours)
{
	char *bytes = strchr(line, '\t'), *text = bytes ? strchr(bytes + 1, '\t') : NULL;
	unsigned long address = strtoul(line, NULL, 16);
	struct text_case *c = &cases[address / SLOT];
	char *listing = ours ? c->ours : c->theirs;
	size_t used;

	if (!text || address / SLOT >= (unsigned long)case_count)
		return;
	text[strcspn(text, "#\n")] = 0;
	while (*text && strchr(" \t", text[strlen(text) - 1]))
		text[strlen(text) - 1] = 0;
	if (!strcmp(text + 1, "int3") && address % SLOT)
		return;
	used = strlen(listing);
	snprintf(listing + used, sizeof c->ours - used, "%s%s", used ? "; " : "", text + 1);
	for (char *p = bytes + 1; p + 1 < text && *p != ' '; p += 3)
		*(ours ? &c->our_length : &c->their_length) += 1;
}

static inline bool
read_listing(const char *folder, const char *name, bool ours)
{
	char command[512], line[512];
	FILE *in;

	snprintf(command, sizeof command,
		 "cd %s && as --64 -o %s.o %s.s && objdump -d -M intel --insn-width=16 %s.o",
		 folder, name, name, name);
	in = popen(command, "r");
	if (!in)
		return false;
	while (fgets(line, sizeof line, in))
		if (line[0] == ' ')
			take_line(line, ours);
	return pclose(in) == 0;
}

/* One byte more than as is fine with rax, for which short forms exist that we
 * do not use; EVEX displacements are not compressed. */
static inline int
allowed_length(const struct text_case *c, int index)
{
	if (code[(size_t)index * SLOT] == 0x62)
		return c->their_length + 3;
	return c->their_length + (strstr(c->text, "ax,") || strstr(c->text, "al,") ||
				  strstr(c->text, "ax") == c->text + strlen(c->text) - 2);
}

static inline void
x86_text_compare(void)
{
	char folder[] = "/tmp/x86_asm.XXXXXX", path[2][64];

	if (system("as --version >/dev/null 2>&1 && objdump --version >/dev/null 2>&1")) {
		printf("x86_asm: no binutils here, encodings are not compared\n");
		return;
	}
	if (!CHECK(mkdtemp(folder) != NULL))
		return;
	snprintf(path[0], sizeof path[0], "%s/theirs.s", folder);
	snprintf(path[1], sizeof path[1], "%s/ours.s", folder);
	write_sources(path[0], path[1]);
	CHECK(read_listing(folder, "theirs", false));
	CHECK(read_listing(folder, "ours", true));
	for (int i = 0; i < case_count; i++) {
		struct text_case *c = &cases[i];

		if (!check_text(c->ours, c->theirs, c->text, "objdump", i))
			continue;
		check_int((uint64_t)c->our_length, (uint64_t)c->length, c->text, "length", i);
		check_condition(c->length > 0 && c->length <= allowed_length(c, i), c->text,
				"longer than as", i);
	}
	for (int i = 0; i < 2; i++) {
		unlink(path[i]);
		path[i][strlen(path[i]) - 1] = 'o';
		unlink(path[i]);
	}
	rmdir(folder);
}

#endif
