/* A bytecode interpreter with computed goto: an indirect jump every few
 * instructions, as in the inner loops of language runtimes.
 * class: integer
 */
#include "kernel.h"

enum { LOAD, ADD, SUB, XOR, SHIFT, LESS, JUMP_IF, JUMP, GET, PUT, HALT };

struct code {
	uint8_t op, a, b, c;
};

/* Registers 0…15 and an array of 256 words: a shift-register generator that
 * counts and permutes, 4,096 steps. */
static const struct code program[] = {
	{ LOAD, 0, 0, 0 },      /*  0: i = 0 */
	{ LOAD, 1, 1, 0 },      /*  1: one = 1 */
	{ LOAD, 2, 0, 16 },     /*  2: end = 16 << 8 */
	{ LOAD, 3, 91, 7 },     /*  3: x */
	{ SHIFT, 4, 3, 13 },    /*  4: loop: t = x << 13 */
	{ XOR, 3, 3, 4 },       /*  5 */
	{ SHIFT, 4, 3, 64 + 7 },/*  6: t = x >> 7 */
	{ XOR, 3, 3, 4 },       /*  7 */
	{ SHIFT, 4, 3, 17 },    /*  8 */
	{ XOR, 3, 3, 4 },       /*  9 */
	{ GET, 5, 3, 0 },       /* 10: y = m[x] */
	{ ADD, 5, 5, 0 },       /* 11: y += i */
	{ LESS, 6, 5, 3 },      /* 12: y < x? */
	{ JUMP_IF, 6, 16, 0 },  /* 13 */
	{ SUB, 5, 5, 3 },       /* 14: y -= x */
	{ JUMP, 0, 17, 0 },     /* 15 */
	{ XOR, 5, 5, 3 },       /* 16: y ^= x */
	{ PUT, 5, 0, 0 },       /* 17: m[i] = y */
	{ ADD, 0, 0, 1 },       /* 18: i++ */
	{ LESS, 6, 0, 2 },      /* 19 */
	{ JUMP_IF, 6, 4, 0 },   /* 20 */
	{ HALT, 5, 0, 0 },      /* 21 */
};

static uint64_t memory[256];

static uint64_t
interpret(const struct code *code, uint64_t seed)
{
	static const void *const target[] = {
		[LOAD] = &&load, [ADD] = &&add, [SUB] = &&sub, [XOR] = &&xor, [SHIFT] = &&shift,
		[LESS] = &&less, [JUMP_IF] = &&jump_if, [JUMP] = &&jump, [GET] = &&get,
		[PUT] = &&put, [HALT] = &&halt,
	};
	uint64_t r[16] = { 0 };
	const struct code *p = code;

#define NEXT goto *target[(++p)->op]
	goto *target[p->op];
load:
	r[p->a] = p->b | (uint64_t)p->c << 8;
	if (p->a == 3)
		r[3] ^= seed;
	NEXT;
add:
	r[p->a] = r[p->b] + r[p->c];
	NEXT;
sub:
	r[p->a] = r[p->b] - r[p->c];
	NEXT;
xor:
	r[p->a] = r[p->b] ^ r[p->c];
	NEXT;
shift:
	r[p->a] = p->c & 64 ? r[p->b] >> (p->c & 63) : r[p->b] << p->c;
	NEXT;
less:
	r[p->a] = r[p->b] < r[p->c];
	NEXT;
jump_if:
	if (!r[p->a])
		NEXT;
	p = code + p->b;
	goto *target[p->op];
jump:
	p = code + p->b;
	goto *target[p->op];
get:
	r[p->a] = memory[r[p->b] & 255];
	NEXT;
put:
	memory[r[p->b] & 255] = r[p->a];
	NEXT;
halt:
	return r[p->a];
}

int
main(int argc, char **argv)
{
	uint64_t sum = 1;

	for (long n = kernel_rounds(argc, argv, 15000); n > 0; n--)
		sum = kernel_mix(sum, interpret(program, sum));
	return kernel_done(sum);
}
