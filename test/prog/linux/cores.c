/* Core files: when one is written, what the wait status says of it, what is in it.
 * Where the system's pattern does not leave them in the current folder, nothing is
 * shown, natively too. */
#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "show.h"

static char folder[] = "/tmp/coresXXXXXX";
static char *page;

static int
patterned(void)
{
	char pattern[256] = "";
	int fd = open("/proc/sys/kernel/core_pattern", O_RDONLY);
	long length = fd < 0 ? 0 : read(fd, pattern, sizeof pattern - 1);

	close(fd);
	return length > 1 && !strchr(pattern, '/') && pattern[0] != '|' && pattern[0] != '@';
}

static void
limit(rlim_t size)
{
	struct rlimit now;

	getrlimit(RLIMIT_CORE, &now);
	now.rlim_cur = size < now.rlim_max ? size : now.rlim_max;
	setrlimit(RLIMIT_CORE, &now);
}

/* Notes and segments of a core. */
static void
look(const char *name)
{
	unsigned statuses = 0, files = 0, auxvs = 0, sets = 0, with_page = 0;
	struct stat status;
	int fd = open(name, O_RDONLY);
	char *core;
	Elf64_Ehdr *head;
	Elf64_Phdr *segment;

	fstat(fd, &status);
	core = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	head = (Elf64_Ehdr *)core;
	segment = (Elf64_Phdr *)(core + head->e_phoff);
	printf("core: type %d, mode %o, first segment %u\n", head->e_type, status.st_mode & 0777, segment->p_type);
	for (char *at = core + segment->p_offset; at < core + segment->p_offset + segment->p_filesz;) {
		Elf64_Nhdr *note = (Elf64_Nhdr *)at;

		statuses += note->n_type == NT_PRSTATUS;
		auxvs += note->n_type == NT_AUXV;
		files += note->n_type == NT_FILE;
		sets += note->n_type == NT_PRFPREG;
		at += sizeof *note + ((note->n_namesz + 3) & ~3u) + ((note->n_descsz + 3) & ~3u);
	}
	printf("threads %u, register sets %u, auxv %u, files %u\n", statuses, sets, auxvs, files);
	for (unsigned i = 1; i < head->e_phnum; i++) {
		uint64_t offset = (uint64_t)page - segment[i].p_vaddr;

		if (offset < segment[i].p_filesz)
			with_page = !strcmp(core + segment[i].p_offset + offset, "a page of its own");
	}
	printf("the page is %s\n", with_page ? "there" : "not there");
	munmap(core, status.st_size);
}

static void
show_folder(void)
{
	DIR *listing = opendir(".");
	struct dirent *entry;
	unsigned count = 0;

	while ((entry = readdir(listing)))
		if (entry->d_name[0] != '.') {
			count++;
			look(entry->d_name);
			unlink(entry->d_name);
		}
	closedir(listing);
	printf("%u files\n", count);
}

static void
run(const char *what, void (*die)(void))
{
	pid_t child = fork();
	int status = 0;

	if (!child) {
		die();
		_exit(1);
	}
	waitpid(child, &status, 0);
	printf("%s: signal %d, core %d\n", what, WTERMSIG(status), WCOREDUMP(status) != 0);
	show_folder();
}

static void
by_store(void)
{
	*(volatile int *)8 = 1;
}

static void
by_abort(void)
{
	abort();
}

static void
by_kill(void)
{
	kill(getpid(), SIGQUIT);
	pause();
}

static void
by_term(void)
{
	kill(getpid(), SIGTERM);
}

static void
without_limit(void)
{
	limit(0);
	abort();
}

static void
not_dumpable(void)
{
	prctl(PR_SET_DUMPABLE, 0);
	abort();
}

static void
page_left_out(void)
{
	madvise(page, 4096, MADV_DONTDUMP);
	by_store();
}

static void
page_closed(void)
{
	mprotect(page, 4096, PROT_NONE);
	by_store();
}

static void *
wait_for_ever(void *argument)
{
	for (;;)
		pause();
	return argument;
}

static void
with_threads(void)
{
	pthread_t thread;

	for (int i = 0; i < 3; i++)
		pthread_create(&thread, NULL, wait_for_ever, NULL);
	abort();
}

static void
handled(int signal)
{
	_exit(signal);
}

static void
by_handler(void)
{
	signal(SIGQUIT, handled);
	raise(SIGQUIT);
}

int
main(void)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	if (!patterned() || !mkdtemp(folder) || chdir(folder))
		return 0;
	page = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	page += 4096;
	strcpy(page, "a page of its own");
	run("no limit set", without_limit);
	limit(RLIM_INFINITY);
	run("store", by_store);
	run("abort", by_abort);
	run("kill", by_kill);
	run("terminated", by_term);
	run("limit taken back", without_limit);
	run("not dumpable", not_dumpable);
	run("a page left out", page_left_out);
	run("a page closed", page_closed);
	run("threads", with_threads);
	run("handled", by_handler);
	chdir("/");
	rmdir(folder);
	return 0;
}
