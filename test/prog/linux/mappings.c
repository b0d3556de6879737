/* Random sequences of calls that change mappings, in a few pages: each result, and
 * after each the pages as /proc/self/maps shows them, must be native's. */
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "show.h"

#define PAGE 4096ul
#define PAGES 24ul
#define BASE 0x300000000ul
#define SEEDS 250
#define CALLS 30

static uint64_t state;
static int files[3]; /* read and write, read, write */
static int segment;

static unsigned
random_below(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state >> 20) % n;
}

static int
random_protection(void)
{
	static const int likely[] = { 0, 1, 2, 3, 5, 7, 4, 6, 3, 3, 1 };
	int protection = likely[random_below(11)];

	return random_below(25) ? protection : protection | 1 << (3 + random_below(21));
}

/* Page by page, as where one mapping ends and the next begins is the kernel's to
 * choose. */
static void
show_pages(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[600], name[400], protection[8];
	unsigned long start, end, offset;

	MUST(maps);
	while (fgets(line, sizeof line, maps)) {
		name[0] = 0;
		MUST(sscanf(line, "%lx-%lx %7s %lx %*s %*s %399s", &start, &end, protection, &offset, name) >= 4);
		for (; start < end && start < BASE + PAGES * PAGE; start += PAGE, offset += PAGE)
			if (start >= BASE)
				printf(" %lx:%s:%lx:%.5s", (start - BASE) / PAGE, protection, name[0] ? offset : 0, name);
	}
	putchar('\n');
	fclose(maps);
}

static long
call_mmap(char *text, unsigned long at, unsigned long length)
{
	int protection = random_protection(), flags = MAP_FIXED | (random_below(2) ? MAP_PRIVATE : MAP_SHARED), fd = -1;
	unsigned long offset = 0;

	if (random_below(2)) {
		flags |= MAP_ANONYMOUS;
	} else {
		fd = files[random_below(3)];
		offset = random_below(6) * PAGE + (random_below(15) ? 0 : 5);
		if (!random_below(10))
			flags |= MAP_SHARED_VALIDATE;
	}
	if (!random_below(6))
		flags |= MAP_NORESERVE;
	if (!random_below(6) && (flags & MAP_TYPE) != MAP_SHARED_VALIDATE)
		flags = (flags & ~MAP_FIXED) | MAP_FIXED_NOREPLACE;
	sprintf(text, "mmap %lx %lx %d %x %d %lx", at - BASE, length, protection, flags, fd >= 0, offset);
	return syscall(SYS_mmap, at, length, protection, flags, fd, offset);
}

/* Of one page: from Linux 6.17 on mremap moves several mappings at once, which
 * this emulator does not, and what is one mapping depends on advice given. */
static long
call_mremap(char *text, unsigned long at, unsigned long length, unsigned long to)
{
	unsigned long length_then = (1 + random_below(5)) * PAGE;
	int flags = random_below(8);

	if (length > PAGE)
		length = PAGE;
	if (flags & MREMAP_FIXED)
		flags |= random_below(4) ? MREMAP_MAYMOVE : 0;
	else
		flags = random_below(8) ? 0 : flags & ~MREMAP_MAYMOVE; /* elsewhere is anywhere */
	sprintf(text, "mremap %lx %lx %lx %d %lx", at - BASE, length, length_then, flags, to - BASE);
	return syscall(SYS_mremap, at, length, length_then, flags, to);
}

static long
call_madvise(char *text, unsigned long at, unsigned long length)
{
	static const int advice[] = { 0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 15, 18, 19, 20, 21, 22, 23, 24, 99, -1 };
	int one = advice[random_below(sizeof advice / sizeof *advice)];

	sprintf(text, "madvise %lx %lx %d", at - BASE, length, one);
	return madvise((void *)at, length, one);
}

static long
call_segment(char *text, unsigned long at)
{
	int flags = (random_below(3) ? 0 : SHM_RDONLY) | (random_below(2) ? SHM_REMAP : 0) |
		    (random_below(4) ? 0 : SHM_RND) | (random_below(6) ? 0 : SHM_EXEC);

	if (!random_below(3)) {
		sprintf(text, "shmdt %lx", at - BASE);
		return shmdt((void *)at);
	}
	if (at + 2 * PAGE > BASE + PAGES * PAGE)
		at = BASE;
	sprintf(text, "shmat %lx %x", at - BASE, flags);
	return (long)shmat(segment, (void *)at, flags);
}

static long
random_call(char *text)
{
	unsigned long at = BASE + random_below(PAGES) * PAGE, to = BASE + random_below(PAGES - 5) * PAGE;
	unsigned long length = (1 + random_below(5)) * PAGE;
	unsigned char resident[16];
	int number;

	if (!random_below(12))
		at += random_below(PAGE);
	if (!random_below(12))
		length += random_below(PAGE) - PAGE / 2;
	if (at + length > BASE + PAGES * PAGE)
		length = BASE + PAGES * PAGE - at;
	if (!random_below(30))
		length = 0;
	switch (random_below(13)) {
	case 0: case 1: case 2:
		return call_mmap(text, at, length);
	case 3:
		sprintf(text, "munmap %lx %lx", at - BASE, length);
		return munmap((void *)at, length);
	case 4: case 5:
		number = random_protection();
		sprintf(text, "mprotect %lx %lx %d", at - BASE, length, number);
		return mprotect((void *)at, length, number);
	case 6: case 7:
		return call_mremap(text, at, length, to);
	case 8: case 9:
		return call_madvise(text, at, length);
	case 10:
		number = (int)random_below(8);
		sprintf(text, "msync %lx %lx %d", at - BASE, length, number);
		return msync((void *)at, length, number);
	case 11:
		sprintf(text, "mincore %lx %lx", at - BASE, length);
		return mincore((void *)at, length, resident);
	}
	return call_segment(text, at);
}

int
main(void)
{
	char name[] = "/tmp/mappingsXXXXXX", text[200];

	files[0] = mkstemp(name);
	MUST(files[0] >= 0 && !ftruncate(files[0], 8 * PAGE));
	files[1] = open(name, O_RDONLY);
	files[2] = open(name, O_WRONLY);
	MUST(files[1] >= 0 && files[2] >= 0 && !unlink(name));
	for (int seed = 0; seed < SEEDS; seed++) {
		state = 0x9e3779b97f4a7c15ul * (unsigned)(seed + 1);
		munmap((void *)BASE, PAGES * PAGE);
		segment = shmget(IPC_PRIVATE, 2 * PAGE, 0600);
		for (int i = 0; i < CALLS; i++) {
			long result, error;

			errno = 0;
			result = random_call(text);
			error = errno;
			printf("%d %s = %s", seed, text, result == -1 ? strerrorname_np((int)error) : "");
			if (result != -1)
				printf("%lx", (unsigned long)result - (result ? BASE : 0));
			show_pages();
		}
		shmctl(segment, IPC_RMID, NULL);
	}
	return 0;
}
