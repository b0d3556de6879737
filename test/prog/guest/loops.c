/* Loops that run often: what they computed is told exactly when they are left by a
 * fault, a signal, or because their code has become another.
 * out: good
 */
#include "check.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

enum { ROUNDS = 20000, PAGE = 4096 };

/* ---- a fault in the middle ---------------------------------------------------- */

static sigjmp_buf out;
static volatile uint64_t seen_sum, seen_count;

static void
on_fault(int number)
{
	(void)number;
	siglongjmp(out, 1);
}

/* Adds up words until one is not there; what was added so far is in memory. */
__attribute__((noinline)) static void
add_up(const uint32_t *from, volatile uint64_t *sum, volatile uint64_t *count)
{
	uint64_t s = 0;

	for (uint64_t i = 0;; i++) {
		s += from[i] * (i | 1);
		*sum = s;
		*count = i + 1;
	}
}

static void
faults(void)
{
	uint8_t *two = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t *words = (uint32_t *)two;
	uint64_t want = 0;

	mprotect(two + PAGE, PAGE, PROT_NONE);
	signal(SIGSEGV, on_fault);
	for (unsigned i = 0; i < PAGE / 4; i++)
		words[i] = i * 2654435761u;
	for (unsigned round = 0; round < 30; round++) {
		unsigned first = round * 31;

		want = 0;
		for (unsigned i = first; i < PAGE / 4; i++)
			want += words[i] * (uint64_t)((i - first) | 1);
		if (!sigsetjmp(out, 1))
			add_up(words + first, &seen_sum, &seen_count);
		CHECK(seen_sum == want && seen_count == PAGE / 4 - first);
	}
	signal(SIGSEGV, SIG_DFL);
}

/* ---- signals -------------------------------------------------------------------- */

static volatile sig_atomic_t ticks;

static void
on_tick(int number)
{
	(void)number;
	ticks++;
}

__attribute__((noinline)) static double
mixed(uint64_t *integer, unsigned rounds)
{
	uint64_t x = *integer;
	double d = 1;
	float f = 1;

	for (unsigned i = 0; i < rounds; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		d = d * 0.999 + (double)(int32_t)(x >> 40);
		f = f * 0.5f + (float)(int32_t)(x >> 52);
		if (x & 1)
			d -= f;
	}
	*integer = x;
	return d + f;
}

static void
signals(void)
{
	struct itimerval often = { { 0, 500 }, { 0, 500 } }, never = { { 0, 0 }, { 0, 0 } };
	uint64_t calm = 1, x;
	double want = mixed(&calm, ROUNDS);

	signal(SIGALRM, on_tick);
	setitimer(ITIMER_REAL, &often, NULL);
	for (unsigned i = 0; i < 20 || (ticks < 3 && i < 20000); i++) {
		x = 1;
		CHECK(mixed(&x, ROUNDS) == want && x == calm);
	}
	setitimer(ITIMER_REAL, &never, NULL);
	CHECK(ticks > 0);
}

/* ---- floats that a loop must not be entered with ----------------------------------- */

__attribute__((noinline)) static uint64_t
carry(uint64_t bits, unsigned rounds, double by)
{
	double d, other = 0;

	memcpy(&d, &bits, 8);
	for (unsigned i = 0; i < rounds; i++) {
		other = d; /* a NaN goes on with its bits */
		d = i % 64 == 63 ? d * by : other;
		__asm__ volatile("" : "+r"(i));
	}
	memcpy(&bits, &d, 8);
	return bits;
}

static void
floats(void)
{
	CHECK(carry(0x7ff4000000001234, 63, 1) == 0x7ff4000000001234);
	CHECK(carry(0x3ff0000000000000, 640, 2) == 0x4090000000000000);
	CHECK(carry(0x7ff8000000000000, ROUNDS, 2) == 0x7ff8000000000000);
}

/* ---- code that changes --------------------------------------------------------------- */

/* for (;;) { count++; if (*flag) return count; } and its end replaced by a return. */
static volatile uint64_t turning;

static void *
turn(void *code)
{
	((void (*)(volatile uint64_t *))code)(&turning);
	return NULL;
}

#ifdef __riscv
static const uint32_t spin[] = { 0x00053783 /* ld a5,0(a0) */, 0x00178793 /* addi a5,a5,1 */, 0x00f53023 /* sd a5,0(a0) */,
				 0xff5ff06f /* j -12 */, 0x00008067 /* ret */ };
enum { JUMP = 3, RETURN = 0x00008067 };
#else
static const uint32_t spin[] = { 0xf9400001 /* ldr x1,[x0] */, 0x91000421 /* add x1,x1,1 */, 0xf9000001 /* str x1,[x0] */,
				 0x17fffffd /* b -12 */, 0xd65f03c0 /* ret */ };
enum { JUMP = 3, RETURN = 0xd65f03c0 };
#endif

static void
changes(void)
{
	uint32_t *code = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_t thread;

	memcpy(code, spin, sizeof spin);
	__builtin___clear_cache((char *)code, (char *)(code + 8));
	CHECK(!pthread_create(&thread, NULL, turn, code));
	while (turning < ROUNDS)
		usleep(1000);
	__atomic_store_n(&code[JUMP], RETURN, __ATOMIC_SEQ_CST);
	__builtin___clear_cache((char *)code, (char *)(code + 8));
	CHECK(!pthread_join(thread, NULL)); /* or this test never ends */
}

int
main(void)
{
	faults();
	signals();
	floats();
	changes();
	return check_done();
}
