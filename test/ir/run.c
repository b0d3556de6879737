/* Runs tests written as IR: test/ir/NAME.ir.
 *
 * A test is a region with its expectations in comments:
 *
 *	# slots GUEST                 aarch64, x86 (toys) or riscv64; riscv64 if not said
 *	# case                        from here on another run of the region
 *	# set SLOT = VALUE            before the run; zero what is not set
 *	# mem ADDRESS = BYTE …        likewise; memory is 0x1000 to 0x1fff
 *	# expect SLOT = VALUE         after it; what is not expected has not changed
 *	# expect mem ADDRESS = BYTE …
 *	# expect exit KIND PC         PC: as DELTA from the region's, or a whole
 *	                              address for the kinds that take a value
 *	# expect trap TRAP DELTA      by an exit, a CHECK or an access
 *	# expect retired N            if it matters
 *	# error: TEXT                 in err_NAME.ir: refused, with TEXT in the message
 *
 * VALUE is a number of up to 256 bits in 0x or decimal, or for flags the words
 * n z c v p a not_borrow, or none. fp_flags and fp_round are slots as well.
 *
 * Each region is read, verified, printed and read back; every case is run by
 * the evaluator and, if the host has code for all of it, by generated code.
 *
 *	run FILE…                     a line a test: ok NAME | not ok NAME: why
 */
#include "test.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 64, TEXT_SIZE = 1 << 16 };

/* A value for a slot or bytes for memory. */
struct item {
	unsigned slot; /* or FP_FLAGS, FP_ROUND, MEMORY */
	uint64_t address;
	unsigned size;
	uint8_t bytes[64];
};
enum { FP_FLAGS = 1000, FP_ROUND, MEMORY };

struct test_case {
	struct item set[MOST], expect[MOST];
	unsigned sets, expects;
	bool ends; /* says how it ends */
	struct test_end end;
	bool retired;
};

static struct {
	const char *name;
	const struct test_guest *guest;
	struct arena arena;
	struct ir_region region;
	char error[256]; /* expected */
	struct test_case cases[16];
	unsigned count;
	char why[1024]; /* the first failure */
	unsigned compiled;
} test;

static struct ir_frame start, frame;
static uint8_t start_memory[TEST_MEMORY_SIZE], want_memory[TEST_MEMORY_SIZE];

static bool fail(const char *format, ...) PRINTF_LIKE(1, 2);

static bool
fail(const char *format, ...)
{
	va_list args;

	if (test.why[0])
		return false;
	va_start(args, format);
	vsnprintf(test.why, sizeof test.why, format, args);
	va_end(args);
	return false;
}

/* ---- reading directives ------------------------------------------------- */

/* The value's bytes, lowest first: a number of any width up to the field's. */
static bool
read_number(const char *text, uint8_t *bytes, unsigned size)
{
	unsigned base = !strncmp(text, "0x", 2) ? 16 : 10;
	bool minus = *text == '-';

	memset(bytes, 0, size);
	text += base == 16 ? 2 : minus;
	if (!*text)
		return false;
	for (; *text && !isspace((unsigned char)*text); text++) {
		unsigned digit = isdigit((unsigned char)*text) ? (unsigned)(*text - '0') :
								 (unsigned)(tolower(*text) - 'a') + 10;

		if (digit >= base)
			return false;
		for (unsigned i = 0; i < size; i++) {
			digit += bytes[i] * base;
			bytes[i] = (uint8_t)digit;
			digit >>= 8;
		}
		if (digit)
			return false;
	}
	for (unsigned i = 0, carry = 1; minus && i < size; i++) {
		carry += (uint8_t)~bytes[i];
		bytes[i] = (uint8_t)carry;
		carry >>= 8;
	}
	return true;
}

static bool
read_flags(const char *text, uint8_t *flags)
{
	static const char *const name[] = { "n", "z", "c", "v", "p", "a", "not_borrow" };
	char word[32];
	int length;

	for (*flags = 0; sscanf(text, "%31s%n", word, &length) == 1; text += length) {
		unsigned i = 0;

		while (i < ARRAY_LEN(name) && strcmp(word, name[i]))
			i++;
		if (i < ARRAY_LEN(name))
			*flags |= (uint8_t)(1 << i);
		else if (strcmp(word, "none"))
			return false;
	}
	return true;
}

static unsigned
slot_bytes(unsigned slot)
{
	unsigned bits = ir_type_bits(test.guest->slots->slot[slot].type);

	return bits ? bits / 8 : 1;
}

/* SLOT = VALUE */
static bool
read_slot(const char *text, struct item *item)
{
	const struct ir_slots *slots = test.guest->slots;
	char name[32];
	int length;

	if (sscanf(text, " %31[a-z_0-9A-Z] = %n", name, &length) != 1)
		return fail("no SLOT = VALUE in `%s`", text);
	text += length;
	if (!strcmp(name, "fp_flags") || !strcmp(name, "fp_round")) {
		item->slot = !strcmp(name, "fp_flags") ? FP_FLAGS : FP_ROUND;
		item->size = 4;
		return read_number(text, item->bytes, 4) || fail("no number in `%s`", text);
	}
	for (item->slot = 0; item->slot < slots->count; item->slot++)
		if (!strcmp(slots->slot[item->slot].name, name))
			break;
	if (item->slot == slots->count)
		return fail("no slot %s", name);
	item->size = slot_bytes(item->slot);
	if (slots->slot[item->slot].type == IR_FLAGS)
		return read_flags(text, item->bytes) || fail("no flags `%s`", text);
	return read_number(text, item->bytes, item->size) || fail("no number for %s in `%s`", name, text);
}

/* ADDRESS = BYTE … */
static bool
read_memory(const char *text, struct item *item)
{
	char *end;

	item->slot = MEMORY;
	item->address = strtoull(text, &end, 0);
	end += strspn(end, " ");
	if (*end++ != '=')
		return fail("no ADDRESS = BYTES in `%s`", text);
	for (item->size = 0; item->size < sizeof item->bytes; item->size++) {
		end += strspn(end, " \n");
		if (!*end)
			break;
		item->bytes[item->size] = (uint8_t)strtoul(end, &end, 16);
	}
	if (item->address < TEST_MEMORY || item->address + item->size > TEST_MEMORY + TEST_MEMORY_SIZE)
		return fail("%#llx is not in memory", (unsigned long long)item->address);
	return true;
}

static bool
read_end(const char *text, struct test_case *c)
{
	static const char *const kind[] = { "jump", "call", "indirect", "icall", "return", "trap", "lookup" };
	static const char *const trap[] = { "none",       "illegal",     "breakpoint",  "syscall", "misaligned",
					    "read_fault", "write_fault", "fetch_fault", "divide" };
	char what[16], which[16];
	long long pc;
	unsigned i = 0;
	bool by_trap;

	if (sscanf(text, "%15s %15s %lli", what, which, &pc) != 3)
		return fail("no end in `%s`", text);
	by_trap = !strcmp(what, "trap");
	while (i < (by_trap ? ARRAY_LEN(trap) : ARRAY_LEN(kind)) && strcmp(which, by_trap ? trap[i] : kind[i]))
		i++;
	if (i == (by_trap ? ARRAY_LEN(trap) : ARRAY_LEN(kind)))
		return fail("no %s `%s`", what, which);
	c->ends = true;
	c->end.kind = by_trap ? IR_EXIT_TRAP : (enum ir_exit_kind)i;
	c->end.trap = by_trap ? (enum ir_trap)i : IR_TRAP_NONE;
	c->end.pc = (uint64_t)pc;
	if (c->end.kind != IR_EXIT_INDIRECT && c->end.kind != IR_EXIT_ICALL && c->end.kind != IR_EXIT_RETURN)
		c->end.pc += test.region.pc;
	return true;
}

static bool
read_expect(const char *text, struct test_case *c)
{
	struct item *item = &c->expect[c->expects];

	if (!strncmp(text, "exit ", 5) || !strncmp(text, "trap ", 5))
		return read_end(text, c);
	if (sscanf(text, "retired %u", &c->end.retired) == 1)
		return c->retired = true;
	if (++c->expects == MOST)
		return fail("too many expectations");
	return !strncmp(text, "mem ", 4) ? read_memory(text + 4, item) : read_slot(text, item);
}

/* One comment that begins a line. Others are for people. */
static bool
read_directive(const char *text)
{
	struct test_case *c = &test.cases[test.count ? test.count - 1 : 0];
	char slots[32];

	if (!strncmp(text, "error: ", 7)) {
		snprintf(test.error, sizeof test.error, "%s", text + 7);
	} else if (sscanf(text, "slots %31s", slots) == 1) {
		test.guest = test_guest(slots);
		return test.guest || fail("no guest %s", slots);
	} else if (!strncmp(text, "case", 4) && !text[4]) {
		if (test.count == 1 && !c->sets && !c->expects && !c->ends)
			return true;
		return test.count++ < ARRAY_LEN(test.cases) - 1 || fail("too many cases");
	} else if (!strncmp(text, "set ", 4) || !strncmp(text, "mem ", 4)) {
		struct item *item = &c->set[c->sets];

		if (++c->sets == MOST)
			return fail("too many sets");
		return text[0] == 's' ? read_slot(text + 4, item) : read_memory(text + 4, item);
	} else if (!strncmp(text, "expect ", 7)) {
		return read_expect(text + 7, c);
	}
	return true;
}

static bool
read_directives(const char *text)
{
	char line[512];

	for (; text && *text; text = strchr(text, '\n') ? strchr(text, '\n') + 1 : NULL) {
		if (*text != '#')
			continue;
		text++;
		text += strspn(text, " ");
		snprintf(line, sizeof line, "%.*s", (int)strcspn(text, "\n"), text);
		for (size_t end = strlen(line); end && isspace((unsigned char)line[end - 1]);)
			line[--end] = 0;
		if (!read_directive(line))
			return false;
	}
	return true;
}

/* ---- running ------------------------------------------------------------ */

static void
put_item(const struct item *item, struct ir_frame *to, uint8_t *memory)
{
	uint32_t word;

	memcpy(&word, item->bytes, sizeof word);
	switch (item->slot) {
	case FP_FLAGS:
		to->fp_flags = word;
		break;
	case FP_ROUND:
		to->fp_round = word;
		break;
	case MEMORY:
		memcpy(memory + (item->address - TEST_MEMORY), item->bytes, item->size);
		break;
	default:
		memcpy(to->guest + test.guest->slots->slot[item->slot].offset, item->bytes, item->size);
		break;
	}
}

/* As much of a value as shows what is wrong. */
static const char *
show(const uint8_t *bytes, unsigned size)
{
	static char text[2][80];
	static unsigned turn;
	char *p = text[turn ^= 1];

	p += sprintf(p, "0x");
	for (unsigned i = size; i-- > 0;)
		p += sprintf(p, "%02x", bytes[i]);
	return text[turn];
}

static bool
check_slots(const char *how, const struct ir_frame *want)
{
	const struct ir_slots *slots = test.guest->slots;

	for (unsigned i = 0; i < slots->count; i++) {
		const struct ir_slot *slot = &slots->slot[i];
		unsigned size = slot_bytes(i);
		const uint8_t *got = frame.guest + slot->offset, *expected = want->guest + slot->offset;

		if (slot->type == IR_FLAGS ? !((*got ^ *expected) & test.guest->flags) :
					     !memcmp(got, expected, size))
			continue;
		return fail("%s: %s is %s, not %s", how, slot->name, show(got, size), show(expected, size));
	}
	/* Which guests have a flag for denormal inputs is not the test's matter. */
	if ((frame.fp_flags ^ want->fp_flags) & 31)
		return fail("%s: fp_flags are %#x, not %#x", how, frame.fp_flags, want->fp_flags);
	if (frame.fp_round != want->fp_round)
		return fail("%s: fp_round is %u, not %u", how, frame.fp_round, want->fp_round);
	for (unsigned i = 0; i < TEST_MEMORY_SIZE; i++)
		if (test_memory[i] != want_memory[i])
			return fail("%s: byte %#x is %#x, not %#x", how, TEST_MEMORY + i, test_memory[i],
				    want_memory[i]);
	return true;
}

static bool
check_end(const char *how, const struct test_case *c, const struct test_end *end)
{
	if (end->kind != c->end.kind)
		return fail("%s: the exit is of kind %d, not %d", how, end->kind, c->end.kind);
	if (end->fault ? c->end.trap != IR_TRAP_READ_FAULT && c->end.trap != IR_TRAP_WRITE_FAULT :
			 end->trap != c->end.trap)
		return fail("%s: the trap is %d, not %d", how, end->trap, c->end.trap);
	if (end->pc != c->end.pc)
		return fail("%s: pc is %#llx, not %#llx", how, (unsigned long long)end->pc,
			    (unsigned long long)c->end.pc);
	if (c->retired && !end->fault && end->retired != c->end.retired)
		return fail("%s: %u instructions retired, not %u", how, end->retired, c->end.retired);
	return true;
}

static bool
run_evaluator(const struct test_case *c, struct test_end *end)
{
	struct ir_window window = { TEST_MEMORY, TEST_MEMORY_SIZE, test_memory };
	struct ir_eval eval = { .frame = &frame, .window = &window, .arena = &test.arena };

	(void)c;
	if (!ir_eval(&eval, &test.region))
		return fail("evaluator: cannot do it");
	*end = (struct test_end){ .kind = eval.kind, .trap = eval.trap, .pc = frame.pc, .link = eval.link,
				  .retired = eval.retired };
	return true;
}

static bool
run_case(const struct test_case *c)
{
	static struct ir_frame want;
	struct test_end end;

	if (!c->ends)
		return fail("it says not how it ends");
	memset(&start, 0, sizeof start);
	memset(start_memory, 0, sizeof start_memory);
	start.link_address = IR_LINK_NONE;
	for (unsigned i = 0; i < c->sets; i++)
		put_item(&c->set[i], &start, start_memory);
	memcpy(&want, &start, sizeof want);
	memcpy(want_memory, start_memory, sizeof want_memory);
	for (unsigned i = 0; i < c->expects; i++)
		put_item(&c->expect[i], &want, want_memory);

	memcpy(&frame, &start, sizeof frame);
	memcpy(test_memory, start_memory, sizeof start_memory);
	if (!run_evaluator(c, &end) || !check_end("evaluator", c, &end) || !check_slots("evaluator", &want))
		return false;
	memcpy(&frame, &start, sizeof frame);
	memcpy(test_memory, start_memory, sizeof start_memory);
	if (!test_host_run(&test.region, &frame, &end))
		return true;
	test.compiled++;
	return check_end("generated code", c, &end) && check_slots("generated code", &want);
}

static bool
same_region(const struct ir_region *x, const struct ir_region *y)
{
	if (x->ins_count != y->ins_count || x->block_count != y->block_count || x->pool_count != y->pool_count ||
	    x->map_count != y->map_count || x->insns != y->insns || x->bytes != y->bytes)
		return false;
	for (uint32_t i = 0; i < x->map_count; i++)
		if (x->map[i].at != y->map[i].at || x->map[i].slot != y->map[i].slot ||
		    x->map[i].fixup != y->map[i].fixup || x->map[i].value != y->map[i].value)
			return false;
	return !memcmp(x->ins, y->ins, x->ins_count * sizeof *x->ins) &&
	       !memcmp(x->block, y->block, x->block_count * sizeof *x->block) &&
	       !memcmp(x->pool, y->pool, x->pool_count * sizeof *x->pool);
}

static bool
read_region(const char *text, struct error *error)
{
	return !ir_parse(&test.region, &test.arena, test.guest->slots, test_helper, test_helpers, text, error) &&
	       !ir_verify(&test.region, error);
}

static bool
check_print(void)
{
	static char text[TEXT_SIZE];
	struct ir_region first = test.region;
	struct error error = { 0 };

	if (ir_print(&first, text, sizeof text) >= (int)sizeof text)
		return fail("its text is too long");
	if (!read_region(text, &error))
		return fail("as printed: %s", error.text);
	return same_region(&first, &test.region) || fail("printed and read back it differs");
}

static bool
run_test(const char *text)
{
	struct error error = { 0 };
	bool good;

	test.guest = test_guest("riscv64");
	test.count = 1;
	/* The guest is needed for the region, the region's pc for expectations. */
	if (strstr(text, "# slots ") && !read_directive(strstr(text, "# slots ") + 2))
		return false;
	good = read_region(text, &error);
	if (!read_directives(text))
		return false;
	if (test.error[0]) {
		if (good)
			return fail("it is not refused");
		return strstr(error.text, test.error) || fail("the error is `%s`", error.text);
	}
	if (!good)
		return fail("%s", error.text);
	if (!check_print())
		return false;
	for (unsigned i = 0; i < test.count; i++)
		if (!run_case(&test.cases[i])) {
			size_t length = strlen(test.why);

			snprintf(test.why + length, sizeof test.why - length, " (case %u)", i + 1);
			return false;
		}
	return true;
}

static void
run_file(const char *path)
{
	static char text[TEXT_SIZE];
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	FILE *file = fopen(path, "r");
	size_t length = file ? fread(text, 1, sizeof text - 1, file) : 0;
	struct arena arena = test.arena;

	if (file)
		fclose(file);
	text[length] = 0;
	memset(&test, 0, sizeof test);
	test.arena = arena;
	arena_reset(&test.arena);
	test.name = name;
	if (!length)
		fail("cannot read it");
	else if (!run_test(text))
		fail("no reason given");
	else if (!strncmp(name, "err_", 4) != (test.error[0] != 0))
		fail("err_ in the name goes with `# error:`");
	if (test.why[0])
		printf("not ok ir/%s: %s\n", name, test.why);
	else
		printf("ok ir/%s (%u of %u cases compiled)\n", name, test.compiled, test.error[0] ? 0 : test.count);
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	if (!test_host_init())
		return 1;
	for (int i = 1; i < argc; i++)
		run_file(argv[i]);
	return 0;
}
