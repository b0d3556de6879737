/* Code that programs write: run, rewritten, run again, by one thread and by many
 * in the same pages, while pages of code come and go, and across fork. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "show.h"

#define PAGE 4096
#define SLOT 64
#define THREADS 8
#define ROUNDS 400

typedef int (*function)(void);

/* Writes a function that returns value (below 2^31) and makes it fit to run. */
static function
write_code(void *at, uint32_t value)
{
#ifdef __riscv
	uint32_t high = (value + 0x800) & 0xfffff000, low = value - high;
	uint32_t code[] = { high | 0x537, low << 20 | 0x5051b, 0x8067 }; /* lui; addiw a0; ret */

	for (int i = 0; i < 3; i++)
		((volatile uint32_t *)at)[i] = code[i];
#elif defined __aarch64__
	uint32_t code[] = { 0x52800000 | (value & 0xffff) << 5, 0x72a00000 | value >> 16 << 5, 0xd65f03c0 };

	for (int i = 0; i < 3; i++) /* movz, movk w0; ret */
		((volatile uint32_t *)at)[i] = code[i];
#else
	*(volatile uint8_t *)at = 0xb8; /* mov eax, value; ret */
	memcpy((uint8_t *)at + 1, &value, 4);
	((volatile uint8_t *)at)[5] = 0xc3;
#endif
	__builtin___clear_cache((char *)at, (char *)at + 16);
	return (function)at;
}

static void *
map(size_t size, int prot)
{
	void *at = mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	MUST(at != MAP_FAILED);
	return at;
}

static void
test_rewrite(void)
{
	uint8_t *page = map(2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
	uint64_t sum = 0;

	for (uint32_t i = 0; i < 3000; i++)
		sum += write_code(page + i % 100 * SLOT, i * 70001 % 1000000007)();
	/* Across a page's end, and beside data. */
	for (uint32_t i = 0; i < 300; i++) {
		sum += write_code(page + PAGE - 4, i * 3001)();
		page[PAGE + 100]++;
	}
	printf("rewrite %lu %d\n", (unsigned long)sum, page[PAGE + 100]);
	munmap(page, 2 * PAGE);
}

static uint8_t *shared;
static atomic_int wrong, stop;

/* Slots of all threads lie in the same pages. */
static void *
writer(void *argument)
{
	uint32_t self = (uint32_t)(uintptr_t)argument;

	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint32_t value = self * 1000003 + i;
		int got = write_code(shared + self * SLOT + i % 2 * PAGE + i % 3 * 1024, value)();

		if (got != (int)value)
			wrong++;
	}
	return NULL;
}

/* Maps, fills, runs, unmaps: addresses go from one thread to the next. */
static void *
mapper(void *argument)
{
	uint32_t self = (uint32_t)(uintptr_t)argument;

	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint32_t value = self * 1000003 + i;
		uint8_t *page = map(PAGE, PROT_READ | PROT_WRITE | (i % 3 ? PROT_EXEC : 0));
		function call = write_code(page + i % 16 * SLOT, value);

		if (i % 3 != 1)
			MUST(!mprotect(page, PAGE, PROT_READ | PROT_EXEC));
		if (call() != (int)value)
			wrong++;
		if (i % 5 == 0) {
			MUST(!mprotect(page, PAGE, PROT_READ | PROT_WRITE));
			write_code(call, value + 1);
			MUST(!mprotect(page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC));
			if (call() != (int)value + 1)
				wrong++;
		}
		if (i % 7 == 0) {
			page = mremap(page, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, map(PAGE, PROT_NONE));
			MUST(page != MAP_FAILED);
		}
		munmap(page, PAGE);
	}
	return NULL;
}

/* Stores into pages of code, beside it. */
static void *
storer(void *argument)
{
	volatile uint64_t *own = (void *)(shared + (uintptr_t)argument * 8 + 3072 + 8 * SLOT);

	for (uint64_t i = 1; !stop; i++) {
		if (own[0] != i - 1)
			wrong++;
		own[0] = i;
		own[512] = i;
		if (own[512] != i)
			wrong++;
	}
	return NULL;
}

/* Runs code, has the kernel write beside it, protects the page as it was. */
static void *
reader(void *argument)
{
	uint8_t *page = shared + (uintptr_t)argument % 2 * PAGE;
	int pipes[2];

	MUST(!pipe(pipes));
	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint8_t *data = page + 3000, byte = (uint8_t)i;

		if (write_code(page + (uintptr_t)argument * SLOT, i)() != (int)i)
			wrong++;
		MUST(write(pipes[1], &byte, 1) == 1);
		if (read(pipes[0], data, 1) != 1 || *data != byte)
			wrong++;
		if (i % 4 == 0)
			MUST(!mprotect(page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC));
	}
	close(pipes[0]);
	close(pipes[1]);
	return NULL;
}

static void
test_threads(const char *name, void *(*body)(void *), int threads, int storers)
{
	pthread_t thread[THREADS], other[2];

	shared = map(3 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
	wrong = stop = 0;
	for (int i = 0; i < storers; i++)
		MUST(!pthread_create(&other[i], NULL, storer, (void *)(uintptr_t)i));
	for (int i = 0; i < threads; i++)
		MUST(!pthread_create(&thread[i], NULL, body, (void *)(uintptr_t)i));
	for (int i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	stop = 1;
	for (int i = 0; i < storers; i++)
		pthread_join(other[i], NULL);
	printf("%s: %d wrong\n", name, wrong);
	munmap(shared, 3 * PAGE);
}

static void *
forker(void *argument)
{
	uint32_t self = (uint32_t)(uintptr_t)argument;

	for (uint32_t i = 0; i < 8; i++) {
		uint8_t *page = map(PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
		function call = write_code(page, i + self);
		int status;
		pid_t child;

		call();
		child = fork();
		if (!child) {
			int before = call();

			write_code(page, i + self + 1);
			_exit(before == (int)(i + self) && call() == before + 1 ? 7 : 8);
		}
		MUST(child > 0);
		write_code(page, i + self + 2);
		if (call() != (int)(i + self + 2))
			wrong++;
		MUST(waitpid(child, &status, 0) == child);
		if (status != 7 << 8)
			wrong++;
		if (call() != (int)(i + self + 2))
			wrong++;
		munmap(page, PAGE);
	}
	return NULL;
}

struct blocked {
	int fd;
	char *to;
	long result;
};

static void *
read_blocked(void *argument)
{
	struct blocked *b = argument;

	b->result = read(b->fd, b->to, 16);
	return NULL;
}

/* A read waits for data for a page while another thread executes code in it. */
static void
test_blocked(void)
{
	uint8_t *page = map(PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
	function seven = write_code(page, 7);
	int pipes[2], sum = 0;
	struct blocked b;
	pthread_t thread;

	for (int round = 0; round < 20; round++) {
		MUST(!pipe(pipes));
		sum += seven();
		b = (struct blocked){ pipes[0], (char *)page + 512 + round, 0 };
		pthread_create(&thread, NULL, read_blocked, &b);
		usleep(2000); /* most often it is in the kernel by now */
		for (int i = 0; i < 10; i++)
			sum += seven();
		MUST(write(pipes[1], "sixteen bytes...", 16) == 16);
		pthread_join(thread, NULL);
		if (b.result != 16 || memcmp(b.to, "sixteen bytes...", 16))
			printf("round %d: %ld\n", round, b.result);
		close(pipes[0]);
		close(pipes[1]);
	}
	printf("blocked: %d\n", sum);
}

int
main(void)
{
	test_rewrite();
	test_blocked();
	test_threads("writers", writer, THREADS, 0);
	test_threads("writers and stores", writer, THREADS, 2);
	test_threads("mappers", mapper, THREADS, 0);
	test_threads("forkers", forker, THREADS, 0);
	test_threads("kernel and stores", reader, 2, 2);
	return 0;
}
