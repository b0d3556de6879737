/* /proc and uname show the guest.
 * args: argument
 * out: good
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "check.h"

static char text[1 << 20];

static long
read_all(int fd)
{
	long size = 0, got;

	if (fd < 0)
		return -1;
	while ((got = read(fd, text + size, sizeof text - 1 - size)) > 0)
		size += got;
	text[size] = 0;
	close(fd);
	return size;
}

static long
slurp(const char *path)
{
	return read_all(open(path, O_RDONLY));
}

/* The line of maps that holds an address, with its permissions and name. */
static int
mapped(const void *address, const char *permissions, const char *name)
{
	uintptr_t at = (uintptr_t)address;

	for (char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		unsigned long start, end;
		char perms[8], label[512] = "";

		if (sscanf(line, "%lx-%lx %7s %*s %*s %*s%511[^\n]", &start, &end, perms, label) < 3)
			return 0;
		if (at < start || at >= end)
			continue;
		return !strcmp(perms, permissions) && (!name || strstr(label, name));
	}
	return 0;
}

static void
check_maps(const char *path, const char *self, void *file, void *shared)
{
	int local;
	char *heap = sbrk(0);

	CHECK(slurp(path) > 0);
	CHECK(mapped((void *)(uintptr_t)check_maps, "r-xp", self));
	CHECK(mapped(&local, "rw-p", "[stack]"));
	CHECK(mapped(heap - 1, "rw-p", "[heap]"));
	CHECK(mapped((void *)getauxval(AT_SYSINFO_EHDR), "r-xp", "[vdso]"));
	CHECK(mapped(file, "r--p", self));
	CHECK(mapped(shared, "-w-s", "/dev/zero"));
	CHECK(!strstr(text, "isomorph") || strstr(self, "isomorph"));
}

int
main(int argc, char **argv)
{
	char self[4096], link[4096] = "", path[64];
	struct stat one, two;
	struct utsname name;
	int fd, folder = open("/proc/self", O_RDONLY | O_DIRECTORY);
	void *file, *shared;

	(void)argc;
	CHECK(realpath(argv[0], self) != NULL);
	CHECK(readlink("/proc/self/exe", link, sizeof link - 1) == (long)strlen(self));
	CHECK(!strcmp(link, self));
	CHECK(readlink("/proc/self/exe", link, 3) == 3);
	memset(link, 0, sizeof link);
	CHECK(readlinkat(folder, "exe", link, sizeof link - 1) > 0 && !strcmp(link, self));
	snprintf(path, sizeof path, "/proc/%d/exe", getpid());
	memset(link, 0, sizeof link);
	CHECK(readlink(path, link, sizeof link - 1) > 0 && !strcmp(link, self));
	CHECK(!stat(self, &one) && !stat("/proc/self/exe", &two) && one.st_ino == two.st_ino);
	CHECK(!lstat("/proc/self/exe", &two) && S_ISLNK(two.st_mode));
	fd = open("/proc/self/exe", O_RDONLY);
	CHECK(!fstat(fd, &two) && one.st_ino == two.st_ino && one.st_dev == two.st_dev);
	file = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	shared = mmap(NULL, 4096, PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(sbrk(8192) != (void *)-1);
	check_maps("/proc/self/maps", self, file, shared);
	snprintf(path, sizeof path, "/proc/self/task/%d/maps", (int)gettid());
	check_maps(path, self, file, shared);
	CHECK(read_all(openat(folder, "maps", O_RDONLY)) > 0 && mapped(file, "r--p", self));
	CHECK(slurp("/proc/self/cmdline") == (long)(strlen(argv[0]) + 1 + sizeof "argument"));
	CHECK(!strcmp(text, argv[0]) && !strcmp(text + strlen(argv[0]) + 1, "argument"));
	CHECK(slurp("/proc/self/auxv") > 0);
	for (unsigned long *aux = (void *)text; aux[0]; aux += 2)
		CHECK(getauxval(aux[0]) == aux[1]);
	CHECK(slurp("/proc/self/environ") > 0);
	CHECK(slurp("/proc/cpuinfo") > 0);
	CHECK(strstr(text, CPUINFO) && !strstr(text, "vendor_id"));
	CHECK(slurp("/proc/self/comm") > 0 && !strncmp(text, "views.", 6));
	CHECK(!uname(&name) && !strcmp(name.machine, MACHINE) && !strcmp(name.sysname, "Linux"));
	return check_done();
}
