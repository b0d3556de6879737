/* The shared folder, through the 9P device: what Linux's client does (walk, open,
 * create, read, write, list, rename, link, remove, attributes), ways out of the
 * folder, a read-only share, messages that are none, state. */
#include "device/virtio/p9.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "unit/virtio_driver.h"

enum { LERROR = 7, STATFS = 8, LOPEN = 12, LCREATE = 14, SYMLINK = 16, MKNOD = 18, RENAME = 20, READLINK = 22, GETATTR = 24,
	SETATTR = 26, READDIR = 40, FSYNC = 50, LOCK = 52, LINK = 70, MKDIR = 72, RENAMEAT = 74, UNLINKAT = 76, VERSION = 100,
	ATTACH = 104, WALK = 110, READ = 116, WRITE = 118, CLUNK = 120, REMOVE = 122 };
#define ROOM 8192u

static char folder[64], outside[80];

struct client {
	struct driver d;
	uint8_t message[ROOM], *put;
	const uint8_t *get;
};

static void
client_open(struct client *c, bool read_only)
{
	struct error error = { 0 };
	struct p9 *p9 = p9_new(folder, read_only, &error);

	if (!CHECK(p9))
		fprintf(stderr, "%s\n", error.text);
	driver_init(&c->d, false);
	driver_attach(&c->d, virtio_p9_new(&c->d.host, "share0", p9, "home", &error));
	driver_start(&c->d, UINT64_MAX);
}

static void
put(struct client *c, unsigned bytes, uint64_t value)
{
	memcpy(c->put, &value, bytes);
	c->put += bytes;
}

static void
put_text(struct client *c, const char *text)
{
	put(c, 2, strlen(text));
	memcpy(c->put, text, strlen(text));
	c->put += strlen(text);
}

static uint64_t
get(struct client *c, unsigned bytes)
{
	uint64_t value = 0;

	memcpy(&value, c->get, bytes);
	c->get += bytes;
	return value;
}

static void
begin(struct client *c, unsigned type)
{
	c->put = c->message + 4;
	put(c, 1, type);
	put(c, 2, 0x1234);
}

/* Sends the message; 0, or the errno value of the answer; the body is at c->get. */
static int
end(struct client *c)
{
	uint32_t size = (uint32_t)(c->put - c->message);
	uint8_t type = c->message[4];
	struct driver_buffer b[2];

	memcpy(c->message, &size, 4);
	c->d.top = DRIVER_RAM + 0x10000;
	b[0] = (struct driver_buffer){ driver_copy(&c->d, c->message, size), size, false };
	b[1] = (struct driver_buffer){ driver_alloc(&c->d, ROOM), ROOM, true };
	size = driver_do(&c->d, 0, b, 2);
	c->get = driver_host(&c->d, b[1].address);
	CHECK_INT(get(c, 4), size);
	if (*c->get == LERROR) {
		get(c, 3);
		return (int)get(c, 4);
	}
	CHECK_INT(get(c, 1), type + 1);
	CHECK_INT(get(c, 2), 0x1234);
	return 0;
}

static void
session(struct client *c)
{
	begin(c, VERSION);
	put(c, 4, ROOM);
	put_text(c, "9P2000.L");
	CHECK_INT(end(c), 0);
	CHECK_INT(get(c, 4), ROOM);
	begin(c, ATTACH);
	put(c, 4, 1);
	put(c, 4, UINT32_MAX);
	put_text(c, "root");
	put_text(c, "");
	put(c, 4, 0);
	CHECK_INT(end(c), 0);
	CHECK_INT(get(c, 1), 0x80);
}

/* From fid 1, the root, along up to two names to a new fid. */
static int
walk(struct client *c, uint32_t to, const char *a, const char *b)
{
	begin(c, WALK);
	put(c, 4, 1);
	put(c, 4, to);
	put(c, 2, !!a + !!b);
	if (a)
		put_text(c, a);
	if (b)
		put_text(c, b);
	return end(c);
}

static int
simple(struct client *c, unsigned type, uint32_t fid)
{
	begin(c, type);
	put(c, 4, fid);
	return end(c);
}

static int
lopen(struct client *c, uint32_t fid, uint32_t flags)
{
	begin(c, LOPEN);
	put(c, 4, fid);
	put(c, 4, flags);
	return end(c);
}

static int
lcreate(struct client *c, uint32_t fid, const char *name, uint32_t flags, uint32_t mode)
{
	begin(c, LCREATE);
	put(c, 4, fid);
	put_text(c, name);
	put(c, 4, flags);
	put(c, 4, mode);
	put(c, 4, 0);
	return end(c);
}

static int
named(struct client *c, unsigned type, uint32_t fid, const char *name, uint32_t mode)
{
	begin(c, type);
	put(c, 4, fid);
	put_text(c, name);
	put(c, 4, mode);
	put(c, 4, 0);
	return end(c);
}

static int
io(struct client *c, unsigned type, uint32_t fid, uint64_t offset, const char *data, uint32_t size)
{
	begin(c, type);
	put(c, 4, fid);
	put(c, 8, offset);
	put(c, 4, size);
	if (data) {
		memcpy(c->put, data, size);
		c->put += size;
	}
	return end(c);
}

static int
setattr(struct client *c, uint32_t fid, uint32_t valid, uint32_t mode, uint32_t uid, uint64_t size)
{
	begin(c, SETATTR);
	put(c, 4, fid);
	put(c, 4, valid);
	put(c, 4, mode);
	put(c, 4, uid);
	put(c, 4, 0);
	put(c, 8, size);
	put(c, 8, 1000000000);
	put(c, 8, 5);
	put(c, 8, 1000000001);
	put(c, 8, 6);
	return end(c);
}

static bool
exists(const char *name)
{
	char path[160];
	struct stat st;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return !lstat(path, &st);
}

static void
test_files(void)
{
	static struct client c;
	struct stat st;
	char path[160];

	client_open(&c, false);
	CHECK_INT(driver_config(&c.d, 0, 2), 4);
	CHECK_INT(driver_config(&c.d, 2, 2) | driver_config(&c.d, 4, 2) << 16, 0x656d6f68); /* "home" */
	session(&c);
	CHECK_INT(walk(&c, 2, NULL, NULL), 0);
	CHECK_INT(lcreate(&c, 2, "new", O_RDWR | O_EXCL, 06754), 0);
	CHECK_INT(io(&c, WRITE, 2, 0, "Hello, world", 12), 0);
	CHECK_INT(get(&c, 4), 12);
	CHECK_INT(io(&c, READ, 2, 7, NULL, 100), 0);
	CHECK_INT(get(&c, 4), 5);
	CHECK(!memcmp(c.get, "world", 5));
	begin(&c, FSYNC);
	put(&c, 4, 2);
	put(&c, 4, 0);
	CHECK_INT(end(&c), 0);
	snprintf(path, sizeof path, "%s/new", folder);
	CHECK(!stat(path, &st));
	CHECK_INT(st.st_mode & 07777, 0754); /* no set-user-ID */
	CHECK_INT(st.st_size, 12);
	driver_check_state(&c.d); /* closes and opens it again */
	CHECK_INT(io(&c, READ, 2, 0, NULL, 5), 0);
	CHECK_INT(get(&c, 4), 5);
	/* Attributes. */
	CHECK_INT(setattr(&c, 2, 1 | 8 | 0x20 | 0x100, 0640, 0, 5), 0);
	CHECK(!stat(path, &st));
	CHECK_INT(st.st_mode & 07777, 0640);
	CHECK_INT(st.st_size, 5);
	CHECK_INT(st.st_mtim.tv_sec, 1000000001);
	CHECK_INT(setattr(&c, 2, 2, 0, 4242, 0), EPERM);
	begin(&c, GETATTR);
	put(&c, 4, 2);
	put(&c, 8, UINT64_MAX);
	CHECK_INT(end(&c), 0);
	c.get += 8 + 13; /* what is valid, the qid */
	CHECK_INT(get(&c, 4), S_IFREG | 0640);
	CHECK_INT(simple(&c, CLUNK, 2), 0);
	CHECK_INT(simple(&c, CLUNK, 2), EBADF);
	CHECK_INT(walk(&c, 3, "new", NULL), 0);
	CHECK_INT(lopen(&c, 3, O_RDONLY), 0);
	CHECK_INT(io(&c, WRITE, 3, 0, "x", 1), EBADF);
	CHECK_INT(lopen(&c, 3, O_RDONLY), EBADF);
	begin(&c, LOCK);
	put(&c, 4, 3);
	CHECK_INT(end(&c), 0);
	CHECK_INT(simple(&c, STATFS, 1), 0);
	/* Open, then removed: it can still be read. */
	CHECK_INT(named(&c, UNLINKAT, 1, "new", 0), 0);
	CHECK(!exists("new"));
	CHECK_INT(io(&c, READ, 3, 0, NULL, 5), 0);
	CHECK_INT(get(&c, 4), 5);
	driver_fini(&c.d);
}

static void
test_tree(void)
{
	static struct client c;
	unsigned entries = 0;
	bool found = false;

	client_open(&c, false);
	session(&c);
	CHECK_INT(named(&c, MKDIR, 1, "a", 0755), 0);
	CHECK_INT(named(&c, MKDIR, 1, "a", 0755), EEXIST);
	CHECK_INT(walk(&c, 2, "a", NULL), 0);
	CHECK_INT(named(&c, MKDIR, 2, "b", 0755), 0);
	CHECK_INT(walk(&c, 3, "a", "b"), 0);
	CHECK_INT(walk(&c, 4, "a", "b"), 0);
	CHECK_INT(lcreate(&c, 4, "file", O_WRONLY, 0600), 0);
	CHECK(exists("a/b/file"));
	/* What is open follows when a folder above it moves. */
	begin(&c, RENAMEAT);
	put(&c, 4, 1);
	put_text(&c, "a");
	put(&c, 4, 1);
	put_text(&c, "z");
	CHECK_INT(end(&c), 0);
	CHECK(exists("z/b/file"));
	begin(&c, LINK);
	put(&c, 4, 1);
	put(&c, 4, 4);
	put_text(&c, "second");
	CHECK_INT(end(&c), 0);
	CHECK(exists("second"));
	begin(&c, SYMLINK);
	put(&c, 4, 1);
	put_text(&c, "link");
	put_text(&c, "/etc/passwd");
	put(&c, 4, 0);
	CHECK_INT(end(&c), 0);
	CHECK_INT(get(&c, 1), 2);
	CHECK_INT(walk(&c, 5, "link", NULL), 0);
	CHECK_INT(simple(&c, READLINK, 5), 0);
	CHECK_INT(get(&c, 2), 11);
	CHECK(!memcmp(c.get, "/etc/passwd", 11));
	CHECK_INT(named(&c, MKNOD, 1, "pipe", S_IFIFO | 0600), 0);
	CHECK_INT(named(&c, MKNOD, 1, "disk", S_IFBLK | 0600), EPERM);
	/* A list, a few at a time. */
	CHECK_INT(walk(&c, 6, NULL, NULL), 0);
	CHECK_INT(lopen(&c, 6, O_RDONLY | O_DIRECTORY), 0);
	for (uint64_t offset = 0;;) {
		const uint8_t *stop;

		begin(&c, READDIR);
		put(&c, 4, 6);
		put(&c, 8, offset);
		put(&c, 4, 70);
		if (!CHECK_INT(end(&c), 0))
			break;
		stop = c.get + 4 + c.get[0];
		if (get(&c, 4) == 0)
			break;
		while (c.get < stop) {
			unsigned size;

			get(&c, 8);
			get(&c, 5);
			offset = get(&c, 8);
			get(&c, 1);
			size = (unsigned)get(&c, 2);
			found |= size == 6 && !memcmp(c.get, "second", 6);
			c.get += size;
			entries++;
		}
	}
	CHECK_INT(entries, 6); /* . .. z second link pipe */
	CHECK(found);
	driver_check_state(&c.d);
	begin(&c, RENAME);
	put(&c, 4, 4);
	put(&c, 4, 1);
	put_text(&c, "third");
	CHECK_INT(end(&c), 0);
	CHECK(exists("third"));
	CHECK_INT(named(&c, UNLINKAT, 1, "z", 0), EISDIR);
	CHECK_INT(simple(&c, REMOVE, 3), 0);
	CHECK_INT(named(&c, UNLINKAT, 1, "z", 0x200), 0);
	for (unsigned i = 0; i < 4; i++) {
		static const char *const names[] = { "second", "link", "pipe", "third" };

		CHECK_INT(named(&c, UNLINKAT, 1, names[i], 0), 0);
	}
	driver_fini(&c.d);
}

/* Nothing above the folder is reached, by names, links or moves. */
static void
test_ways_out(void)
{
	static const char *const names[] = { "..", ".", "", "a/b", "/etc", "../secret", "x/../../secret" };
	static struct client c;
	char path[160];
	uint64_t root;

	client_open(&c, false);
	session(&c);
	get(&c, 4);
	root = get(&c, 8);
	/* ".." at the top is the top. */
	CHECK_INT(walk(&c, 2, "..", ".."), 0);
	CHECK_INT(simple(&c, GETATTR, 2), 0);
	get(&c, 8);
	get(&c, 5);
	CHECK_INT(get(&c, 8), root);
	walk(&c, 3, "..", strrchr(outside, '/') + 1); /* one step of two: no new file */
	CHECK_INT(get(&c, 2), 1);
	CHECK_INT(simple(&c, CLUNK, 3), EBADF);
	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		CHECK(lcreate(&c, 2, names[i], O_RDWR, 0600));
		CHECK(named(&c, MKDIR, 1, names[i], 0700));
		CHECK(named(&c, UNLINKAT, 1, names[i], 0));
		if (i)
			CHECK(walk(&c, 4, names[i], NULL));
	}
	/* A link that leads out is only a link. */
	snprintf(path, sizeof path, "%s/out", folder);
	CHECK(!symlink(outside, path));
	CHECK_INT(walk(&c, 5, "out", NULL), 0);
	CHECK_INT(lopen(&c, 5, O_RDONLY), ELOOP);
	CHECK_INT(setattr(&c, 5, 8, 0, 0, 0), EINVAL);
	CHECK_INT(setattr(&c, 5, 1, 0777, 0, 0), 0);
	unlink(path);
	CHECK(!symlink("/tmp", path));
	walk(&c, 6, "out", strrchr(outside, '/') + 1);
	CHECK_INT(get(&c, 2), 1);
	CHECK_INT(simple(&c, CLUNK, 6), EBADF);
	CHECK_INT(walk(&c, 7, "out", NULL), 0);
	CHECK(lcreate(&c, 7, "oops", O_RDWR, 0600));
	CHECK(named(&c, MKDIR, 7, "oops", 0700));
	CHECK(access("/tmp/oops", F_OK));
	unlink(path);
	/* Pipes and devices are not opened. */
	snprintf(path, sizeof path, "%s/pipe", folder);
	CHECK(!mkfifo(path, 0600));
	CHECK_INT(walk(&c, 8, "pipe", NULL), 0);
	CHECK_INT(lopen(&c, 8, O_RDONLY), ENXIO);
	unlink(path);
	driver_fini(&c.d);
}

static void
test_read_only(void)
{
	static struct client c;
	char path[160];
	int fd;

	snprintf(path, sizeof path, "%s/fixed", folder);
	fd = open(path, O_CREAT | O_RDWR, 0644);
	CHECK_INT(write(fd, "text", 4), 4);
	close(fd);
	client_open(&c, true);
	session(&c);
	CHECK_INT(walk(&c, 2, "fixed", NULL), 0);
	CHECK_INT(lopen(&c, 2, O_RDWR), EROFS);
	CHECK_INT(lopen(&c, 2, O_RDONLY | O_TRUNC), EROFS);
	CHECK_INT(setattr(&c, 2, 8, 0, 0, 0), EROFS);
	CHECK_INT(named(&c, UNLINKAT, 1, "fixed", 0), EROFS);
	CHECK_INT(named(&c, MKDIR, 1, "x", 0700), EROFS);
	CHECK_INT(lopen(&c, 2, O_RDONLY), 0);
	CHECK_INT(io(&c, READ, 2, 0, NULL, 9), 0);
	CHECK_INT(get(&c, 4), 4);
	CHECK_INT(io(&c, WRITE, 2, 0, "x", 1), EROFS);
	driver_fini(&c.d);
	unlink(path);
}

static void
test_messages(void)
{
	static struct client c;
	struct error error = { 0 };
	struct driver_buffer b[2];

	client_open(&c, false);
	begin(&c, VERSION);
	put(&c, 4, ROOM);
	put_text(&c, "9P2000.u");
	CHECK_INT(end(&c), 0);
	get(&c, 4);
	CHECK_INT(get(&c, 2), 7); /* "unknown" */
	session(&c);
	CHECK_INT(simple(&c, 99, 1), EOPNOTSUPP);
	CHECK_INT(simple(&c, WALK, 1), EBADF); /* cut short */
	begin(&c, MKDIR);
	put(&c, 4, 1);
	put(&c, 2, 60000);
	CHECK_INT(end(&c), EBADF);
	/* No room for an answer, no message: a chain comes back empty. */
	b[0] = (struct driver_buffer){ driver_copy(&c.d, "\x07\0\0\0\x64\0\0", 7), 7, false };
	b[1] = (struct driver_buffer){ driver_alloc(&c.d, 8), 8, true };
	CHECK_INT(driver_do(&c.d, 0, b, 2), 0);
	b[0].size = 3;
	CHECK_INT(driver_do(&c.d, 0, b, 1), 0);
	driver_fini(&c.d);
	CHECK(!p9_new("/nonexistent", false, &error));
	CHECK(strstr(error.text, "/nonexistent"));
}

int
main(void)
{
	int fd;

	log_open(-1, LOG_ERROR);
	snprintf(folder, sizeof folder, "/tmp/isomorph-share-XXXXXX");
	if (!mkdtemp(folder))
		return 1;
	snprintf(outside, sizeof outside, "%s.secret", folder);
	fd = open(outside, O_CREAT | O_RDWR, 0600);
	close(fd);
	test_files();
	test_tree();
	test_ways_out();
	test_read_only();
	test_messages();
	unlink(outside);
	CHECK(!rmdir(folder));
	return check_done();
}
