/* A guest for tests of the verbs of machines: answers a letter on the serial line
 * with a line. Freestanding, started in S-mode like a kernel.
 *
 *     h  "harts N"         t  "time N" (seconds since it was switched on)
 *     c  "count N": goes up by one each time   m  "memory good" or "memory bad":
 *        1 MiB that was filled at the start    f  fills it anew, "filled"
 *     q  powers off        r  resets           p  powers off, saying that it crashed
 *     i  "idle", waits for two seconds with a timer of 100 Hz, "idled"
 *     b  "busy", works and answers nothing any more
 *
 * AT_ONCE: a letter that is done first, without having been sent.
 *
 * Sources: NS16550A data sheet; SBI 2.0 (SRST); the map of QEMU's virt board.
 */
#include <stdint.h>

#define UART ((volatile uint8_t *)0x10000000)
#define WORDS (1u << 17)
#define HZ 10000000 /* of `time` */

#ifndef AT_ONCE
#define AT_ONCE 0
#endif

static uint64_t block[WORDS];
static uint64_t seed = 88172645463325252u, count;

__asm__(".section .text.entry\n.global _start\n_start:\n\tla sp, stack_end\n\tj start\n"
	".bss\n.balign 16\n\t.space 65536\nstack_end:\n.text\n");

static long
sbi(uint64_t extension, uint64_t function, uint64_t first, uint64_t second)
{
	register uint64_t a0 __asm__("a0") = first, a1 __asm__("a1") = second;
	register uint64_t a6 __asm__("a6") = function, a7 __asm__("a7") = extension;

	__asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a6), "r"(a7) : "memory");
	return (long)a0;
}

static void
put(const char *text)
{
	for (; *text; text++) {
		while (!(UART[5] & 0x20))
			;
		UART[0] = (uint8_t)*text;
	}
}

static void
put_number(const char *name, uint64_t value)
{
	char digits[24];
	int at = sizeof digits;

	digits[--at] = 0;
	do
		digits[--at] = (char)('0' + value % 10);
	while (value /= 10);
	put(name);
	put(&digits[at]);
	put("\n");
}

static uint64_t
next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void
fill(void)
{
	uint64_t state = seed;

	for (unsigned i = 0; i < WORDS; i++)
		block[i] = next(&state);
}

static int
is_good(void)
{
	uint64_t state = seed;

	for (unsigned i = 0; i < WORDS; i++)
		if (block[i] != next(&state))
			return 0;
	return 1;
}

static unsigned
harts(void)
{
	unsigned n = 0;

	/* HSM hart_get_status: an error for harts that are not there. */
	while (n < 64 && sbi(0x48534d, 2, n, 0) == 0)
		n++;
	return n;
}

static uint64_t
ticks(void)
{
	uint64_t time;

	__asm__ volatile("rdtime %0" : "=r"(time));
	return time;
}

/* As a kernel that has nothing to do but its ticks. */
static void
idle(void)
{
	uint64_t end = ticks() + 2 * HZ;

	__asm__ volatile("csrw sie, %0" : : "r"(1 << 5));
	while (ticks() < end) {
		sbi(0x54494d45, 0, ticks() + HZ / 100, 0); /* TIME set_timer */
		__asm__ volatile("wfi" : : : "memory");
	}
	sbi(0x54494d45, 0, -1ul, 0);
}

_Noreturn void
start(void)
{
	fill();
	put("guest: ready\n");
	for (uint8_t letter = AT_ONCE;; letter = 0) {
		while (!letter && !(UART[5] & 1))
			;
		switch (letter ? letter : UART[0]) {
		case 'h':
			put_number("harts ", harts());
			break;
		case 't':
			put_number("time ", ticks() / HZ);
			break;
		case 'c':
			put_number("count ", ++count);
			break;
		case 'm':
			put(is_good() ? "memory good\n" : "memory bad\n");
			break;
		case 'f':
			seed = seed * 3 + 1;
			fill();
			put("filled\n");
			break;
		case 'i':
			put("idle\n");
			idle();
			put("idled\n");
			break;
		case 'b':
			put("busy\n");
			for (;;)
				__asm__ volatile("");
		case 'q':
			sbi(0x53525354, 0, 0, 0);
			break;
		case 'r':
			sbi(0x53525354, 0, 1, 0);
			break;
		case 'p':
			sbi(0x53525354, 0, 0, 1);
			break;
		}
	}
}
