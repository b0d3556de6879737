/* Accesses that cross into a page that faults, above or below: what the handler
 * sees, and that the instruction, restarted, is right. The manual allows a store
 * that aborts to have written what it could (B2.2); so each byte is old or new
 * then, but no register is, and nothing beside the access.
 * out: good
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "check.h"

#define PAGE 4096
#define MOST 64
#define BESIDE (MOST + 16) /* bytes looked at on each side of the border */

/* The access is of `bytes` at x0; x0 moves by `step` afterwards. */
struct access {
	const char *name;
	void (*run)(uint8_t **at);
	unsigned bytes;
	int step;
	int is_load;
};

static uint8_t *pages; /* two, between two that are not there */
static uint8_t old[2 * BESIDE], values[MOST];
static uint8_t loaded[MOST];
static const struct access *current;
static uint8_t *place, *border; /* old is what lies around the border */
static int closed; /* page that faults */
static volatile int faults;

/* x2, x3 and v0 to v3 hold bytes of values, or get what is loaded. */
#define ACCESS(name, code) \
	static void name(uint8_t **at) \
	{ \
		register uint8_t *x0 __asm__("x0") = *at; \
		register const uint8_t *from __asm__("x1") = values; \
		register uint8_t *to __asm__("x4") = loaded; \
\
		__asm__ volatile("ldp x2, x3, [x1]; ld1 {v0.16b-v3.16b}, [x1]\n\t" code "\n\t" : "+r"(x0) : "r"(from), "r"(to) \
				 : "x2", "x3", "x5", "v0", "v1", "v2", "v3", "memory"); \
		*at = x0; \
	}
#define KEEP_X "; stp x2, x3, [x4]"
#define KEEP_V "; st1 {v0.16b-v3.16b}, [x4]"

ACCESS(str_x, "str x2, [x0]")
ACCESS(str_w, "str w2, [x0], #4")
ACCESS(str_q, "str q0, [x0, #0]!")
ACCESS(stp_x, "stp x2, x3, [x0], #16")
ACCESS(stp_pre, "stp x2, x3, [x0, #0]!")
ACCESS(stp_w, "stp w2, w3, [x0]")
ACCESS(stp_q, "stp q0, q1, [x0]")
ACCESS(st1_4, "st1 {v0.16b-v3.16b}, [x0], #64")
ACCESS(st2, "st2 {v0.8h, v1.8h}, [x0]")
ACCESS(st3, "st3 {v0.4s-v2.4s}, [x0], #48")
ACCESS(st4, "st4 {v0.16b-v3.16b}, [x0]")
ACCESS(st4_lane, "st4 {v0.d-v3.d}[1], [x0]")
ACCESS(ldr_x, "ldr x2, [x0]" KEEP_X)
ACCESS(ldp_x, "ldp x2, x3, [x0], #16" KEEP_X)
ACCESS(ldp_q, "ldp q0, q1, [x0]" KEEP_V)
ACCESS(ld1_4, "ld1 {v0.16b-v3.16b}, [x0], #64" KEEP_V)
ACCESS(ld4, "ld4 {v0.16b-v3.16b}, [x0]" KEEP_V)

static const struct access accesses[] = {
	{ "str x", str_x, 8, 0, 0 }, { "str w", str_w, 4, 4, 0 }, { "str q", str_q, 16, 0, 0 }, { "stp x", stp_x, 16, 16, 0 },
	{ "stp pre", stp_pre, 16, 0, 0 }, { "stp w", stp_w, 8, 0, 0 }, { "stp q", stp_q, 32, 0, 0 },
	{ "st1", st1_4, 64, 64, 0 }, { "st2", st2, 32, 0, 0 }, { "st3", st3, 48, 48, 0 }, { "st4", st4, 64, 0, 0 },
	{ "st4 lane", st4_lane, 32, 0, 0 }, { "ldr x", ldr_x, 8, 0, 1 }, { "ldp x", ldp_x, 16, 16, 1 },
	{ "ldp q", ldp_q, 32, 0, 1 }, { "ld1", ld1_4, 64, 64, 1 }, { "ld4", ld4, 64, 0, 1 },
};
#define ACCESSES (sizeof(accesses) / sizeof(accesses[0]))

/* What the access makes of memory, found out where nothing faults. */
static uint8_t result[MOST];

static const uint8_t *
vector_of(const ucontext_t *context)
{
	const struct fpsimd_context *fp = (const void *)context->uc_mcontext.__reserved;

	return (const uint8_t *)fp->vregs;
}

static void
on_fault(int signal, siginfo_t *info, void *of)
{
	const ucontext_t *context = of;
	uint8_t *open = border - (closed ? BESIDE : 0), *address = info->si_addr;
	unsigned bytes = current->bytes;

	(void)signal;
	faults++;
	CHECK(address >= place && address < place + bytes);
	CHECK((address - pages) / PAGE == closed);
	CHECK((uint8_t *)context->uc_mcontext.regs[0] == place);
	CHECK(!memcmp(&context->uc_mcontext.regs[2], values, 16));
	CHECK(!memcmp(vector_of(context), values, MOST));
	for (unsigned i = 0; i < BESIDE; i++) {
		uint8_t *p = open + i, was = old[p - border + BESIDE];
		int inside = p >= place && p < place + bytes;

		if (*p != was && !(inside && !current->is_load && *p == result[p - place]))
			CHECK(!"memory beside the access changed");
	}
	mprotect(pages + PAGE * closed, PAGE, PROT_READ | PROT_WRITE);
}

static void
fill(void)
{
	for (unsigned i = 0; i < 2 * BESIDE; i++)
		border[(int)i - BESIDE] = old[i] = (uint8_t)(i * 7);
	for (unsigned i = 0; i < MOST; i++)
		values[i] = (uint8_t)(0x80 + 3 * i);
}

static void
try_at(const struct access *access, unsigned before, int page)
{
	uint8_t *at, want[MOST];

	fill();
	current = access;
	place = at = pages + 256;
	memcpy(at, old + BESIDE - before, access->bytes);
	access->run(&at);
	memcpy(result, pages + 256, access->bytes);
	memcpy(want, loaded, MOST);
	fill();
	place = at = border - before;
	closed = page;
	faults = 0;
	memset(loaded, 0, MOST);
	mprotect(pages + PAGE * page, PAGE, PROT_NONE);
	access->run(&at);
	CHECK(faults == 1);
	CHECK(at == place + access->step);
	CHECK(access->is_load ? !memcmp(loaded, want, MOST) : !memcmp(place, result, access->bytes));
	CHECK(!memcmp(border - BESIDE, old, BESIDE - before));
	CHECK(!memcmp(place + access->bytes, old + BESIDE - before + access->bytes, BESIDE + before - access->bytes));
}

int
main(void)
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };

	pages = mmap(NULL, 4 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(pages != MAP_FAILED);
	pages += PAGE;
	border = pages + PAGE;
	mprotect(pages, 2 * PAGE, PROT_READ | PROT_WRITE);
	sigaction(SIGSEGV, &action, NULL);
	for (unsigned i = 0; i < ACCESSES; i++)
		for (unsigned before = 1; before < accesses[i].bytes; before += before < 4 ? 1 : 4)
			for (int page = 0; page < 2; page++) {
				int failed = check_failures;

				try_at(&accesses[i], before, page);
				if (check_failures != failed)
					printf("%s, %u bytes before, page %d\n", accesses[i].name, before, page);
			}
	return check_done();
}
