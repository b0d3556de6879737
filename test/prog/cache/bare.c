/* A program without a C library, so that its translations make a small store: as
 * many steps as fill 64 KiB. Prints 16 digits. */
static unsigned long x = 1;

#define STEP(n)                                                                        \
	__attribute__((noinline)) static void step##n(unsigned long y)                  \
	{                                                                               \
		x = (x ^ y) * (2654435761u + n) + (x >> (n % 13 + 1));                  \
		if (x & (1ul << n % 31))                                                \
			x += y >> 3;                                                    \
		else                                                                    \
			x ^= y << 5;                                                    \
	}
#define TEN(n) STEP(n##0) STEP(n##1) STEP(n##2) STEP(n##3) STEP(n##4) STEP(n##5) STEP(n##6) STEP(n##7) STEP(n##8) STEP(n##9)
#define CALL(n) step##n(x);
#define CALL_TEN(n) CALL(n##0) CALL(n##1) CALL(n##2) CALL(n##3) CALL(n##4) CALL(n##5) CALL(n##6) CALL(n##7) CALL(n##8) CALL(n##9)
TEN(1) TEN(2) TEN(3) TEN(4) TEN(5) TEN(6) TEN(7)

static long
call3(long number, long a, const void *b, long c)
{
#if defined __riscv
	register long r7 __asm__("a7") = number, r0 __asm__("a0") = a, r2 __asm__("a2") = c;
	register const void *r1 __asm__("a1") = b;

	__asm__ volatile("ecall" : "+r"(r0) : "r"(r7), "r"(r1), "r"(r2) : "memory");
#elif defined __aarch64__
	register long r8 __asm__("x8") = number, r0 __asm__("x0") = a, r2 __asm__("x2") = c;
	register const void *r1 __asm__("x1") = b;

	__asm__ volatile("svc 0" : "+r"(r0) : "r"(r8), "r"(r1), "r"(r2) : "memory");
#else
	register long r0 __asm__("rax") = number == 64 ? 1 : 231;

	__asm__ volatile("syscall" : "+r"(r0) : "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
#endif
	return r0;
}

void
_start(void)
{
	char text[17];

	for (int i = 0; i < 4; i++) {
		CALL_TEN(1) CALL_TEN(2) CALL_TEN(3) CALL_TEN(4) CALL_TEN(5) CALL_TEN(6) CALL_TEN(7)
	}
	for (int i = 0; i < 16; i++)
		text[i] = "0123456789abcdef"[x >> (60 - 4 * i) & 15];
	text[16] = '\n';
	call3(64, 1, text, 17);
	call3(94, 0, 0, 0);
}
