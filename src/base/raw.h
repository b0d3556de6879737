/* The raw system call of the host, for code that may not touch libc's errno.
 * The only place below host/ that knows the host's instruction for it. */
#ifndef BASE_RAW_H
#define BASE_RAW_H

/* Makes host system call nr (the host's own number). Returns what the kernel
 * returned: -4095…-1 is a negated errno. Any thread. */
#ifdef __clang_analyzer__ /* which does not see that the kernel writes to memory */
long raw_syscall(long nr, long a, long b, long c, long d, long e, long f);
#else
static inline long
raw_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
#if defined(__x86_64__)
	long result;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
#else
#error "base/raw.h: teach it this host's system call"
#endif
}
#endif

#define RAW0(nr) raw_syscall(nr, 0, 0, 0, 0, 0, 0)
#define RAW1(nr, a) raw_syscall(nr, (long)(a), 0, 0, 0, 0, 0)
#define RAW2(nr, a, b) raw_syscall(nr, (long)(a), (long)(b), 0, 0, 0, 0)
#define RAW3(nr, a, b, c) raw_syscall(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define RAW4(nr, a, b, c, d) \
	raw_syscall(nr, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define RAW5(nr, a, b, c, d, e) \
	raw_syscall(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define RAW6(nr, a, b, c, d, e, f) \
	raw_syscall(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

/* True for the results that mean failure. */
static inline int
raw_failed(long result)
{
	return (unsigned long)result > -4096UL;
}

#endif
