/* SHA-256 (FIPS 180-4): rotates, logic and adds on 32 bits, unrolled little.
 * class: integer
 */
#include "kernel.h"

static uint32_t round_constant[64], first_hash[8];

/* The constants are the first 32 bits of the fractional parts of the cube
 * (square) roots of the first primes: found here by integer search. */
static uint32_t
root_fraction(unsigned prime, int power)
{
	__extension__ unsigned __int128 low = 0, high = (unsigned __int128)20 << 32, want;

	want = (unsigned __int128)prime << (power == 2 ? 64 : 96);
	while (high - low > 1) {
		__extension__ unsigned __int128 middle = (low + high) / 2;
		__extension__ unsigned __int128 product = middle * middle;

		if (power == 3)
			product *= middle;
		if (product <= want)
			low = middle;
		else
			high = middle;
	}
	return (uint32_t)low;
}

static void
make_constants(void)
{
	unsigned count = 0;

	for (unsigned p = 2; count < 64; p++) {
		unsigned d = 2;

		while (d * d <= p && p % d)
			d++;
		if (d * d <= p)
			continue;
		if (count < 8)
			first_hash[count] = root_fraction(p, 2);
		round_constant[count++] = root_fraction(p, 3);
	}
}

static inline uint32_t
rotate(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

static void
hash_block(uint32_t hash[8], const unsigned char block[64])
{
	uint32_t w[64], s[8];

	for (int i = 0; i < 16; i++)
		w[i] = (uint32_t)block[4 * i] << 24 | block[4 * i + 1] << 16 | block[4 * i + 2] << 8 |
		       block[4 * i + 3];
	for (int i = 16; i < 64; i++) {
		uint32_t a = w[i - 15], b = w[i - 2];

		w[i] = w[i - 16] + w[i - 7] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) +
		       (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
	}
	memcpy(s, hash, sizeof s);
	for (int i = 0; i < 64; i++) {
		uint32_t e = s[4], a = s[0];
		uint32_t t1 = s[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
			      ((e & s[5]) ^ (~e & s[6])) + round_constant[i] + w[i];
		uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) +
			      ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));

		s[7] = s[6];
		s[6] = s[5];
		s[5] = s[4];
		s[4] = s[3] + t1;
		s[3] = s[2];
		s[2] = s[1];
		s[1] = s[0];
		s[0] = t1 + t2;
	}
	for (int i = 0; i < 8; i++)
		hash[i] += s[i];
}

int
main(int argc, char **argv)
{
	static unsigned char data[64 << 10];
	uint32_t hash[8];
	uint64_t random = 1, sum = 0;

	make_constants();
	memcpy(hash, first_hash, sizeof hash);
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (unsigned char)kernel_random(&random);
	for (long n = kernel_rounds(argc, argv, 6000); n > 0; n--)
		for (size_t i = 0; i < sizeof data; i += 64)
			hash_block(hash, data + i);
	for (int i = 0; i < 8; i++)
		sum = kernel_mix(sum, hash[i]);
	return kernel_done(sum);
}
