/* Guest program of test/isa/aarch64-random: runs each block of instructions on
 * states of its own making, and prints a hash of the state after it, or with a
 * number as argument the states before and after that one.
 *
 * Registers x28 and x30 are the runner's, and so is SP. Bare: no libc, no floating
 * point of its own.
 */
typedef unsigned long u64;
typedef unsigned int u32;

struct state {
	u64 x[32]; /* [28] and [30] stay; [31] is NZCV */
	u64 v[64];
	u64 fpcr, fpsr;
};

/* How the instruction uses memory, besides its bits. */
struct test {
	u32 bits, flags; /* flags: base register, 32 none; index register << 8; bit 16: hash memory */
	u64 seed;
};

extern const struct test tests[];
extern const u32 test_count, snippet_words, snippets[];
void run_one(struct state *state, const u32 *code);

enum { BUFFER = 96 << 10, MIDDLE = 8 << 10 };

static long
call(long number, long a, long b, long c)
{
	register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
	return x0;
}

#include "../random_guest.h"

/* Floats: special ones of each width, in all lanes or some. */
static u64
float_operand(void)
{
	static const u32 halves[] = {
		0, 0x8000, 0x3c00, 0xbe00, 0x7c00, 0xfc00, 0x7e01, 0x7c01, 0xfd02, 1, 0x3ff, 0x400, 0x7bff, 0x1400,
	};
	u64 r = next();

	switch (r >> 60 & 7) {
	case 0:
	case 1:
		return doubles[(r & 0xffff) % (sizeof doubles / 8)];
	case 2:
	case 3:
		return (u64)singles[(r & 0xffff) % (sizeof singles / 4)] << 32 |
		       singles[(r >> 16 & 0xffff) % (sizeof singles / 4)];
	case 4:
		r = next();
		return (u64)halves[(r & 0xfff) % (sizeof halves / 4)] |
		       (u64)halves[(r >> 12 & 0xfff) % (sizeof halves / 4)] << 16 |
		       (u64)halves[(r >> 24 & 0xfff) % (sizeof halves / 4)] << 32 |
		       (u64)halves[(r >> 36 & 0xfff) % (sizeof halves / 4)] << 48;
	case 5: /* numbers of middling size, so that sums do not swallow one */
		return (next() & 0x803fffffffffffff) | 0x3fc0000000000000;
	case 6:
		return (next() & 0x83ffffff83ffffff) | 0x3c0000003c000000;
	}
	return operand();
}

static void
make_state(struct state *s, const struct test *t)
{
	unsigned base = t->flags & 63, index = t->flags >> 8 & 63;

	seed = t->seed;
	for (int i = 0; i < 31; i++)
		s->x[i] = operand();
	s->x[31] = (next() & 15) << 28;
	for (int i = 0; i < 64; i++)
		s->v[i] = next() >> 63 ? float_operand() : operand();
	s->fpcr = next() >> 62 ? 0 : next() & (3ul << 22 | 1ul << 24 | 1ul << 25 | 1ul << 26 | 1ul << 19);
	s->fpsr = next() >> 62 ? 0 : next() & 0x0800009f;
	if (base < 31)
		s->x[base] = (u64)buffer + MIDDLE + (next() & (t->flags >> 17 & 1 ? 15 : 0));
	if (index < 31)
		s->x[index] = (u64)((long)next() >> 55) & (t->flags >> 18 & 1 ? 0xff : ~0ul);
}

static void
dump(const struct state *s)
{
	for (unsigned i = 0; i < sizeof *s / 8; i++)
		hex(((const u64 *)s)[i], i % 4 == 3 ? '\n' : ' ');
	hex(0, '\n');
}

static void
run(unsigned i, int show)
{
	static struct state s;
	u64 hash = 0;

	if (tests[i].flags >> 16 & 1)
		fill_buffer();
	make_state(&s, &tests[i]);
	if (show)
		dump(&s);
	run_one(&s, &snippets[i * snippet_words]);
	if (show)
		dump(&s);
	for (unsigned j = 0; j < sizeof s / 8; j++)
		hash = mix(hash, ((u64 *)&s)[j]);
	if (tests[i].flags >> 16 & 1)
		for (unsigned j = 0; j < BUFFER / 8; j++)
			hash = mix(hash, buffer[j]);
	hex(hash, '\n');
}

void
start(long *stack)
{
	unsigned only = test_count;

	fill_buffer();
	if (stack[0] > 1)
		only = number_of((const char *)stack[2]);
	for (unsigned i = 0; i < test_count; i++)
		if (only == test_count || i == only)
			run(i, only != test_count);
	flush();
	call(94, 0, 0, 0);
}
