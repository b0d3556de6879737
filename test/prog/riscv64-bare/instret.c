/* Writing counters: what is read right behind a write is what was written, and
 * later it is more (manual, 3.1.11). */
#include "bare.h"

#define WRITE_READ(name, value) \
	({ \
		u64 read_; \
		__asm__ volatile("csrw " #name ", %1\ncsrr %0, " #name : "=r"(read_) : "r"((u64)(value))); \
		read_; \
	})

int
main(void)
{
	for (u64 value = 0; value < 1000; value++) {
		CHECK(WRITE_READ(minstret, value), value);
		CHECK(csr_read(instret) > value, true);
	}
	/* Through the highest value. */
	CHECK(WRITE_READ(minstret, -1ull), -1ull);
	CHECK(csr_read(minstret) < 1ull << 32, true);
	csr_write(minstret, 0);
	for (unsigned i = 0; i < 1000; i++)
		__asm__ volatile("");
	CHECK(csr_read(minstret) > 1000, true);
	return 0;
}
