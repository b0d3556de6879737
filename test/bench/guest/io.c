/* Throughput of a disk and of the user-mode network, by the guest's clock. What it
 * does is in its name, which has a link for each:
 *
 *   disk-read, disk-write        /dev/vda as a whole, past the page cache
 *   net-receive, net-send        BYTES from, or to, port= of the command line at 10.0.2.2
 *
 * Prints megabytes a second. The drivers are modules in /modules, in the order of
 * their names.
 *
 * class: throughput
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <net/if.h>
#include <net/route.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BLOCK (256u << 10)
#define BYTES (UINT64_C(256) << 20) /* system.py knows it */
#define DISK_ROUNDS 4

static char block[BLOCK] __attribute__((aligned(4096)));

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void
load_modules(void)
{
	struct dirent **list;
	int count = scandir("/modules", &list, NULL, by_name);

	for (int i = 0; i < count; i++) {
		char path[300];
		int fd;

		if (list[i]->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "/modules/%s", list[i]->d_name);
		fd = open(path, O_RDONLY);
		if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
			fail(path);
		close(fd);
	}
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t
disk(int write_it, double *began)
{
	uint64_t size = 0, done = 0;
	int fd = -1;

	mount("dev", "/dev", "devtmpfs", 0, NULL);
	for (int i = 0; fd < 0 && i < 1000; i++, usleep(10000))
		fd = open("/dev/vda", O_RDWR | O_DIRECT);
	if (fd < 0 || ioctl(fd, BLKGETSIZE64, &size))
		fail("/dev/vda");
	*began = now();
	for (unsigned round = 0; round < DISK_ROUNDS; round++)
		for (uint64_t at = 0; at + BLOCK <= size; at += BLOCK, done += BLOCK) {
			ssize_t n = write_it ? pwrite(fd, block, BLOCK, (off_t)at) : pread(fd, block, BLOCK, (off_t)at);

			if (n != BLOCK)
				fail("/dev/vda");
		}
	if (fsync(fd))
		fail("fsync");
	return done;
}

/* 10.0.2.15, as the network that QEMU and Isomorph share gives out. */
static void
interface_up(void)
{
	struct ifreq r = { .ifr_name = "eth0" };
	struct sockaddr_in *address = (struct sockaddr_in *)&r.ifr_addr;
	int fd = socket(AF_INET, SOCK_DGRAM, 0), up = -1;

	address->sin_family = AF_INET;
	for (int i = 0; up && i < 1000; i++) {
		inet_aton("10.0.2.15", &address->sin_addr);
		up = ioctl(fd, SIOCSIFADDR, &r);
		if (up)
			usleep(10000);
	}
	inet_aton("255.255.255.0", &address->sin_addr);
	if (up || ioctl(fd, SIOCSIFNETMASK, &r) || ioctl(fd, SIOCGIFFLAGS, &r))
		fail("eth0");
	r.ifr_flags |= IFF_UP | IFF_RUNNING;
	if (ioctl(fd, SIOCSIFFLAGS, &r))
		fail("eth0");
	close(fd);
}

static unsigned
port(void)
{
	char line[4096] = "";
	int fd = open("/proc/cmdline", O_RDONLY);
	ssize_t got = read(fd, line, sizeof line - 1);
	const char *found = strstr(line, "port=");

	close(fd);
	return got > 0 && found ? (unsigned)atoi(found + 5) : 0;
}

static uint64_t
network(int send_it, double *began)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port()) };
	uint64_t done = 0;
	int fd;

	interface_up();
	inet_aton("10.0.2.2", &to.sin_addr);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(fd, (struct sockaddr *)&to, sizeof to))
		fail("connect");
	*began = now();
	/* The first byte says what is wanted; the last answer, that all has arrived. */
	if (write(fd, send_it ? "s" : "r", 1) != 1)
		fail("write");
	while (done < BYTES) {
		ssize_t n = send_it ? write(fd, block, BLOCK) : read(fd, block, BLOCK);

		if (n <= 0)
			fail("transfer");
		done += (uint64_t)n;
	}
	if (send_it && read(fd, block, 1) != 1)
		fail("answer");
	close(fd);
	return done;
}

int
main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');
	double began;
	uint64_t bytes;

	(void)argc;
	name = name ? name + 1 : argv[0];
	load_modules();
	bytes = !strncmp(name, "disk", 4) ? disk(!strcmp(name, "disk-write"), &began)
					  : network(!strcmp(name, "net-send"), &began);
	printf("%.1f MB/s\n", (double)bytes / 1e6 / (now() - began));
	return 0;
}
