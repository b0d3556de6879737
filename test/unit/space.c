/* The guest's address space against the host kernel as the oracle: the same
 * random sequences of mmap, munmap, mprotect, mremap and madvise run through
 * space_* in one window of addresses and by plain system calls in another;
 * results and the protection of every page must agree after each step, both in
 * the book and at the host. Then single points: limits, brk, placement,
 * reserved addresses, watches, growing stacks.
 */
#include <errno.h>
#include <linux/mman.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "process/space_impl.h"
#include "unit/check.h"

#define PAGES 64
#define STEPS 6000
#ifdef ISOMORPH_SANITIZE
#define WINDOW_ALWAYS true
#else
#define WINDOW_ALWAYS false
#endif

/* The engine's side: what was invalidated. */
static uint64_t gone_start, gone_end;
static unsigned gone;

void
cpu_invalidate(struct cpu_space *space, uint64_t start, uint64_t end)
{
	(void)space;
	gone_start = start;
	gone_end = end;
	gone++;
}

/* Nothing is translated, so nothing is kept. */
void
cpu_save(struct vcpu *vcpu)
{
	(void)vcpu;
}

static struct isomorph_process_options options;
static struct process process;
static struct abi abi = { .address_limit = 1ull << 47 };

static struct space *
fresh(bool guest_base)
{
	struct error error = { 0 };
	struct space *space;

	memset(&process, 0, sizeof process);
	options.guest_base = guest_base;
	process.options = &options;
	process.abi = &abi;
	process.cpu_space.cache = (struct cpu_cache *)&process;
	space = space_new(&process, &error);
	if (!space) {
		printf("%s\n", error.text);
		exit(1);
	}
	return space;
}

/* ---- the oracle ----------------------------------------------------------- */

static uint64_t seed = 1;

static unsigned
random_below(unsigned n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)((seed >> 33) % n);
}

/* Protection of each page of the window at start, from the host: -1 free. */
static void
host_pages(uint64_t start, int *prot)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512], r, w, x;
	unsigned long from, to;

	for (unsigned i = 0; i < PAGES; i++)
		prot[i] = -1;
	while (maps && fgets(line, sizeof line, maps)) {
		if (sscanf(line, "%lx-%lx %c%c%c", &from, &to, &r, &w, &x) != 5)
			continue;
		for (unsigned i = 0; i < PAGES; i++) {
			uint64_t page = start + i * PAGE;

			if (page >= from && page < to)
				prot[i] = (r == 'r' ? PROT_READ : 0) | (w == 'w' ? PROT_WRITE : 0) |
					  (x == 'x' ? PROT_EXEC : 0);
		}
	}
	if (maps)
		fclose(maps);
}

static void
book_pages(struct space *space, uint64_t start, int *prot)
{
	struct mapping m;

	for (unsigned i = 0; i < PAGES; i++)
		prot[i] = space_find(space, start + i * PAGE, &m) ? (int)m.prot : -1;
}

struct window {
	uint64_t mine;   /* guest address of the tested one */
	uint64_t native; /* host address of the oracle's */
	int fd;
};

/* Results are compared as offsets into their windows; errors as they are. */
static int64_t
relative(int64_t result, uint64_t start)
{
	if (result < 0 && result > -4096)
		return result;
	if ((uint64_t)result >= start && (uint64_t)result < start + PAGES * PAGE)
		return result - (int64_t)start;
	return result ? INT64_MAX : 0; /* moved out of the window */
}

struct step {
	unsigned kind, page, pages, to, to_pages;
	int prot, flags, mflags;
};

static int64_t
step_mine(struct space *space, const struct window *w, const struct step *s)
{
	uint64_t at = w->mine + s->page * PAGE, length = s->pages * PAGE;
	bool anonymous = s->flags & MAP_ANONYMOUS;

	switch (s->kind) {
	case 0:
		return space_mmap(space, at, length, s->prot, s->flags, anonymous ? -1 : w->fd, 0);
	case 1:
		return space_munmap(space, at, length);
	case 2:
		return space_mprotect(space, at, length, s->prot);
	case 3:
		return space_mremap(space, at, length, s->to_pages * PAGE, s->mflags,
				    w->mine + s->to * PAGE);
	}
	return space_madvise(space, at, length, MADV_DONTNEED);
}

static int64_t
step_native(const struct window *w, const struct step *s)
{
	uint64_t at = w->native + s->page * PAGE, length = s->pages * PAGE;
	bool anonymous = s->flags & MAP_ANONYMOUS;

	switch (s->kind) {
	case 0:
		return RAW6(SYS_mmap, at, length, s->prot, s->flags, anonymous ? -1 : w->fd, 0);
	case 1:
		return RAW2(SYS_munmap, at, length);
	case 2:
		return RAW3(SYS_mprotect, at, length, s->prot);
	case 3:
		return RAW5(SYS_mremap, at, length, s->to_pages * PAGE, s->mflags,
			    w->native + s->to * PAGE);
	}
	return RAW3(SYS_madvise, at, length, MADV_DONTNEED);
}

/* Linux 6.17 lets a move of unchanged size span mappings and gaps, and judges
 * arguments in another order; older ones do not, and they free the target before some checks. Leave
 * such steps out. */
static bool
one_mapping(struct space *space, const struct window *w, const struct step *s)
{
	uint64_t start = w->mine + s->page * PAGE;
	struct mapping m;

	return space_find(space, start, &m) && m.end >= start + s->pages * PAGE &&
	       (s->pages || (m.flags & MAP_SHARED));
}

static struct step
random_step(void)
{
	static const int flags[] = {
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, MAP_PRIVATE | MAP_FIXED,
		MAP_SHARED | MAP_FIXED, MAP_ANONYMOUS | MAP_FIXED,
	};
	static const int mflags[] = { 0, MREMAP_MAYMOVE, MREMAP_MAYMOVE | MREMAP_FIXED,
				      MREMAP_FIXED, MREMAP_MAYMOVE | MREMAP_DONTUNMAP | MREMAP_FIXED };
	struct step s = { .kind = random_below(9) };

	s.kind = s.kind < 3 ? 0 : s.kind < 8 ? s.kind / 2 : 4;
	s.page = random_below(PAGES - 8);
	s.pages = random_below(9);
	s.to = random_below(PAGES - 8);
	s.to_pages = random_below(9);
	s.prot = (int)random_below(8);
	if (s.kind == 2 && !random_below(30))
		s.prot |= 0x40;
	s.flags = flags[random_below(ARRAY_LEN(flags))];
	s.mflags = mflags[random_below(ARRAY_LEN(mflags))];
	if (s.kind == 3 && (s.mflags & MREMAP_DONTUNMAP))
		s.to_pages = s.pages;
	return s;
}

/* The book knows nothing of the pages' executable bit at the host, and write
 * implies nothing; the oracle's mapping is what the guest asked for. */
static bool
same_pages(const struct window *w, struct space *space, const struct step *s, unsigned n)
{
	int mine[PAGES], native[PAGES], host[PAGES];
	bool good = true;

	book_pages(space, w->mine, mine);
	host_pages(w->native, native);
	host_pages(space->base + w->mine, host);
	for (unsigned i = 0; i < PAGES && good; i++) {
		int expect = mine[i] < 0 ? (space->window ? 0 : -1) : space_host_prot((uint32_t)mine[i]);

		good = CHECK_INT(mine[i], native[i]) && CHECK_INT(host[i], expect);
		if (!good)
			printf("step %u kind %u page %u+%u to %u+%u prot %x flags %x mflags %x: page %u\n",
			       n, s->kind, s->page, s->pages, s->to, s->to_pages, s->prot,
			       s->flags, s->mflags, i);
	}
	return good;
}

static void
test_oracle(bool guest_base)
{
	struct space *space = fresh(guest_base);
	struct window w;
	bool good = true;

	w.fd = memfd_create("space", 0);
	CHECK(ftruncate(w.fd, PAGES * PAGE) == 0);
	w.mine = space->size / 4; /* away from where things are placed */
	w.native = 0x700000000000;
	for (unsigned n = 0; n < STEPS && good; n++) {
		struct step s = random_step();
		int64_t native, mine;

		if (s.kind == 3 && !one_mapping(space, &w, &s))
			continue;
		/* In-place growth beyond the window, and moves that the kernel
		 * places: put away at once. */
		if (s.kind == 3 && !(s.mflags & MREMAP_FIXED) && s.page + s.to_pages > PAGES)
			continue;
		native = step_native(&w, &s);
		mine = step_mine(space, &w, &s);
		/* The kernel keeps some neighbours apart that are alike to the
		 * guest (accounting), and then finds that the range spans two. */
		if (s.kind == 3 && native == -EFAULT && mine < 0)
			mine = native;
		good = CHECK_INT(relative(mine, w.mine), relative(native, w.native));
		if (good && relative(mine, w.mine) == INT64_MAX) {
			munmap((void *)native, s.to_pages * PAGE);
			CHECK_INT(space_munmap(space, (uint64_t)mine, s.to_pages * PAGE), 0);
		}
		if (!good)
			printf("step %u kind %u page %u+%u to %u+%u prot %x flags %x mflags %x\n", n,
			       s.kind, s.page, s.pages, s.to, s.to_pages, s.prot, s.flags, s.mflags);
		good = good && same_pages(&w, space, &s, n);
	}
	munmap((void *)w.native, PAGES * PAGE);
	space_munmap(space, w.mine, PAGES * PAGE);
	CHECK_INT(space->total, 0);
	CHECK_INT(space->data, 0);
	close(w.fd);
	space_free(space);
}

/* ---- single points --------------------------------------------------------- */

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW (PROT_READ | PROT_WRITE)

static void
test_limits(void)
{
	struct space *space = fresh(false);
	struct rlimit limit = { 16 * PAGE, RLIM_INFINITY }, old;
	int64_t result, at;

	CHECK(space_rlimit(space, RLIMIT_AS, &limit, &old, &result) && !result);
	CHECK(!space_rlimit(space, RLIMIT_NOFILE, NULL, &old, &result));
	at = space_mmap(space, 0, 12 * PAGE, PROT_READ, ANON, -1, 0);
	CHECK(at > 0);
	CHECK_INT(space_mmap(space, 0, 5 * PAGE, PROT_READ, ANON, -1, 0), -ENOMEM);
	CHECK_INT(space_mmap(space, (uint64_t)at, 12 * PAGE, RW, ANON | MAP_FIXED, -1, 0), at);
	CHECK_INT(space_mremap(space, (uint64_t)at, 12 * PAGE, 20 * PAGE, MREMAP_MAYMOVE, 0), -ENOMEM);
	limit.rlim_cur = 4 * PAGE;
	CHECK(space_rlimit(space, RLIMIT_DATA, &limit, NULL, &result) && !result);
	CHECK_INT(space_mmap(space, 0, PAGE, RW, ANON, -1, 0), -ENOMEM);
	CHECK(space_mmap(space, 0, PAGE, PROT_READ, ANON, -1, 0) > 0);
	CHECK_INT(space_munmap(space, (uint64_t)at, 12 * PAGE), 0);
	CHECK(space_mmap(space, 0, 4 * PAGE, RW, ANON, -1, 0) > 0);
	limit = (struct rlimit){ 2, 1 };
	CHECK(space_rlimit(space, RLIMIT_AS, &limit, NULL, &result) && result == -EINVAL);
	space_free(space);
}

static void
test_brk(void)
{
	struct space *space = fresh(false);
	uint64_t start = 0x123456789;
	struct mapping m;

	space_set_brk(space, start);
	CHECK_INT(space_brk(space, 0), start);
	CHECK_INT(space_brk(space, start + 10 * PAGE), start + 10 * PAGE);
	CHECK(space_find(space, align_up(start, PAGE), &m) && m.prot == RW);
	*(char *)(uintptr_t)(start + PAGE) = 1;
	CHECK_INT(space_brk(space, start - 1), start + 10 * PAGE);
	CHECK_INT(space_brk(space, start + PAGE), start + PAGE);
	CHECK_INT(space_mmap(space, 0x123480000, PAGE, RW, ANON | MAP_FIXED, -1, 0), 0x123480000);
	CHECK_INT(space_brk(space, 0x123490000), start + PAGE);
	CHECK_INT(space_brk(space, start), start);
	space_remove(space, 0, space->size);
	space_free(space);
}

static void
test_placement(void)
{
	struct space *space = fresh(false);
	int64_t a = space_mmap(space, 0, PAGE, RW, ANON, -1, 0);
	int64_t b = space_mmap(space, 0, PAGE, RW, ANON, -1, 0);
	int64_t hint = 0x40000000, stack;

	CHECK_INT(b, a - PAGE);
	CHECK_INT(space_mmap(space, (uint64_t)hint + 5, PAGE, RW, ANON, -1, 0), hint);
	CHECK_INT(space_mmap(space, (uint64_t)hint, PAGE, RW, ANON, -1, 0), b - PAGE);
	CHECK_INT(space_mmap(space, space->size, PAGE, RW, ANON | MAP_FIXED, -1, 0), -ENOMEM);
	CHECK_INT(space_mmap(space, 1, PAGE, RW, ANON | MAP_FIXED, -1, 0), -EINVAL);
	CHECK_INT(space_mmap(space, 0, space->size + PAGE, RW, ANON, -1, 0), -ENOMEM);
	CHECK_INT(space_mmap(space, 0, 0, RW, ANON, -1, 0), -EINVAL);
	CHECK_INT(space_mmap(space, 0, PAGE, RW, MAP_PRIVATE, 12345, 0), -EBADF);
	stack = space_mmap(space, 0, PAGE, RW, ANON | MAP_GROWSDOWN, -1, 0);
	CHECK_INT(space_mmap(space, 0, PAGE, RW, ANON, -1, 0), stack - STACK_GUARD - PAGE);
	CHECK_INT(space_mmap(space, 0x50000000, PAGE, RW, ANON | 0x40, -1, 0), 0x50000000);
	space_remove(space, 0, space->size);
	space_free(space);
}

/* Something of the emulator's stands where the guest may go. */
static void
test_reserved(void)
{
	struct space *space = fresh(false);
	uint64_t at = 0x600000000;
	char *ours = mmap((void *)at, 3 * PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0);
	struct mapping m;

	CHECK_INT((uint64_t)ours, at);
	*ours = 77;
	CHECK_INT(space_mmap(space, at - PAGE, 8 * PAGE, RW, ANON | MAP_FIXED, -1, 0), -ENOMEM);
	CHECK(!space_find(space, at, &m));
	CHECK_INT(space_munmap(space, at - 8 * PAGE, 20 * PAGE), 0);
	CHECK_INT(*ours, 77);
	CHECK_INT(space_madvise(space, at, PAGE, MADV_DONTNEED), -ENOMEM);
	CHECK_INT(space_mprotect(space, at, PAGE, 0), -ENOMEM);
	CHECK_INT(*ours, 77);
	CHECK_INT(space_mmap(space, at - PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0), at - PAGE);
	CHECK_INT(space_mmap(space, at + 3 * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0), at + 3 * PAGE);
	/* As a hint, it is merely taken. */
	CHECK(space_mmap(space, at + PAGE, PAGE, RW, ANON, -1, 0) != (int64_t)at + PAGE);
	CHECK_INT(space_mremap(space, at - PAGE, PAGE, 2 * PAGE, 0, 0), -ENOMEM);
	space_remove(space, 0, space->size);
	CHECK_INT(*ours, 77);
	munmap(ours, 3 * PAGE);
	space_free(space);
}

static int
host_prot_at(uint64_t address)
{
	int prot[PAGES];

	host_pages(address, prot);
	return prot[0];
}

static void
test_watch(bool guest_base)
{
	struct space *space = fresh(guest_base);
	uint64_t at = (uint64_t)space_mmap(space, 0, 4 * PAGE, RW | PROT_EXEC, ANON, -1, 0);
	uint64_t host = space->base + at;
	size_t readable;

	CHECK(process.cpu_space.code(&process.cpu_space, at + 8, &readable) == (uint8_t *)host + 8);
	CHECK(readable >= 4 * PAGE - 8);
	process.cpu_space.watch(&process.cpu_space, at + PAGE + 4, at + 2 * PAGE + 4);
	CHECK_INT(space->watch.count, 2);
	CHECK_INT(host_prot_at(host), RW);
	CHECK_INT(host_prot_at(host + PAGE), PROT_READ);
	CHECK_INT(host_prot_at(host + 2 * PAGE), PROT_READ);
	gone = 0;
	CHECK(space_unwatch_fault(space, at + PAGE + 123));
	CHECK_INT(gone, 1);
	CHECK_INT(gone_start, at + PAGE);
	CHECK_INT(host_prot_at(host + PAGE), RW);
	CHECK(space_unwatch_fault(space, at + PAGE)); /* a second thread, late */
	CHECK_INT(gone, 1);
	space_unwatch(space, at, PAGE);
	CHECK_INT(gone, 1);
	space_unwatch(space, at, 3 * PAGE);
	CHECK_INT(gone, 2);
	CHECK_INT(space->watch.count, 0);
	CHECK_INT(host_prot_at(host + 2 * PAGE), RW);
	CHECK(space_unwatch_fault(space, at + 2 * PAGE)); /* a store that came late for it */
	CHECK(!space_unwatch_fault(space, at + 4 * PAGE));
	CHECK(!space_unwatch_fault(space, UINT64_MAX));
	process.cpu_space.watch(&process.cpu_space, at, at + 1);
	CHECK_INT(space_mprotect(space, at, PAGE, PROT_READ | PROT_EXEC), 0);
	CHECK_INT(gone, 3);
	CHECK_INT(space->watch.count, 0);
	CHECK(!space_unwatch_fault(space, at)); /* a fault of the guest's own */
	process.cpu_space.watch(&process.cpu_space, at, at + 1);
	CHECK_INT(space->watch.count, 0);
	CHECK_INT(space_mprotect(space, at, PAGE, PROT_READ), 0);
	CHECK(!process.cpu_space.code(&process.cpu_space, at + 8, &readable));
	/* A watch does not keep a mapping from being moved whole. */
	process.cpu_space.watch(&process.cpu_space, at + 2 * PAGE, at + 3 * PAGE);
	CHECK(space_mremap(space, at + PAGE, 3 * PAGE, 9 * PAGE, MREMAP_MAYMOVE, 0) > 0);
	CHECK_INT(space->watch.count, 0);
	space_remove(space, 0, space->size);
	space_free(space);
}

/* Many watches: the set grows, and removal keeps the rest findable. */
static void
test_watch_many(void)
{
	struct space *space = fresh(false);
	uint64_t size = 3000 * PAGE;
	uint64_t at = (uint64_t)space_mmap(space, 0, size, RW | PROT_EXEC, ANON, -1, 0);

	process.cpu_space.watch(&process.cpu_space, at, at + size);
	CHECK_INT(space->watch.count, 3000);
	for (unsigned i = 0; i < 3000; i += 2)
		CHECK(space_unwatch_fault(space, at + i * PAGE));
	CHECK_INT(space->watch.count, 1500);
	for (unsigned i = 1; i < 1000; i += 2)
		CHECK(space_unwatch_fault(space, at + i * PAGE));
	space_unwatch(space, 0, space->size); /* through the set */
	CHECK_INT(space->watch.count, 0);
	CHECK_INT(host_prot_at(at + 1501 * PAGE), RW);
	space_munmap(space, at, size);
	space_free(space);
}

static void
test_growing_stack(void)
{
	struct space *space = fresh(false);
	uint64_t top = 0x500000000;
	struct mapping m;

	CHECK_INT(space_mmap(space, top - PAGE, PAGE, RW, ANON | MAP_GROWSDOWN | MAP_FIXED, -1, 0),
		  top - PAGE);
	*(volatile char *)(uintptr_t)(top - 100 * PAGE) = 1;
	CHECK(space_find(space, top - 50 * PAGE, &m) && m.start == top - 100 * PAGE);
	CHECK_INT(space->total, 100 * PAGE);
	CHECK_INT(space_mprotect(space, top - PAGE, PAGE, RW | PROT_EXEC | PROT_GROWSDOWN), 0);
	CHECK(space_find(space, top - 50 * PAGE, &m) && m.prot == (RW | PROT_EXEC));
	CHECK_INT(space_munmap(space, top - 200 * PAGE, 200 * PAGE), 0);
	CHECK_INT(host_prot_at(top - 50 * PAGE), -1);
	space_free(space);
}

int
main(int argc, char **argv)
{
	if (argc > 1)
		seed = strtoull(argv[1], NULL, 0);
	printf("seed %" PRIu64 "\n", seed);
	test_oracle(false);
	test_oracle(true);
	/* These use guest addresses as the host's. */
	if (!WINDOW_ALWAYS) {
		test_limits();
		test_brk();
		test_placement();
		test_reserved();
		test_watch(false);
		test_watch_many();
		test_growing_stack();
	}
	test_watch(true);
	return check_done();
}
