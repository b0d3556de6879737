/* The C library's string functions, on words of 1 to 40 and lines of 200
 * characters: each side has the functions that its library chooses.
 * class: integer
 */
#include "kernel.h"

#define WORDS 2000

static char text[WORDS][48], line[256];

static uint64_t
one_round(long n)
{
	uint64_t sum = 0;
	char buffer[512];

	for (int i = 0; i < WORDS; i++) {
		const char *word = text[i], *other = text[(i * 7 + n) % WORDS];

		sum += strlen(word);
		sum += (uint64_t)(strcmp(word, other) > 0);
		sum += (uint64_t)(strncmp(word, other, 3) > 0);
		sum += strchr(word, 'e') != NULL;
		sum += strrchr(word, 't') != NULL;
		strcpy(buffer, word);
		strcat(buffer, other);
		sum += strspn(buffer, "abcdefghijklm");
		sum += memchr(buffer, 'q', 20) != NULL;
		if (i % 16 == 0) {
			line[n % 200] ^= 1;
			sum += strlen(line) + (strstr(line, word) != NULL);
			line[n % 200] ^= 1;
		}
	}
	return sum;
}

int
main(int argc, char **argv)
{
	uint64_t random = 13, sum = 0;

	for (int i = 0; i < WORDS; i++) {
		uint32_t length = 1 + kernel_random(&random) % (i % 8 ? 12 : 40);

		for (uint32_t k = 0; k < length; k++)
			text[i][k] = (char)('a' + kernel_random(&random) % (k < 2 ? 4 : 26));
	}
	for (int i = 0; i < 200; i++)
		line[i] = (char)('a' + kernel_random(&random) % 26);
	for (long n = kernel_rounds(argc, argv, 14000); n > 0; n--)
		sum = kernel_mix(sum, one_round(n));
	return kernel_done(sum);
}
