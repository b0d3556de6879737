/* What the guest programs of test/isa/aarch64-random and vector-random share: output,
 * random operands, memory to work on. Included after `call`, which makes a system
 * call of the guest with three arguments, and BUFFER, the bytes of that memory. */
#ifndef TEST_ISA_RANDOM_GUEST_H
#define TEST_ISA_RANDOM_GUEST_H

static u64 buffer[BUFFER / 8] __attribute__((aligned(4096)));

static char out[4096];
static unsigned out_used;

static void
flush(void)
{
	call(64, 1, (long)out, out_used);
	out_used = 0;
}

static void
hex(u64 value, char end)
{
	if (out_used > sizeof out - 20)
		flush();
	for (int i = 60; i >= 0; i -= 4)
		out[out_used++] = "0123456789abcdef"[value >> i & 15];
	out[out_used++] = end;
}

static u64 seed;

static u64
next(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x9e3779b97f4a7c15ul;
}

static u64
operand(void)
{
	static const u64 corners[] = {
		0, 1, 2, ~0ul, ~1ul, ~0ul >> 1, 1ul << 63, 0x7fffffff, 0x80000000, 0xffffffff, 0xffffffff80000000,
		0x100000000, 0x8000, 0x7fff, 0x80, 0x7f, 0xff, 0xffff, 0x0123456789abcdef, 0xff00ff00ff00ff00,
		0x8000800080008000, 0x8080808080808080, 0x7fff7fff7fff7fff, 0x8000000080000000,
	};
	u64 r = next();

	switch (r >> 60 & 3) {
	case 0:
		return corners[(r & 0xffff) % (sizeof corners / 8)];
	case 1:
		return (u64)((long)next() >> (r & 63));
	}
	return next();
}

/* Special floats of each width. */
static const u64 doubles[] = {
	0, 1ul << 63, 0x3ff0000000000000, 0xbff8000000000000, 0x7ff0000000000000, 0xfff0000000000000,
	0x7ff8000000000001, 0x7ff0000000000001, 0xfff4000000000002, 1, 0x000fffffffffffff,
	0x0010000000000000, 0x7fefffffffffffff, 0x3ca0000000000000, 0x43e0000000000000,
	0x41dfffffffc00000, 0xc1e0000000200000, 0x3fe0000000000000, 0x4000000000000000, 0x0370000000000000,
};
static const u32 singles[] = {
	0, 1u << 31, 0x3f800000, 0xbfc00000, 0x7f800000, 0xff800000, 0x7fc00001, 0x7f800001, 0xffa00002, 1,
	0x007fffff, 0x00800000, 0x7f7fffff, 0x33800000, 0x4f000000, 0xcf000001, 0x3f000000, 0x1f800000,
};

static u64
mix(u64 hash, u64 value)
{
	hash = (hash ^ value) * 0xff51afd7ed558ccdul;
	return hash ^ hash >> 32;
}

static void
fill_buffer(void)
{
	for (unsigned j = 0; j < BUFFER / 8; j++)
		buffer[j] = (j + 1) * 0x9e3779b97f4a7c15ul;
}

static unsigned
number_of(const char *text)
{
	unsigned number = 0;

	for (; *text; text++)
		number = number * 10 + (unsigned)(*text - '0');
	return number;
}

#endif
