/* Guest program of test/isa/vector-random: runs each instruction of the list on
 * states of its own making, and prints a hash of the state after it, or with a
 * number as argument the states before and after that one. An illegal instruction
 * counts as a state.
 *
 * Registers x1, x2, x30, x31 are the runner's. Bare: no libc, no floating point of
 * its own.
 */
typedef unsigned long u64;
typedef unsigned int u32;
typedef unsigned char u8;

struct state {
	u64 x[32], f[32]; /* x: [0], [1], [2], [30], [31] stay */
	u64 vl, vtype, vstart, vcsr, fcsr, illegal, pad[2];
	u8 v[32 * 32];
};

struct test {
	u32 bits, flags; /* enum flag */
	u64 vtype, vl, vstart, seed;
};

enum flag {
	BASE = 31,        /* register that holds an address; 0: none */
	STRIDE_SHIFT = 8, /* register that holds a stride; 0: none */
	INDEX_SHIFT = 16, /* bytes of the indices in all vectors; 0: none */
	HASHED = 1 << 24, /* memory is hashed */
	TYPE = 1 << 25,   /* the stride's register holds a vtype */
	WHOLE = 1 << 26,  /* frm is valid */
};

extern const struct test tests[];
extern const u32 test_count, snippets[];
void run_one(struct state *state, const u32 *code);
u64 vector_bytes(void);

enum { BUFFER = 48 << 10, MIDDLE = 16 << 10 };

static long
call4(long number, long a, long b, long c, long d)
{
	register long a7 __asm__("a7") = number, a0 __asm__("a0") = a, a1 __asm__("a1") = b, a2 __asm__("a2") = c,
		      a3 __asm__("a3") = d;

	__asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2), "r"(a3) : "memory");
	return a0;
}

static long
call(long number, long a, long b, long c)
{
	return call4(number, a, b, c, 0);
}

#include "../random_guest.h"

static u64
float_operand(void)
{
	u64 r = next();

	switch (r >> 60 & 7) {
	case 0:
	case 1:
		return doubles[(r & 0xffff) % (sizeof doubles / 8)];
	case 2:
	case 3:
		return (u64)singles[(r & 0xffff) % (sizeof singles / 4)] << 32 |
		       singles[(r >> 16 & 0xffff) % (sizeof singles / 4)];
	case 4: /* boxed */
		return 0xffffffff00000000 | (r >> 58 & 1 ? next() >> 32 : singles[(r & 0xffff) % (sizeof singles / 4)]);
	case 5: /* numbers of middling size, so that sums do not swallow one */
		return (next() & 0x803fffffffffffff) | 0x3fc0000000000000;
	case 6:
		return (next() & 0x83ffffff83ffffff) | 0x3c0000003c000000;
	}
	return operand();
}

static void
make_vectors(struct state *s, const struct test *t)
{
	unsigned size = t->flags >> INDEX_SHIFT & 15;
	u64 *word = (u64 *)s->v;

	for (unsigned i = 0; i < sizeof s->v / 8; i++)
		word[i] = next() >> 63 ? float_operand() : operand();
	for (unsigned i = 0; i < sizeof s->v / 8; i++)
		word[i] &= size == 2 ? 0x3fff3fff3fff3fff : size == 4 ? 0x3fff00003fff : size == 8 ? 0x3fff : ~0ul;
}

static void
make_state(struct state *s, const struct test *t)
{
	unsigned base = t->flags & BASE, stride = t->flags >> STRIDE_SHIFT & 31;

	seed = t->seed;
	for (int i = 0; i < 32; i++)
		s->x[i] = next() >> 63 ? operand() : next() >> 59;
	for (int i = 0; i < 32; i++)
		s->f[i] = float_operand();
	s->vl = t->vl;
	s->vtype = t->vtype;
	s->vstart = t->vstart;
	s->vcsr = next() & 7;
	s->fcsr = next() >> 59 && !(t->flags & WHOLE) ? (next() & 3) << 5 : (next() & 7) << 5;
	s->illegal = 0;
	make_vectors(s, t);
	if (base)
		s->x[base] = (u64)buffer + MIDDLE + (next() >> 62 ? 0 : next() & 7);
	if (stride && t->flags & TYPE)
		s->x[stride] = next() >> 60 ? next() & 0xff : next();
	else if (stride)
		s->x[stride] = next() >> 61 ? (u64)((long)next() >> 57) : next() & 8;
	s->x[0] = s->x[1] = s->x[2] = s->x[30] = s->x[31] = 0;
}

static void
dump(const struct state *s)
{
	for (unsigned i = 0; i < sizeof *s / 8; i++)
		hex(((const u64 *)s)[i], i % 4 == 3 ? '\n' : ' ');
}

static struct state current;

/* struct ucontext of riscv: the pc is behind 176 bytes. */
static void
illegal(int number, void *info, u64 *context)
{
	(void)number, (void)info;
	current.illegal = 1;
	context[22] += 4;
}

static void
run(unsigned i, int show)
{
	struct state *s = &current;
	u64 hash = 0;

	if (tests[i].flags & HASHED)
		fill_buffer();
	make_state(s, &tests[i]);
	if (show)
		dump(s);
	run_one(s, &snippets[2 * i]);
	if (show)
		dump(s);
	for (unsigned j = 0; j < 72 + 4 * vector_bytes(); j++)
		hash = mix(hash, ((u64 *)s)[j]);
	if (tests[i].flags & HASHED)
		for (unsigned j = 0; j < BUFFER / 8; j++)
			hash = mix(hash, buffer[j]);
	hex(hash, s->illegal ? '!' : ' ');
	hex(0, '\n');
}

void
start(long *stack)
{
	u64 action[3] = { (u64)illegal, 4 /* SA_SIGINFO */, 0 };
	unsigned only = test_count;

	call4(134, 4 /* SIGILL */, (long)action, 0, 8);
	fill_buffer();
	if (stack[0] > 1)
		only = number_of((const char *)stack[2]);
	for (unsigned i = 0; i < test_count; i++)
		if (only == test_count || i == only)
			run(i, only != test_count);
	flush();
	call(94, 0, 0, 0);
}
