/* CRC-32 (IEEE 802.3), one table, a byte at a time: a chain of dependent loads.
 * class: integer
 */
#include "kernel.h"

static uint32_t table[256];

int
main(int argc, char **argv)
{
	static unsigned char data[64 << 10];
	uint64_t random = 7;
	uint32_t crc = ~0u;

	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int k = 0; k < 8; k++)
			c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1;
		table[i] = c;
	}
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (unsigned char)kernel_random(&random);
	for (long n = kernel_rounds(argc, argv, 9000); n > 0; n--)
		for (size_t i = 0; i < sizeof data; i++)
			crc = table[(crc ^ data[i]) & 255] ^ crc >> 8;
	return kernel_done(~crc);
}
