/* Fuzz target: messages to the shared folder's server: well-formed heads and numbers,
 * names of a few letters (among them "..", '/' and none), anything else. The folder
 * is a new one; what is beside it must stay untouched. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/share/p9.h"
#include "fuzz/fuzz.h"

static char above[] = "/tmp/isomorph-fuzz-9p-XXXXXX";
static char folder[64], witness[64];
static struct p9 *p9;
static struct stat before;

static uint8_t *put_at;

static void
put(unsigned bytes, uint64_t value)
{
	memcpy(put_at, &value, bytes);
	put_at += bytes;
}

static void
put_name(struct input *in)
{
	static const char *const names[] = { "a", "b", "c", "d", "..", ".", "", "a/b", "../witness", "/etc" };
	const char *name = names[take(in, 1) % ARRAY_LEN(names)];

	put(2, strlen(name));
	memcpy(put_at, name, strlen(name));
	put_at += strlen(name);
}

/* The body of a message of this type, more or less. */
static void
body(struct input *in, unsigned type)
{
	/* Per type: digits are numbers of that many bytes, f a fid, n a name. */
	static const struct {
		uint8_t type;
		const char *fields;
	} shapes[] = {
		{ 8, "f" },	  { 12, "f4" },	  { 14, "fn444" }, { 16, "fnn4" },   { 18, "fn4444" }, { 20, "ffn" },
		{ 22, "f" },	  { 24, "f8" },	  { 26, "f44448888" }, { 40, "f84" }, { 50, "f4" },    { 52, "f1488" },
		{ 54, "f1884n" }, { 70, "ffn" },  { 72, "fn44" },  { 74, "fnfn" },   { 76, "fn4" },    { 104, "f4nn4" },
		{ 110, "ff2nn" }, { 116, "f84" }, { 118, "f844" }, { 120, "f" },     { 122, "f" },
	};

	for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
		if (shapes[i].type != type)
			continue;
		for (const char *p = shapes[i].fields; *p; p++) {
			if (*p == 'n')
				put_name(in);
			else if (*p == 'f')
				put(4, take(in, 1) % 6);
			else
				put((unsigned)(*p - '0'), take(in, take(in, 1) % 2 ? 1 : (unsigned)(*p - '0')));
		}
	}
	for (uint64_t more = take(in, 1) % 8; more; more--)
		put(1, take(in, 1));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t message[4096], reply[8192];
	struct input in = { data, data + size };
	struct stat now;

	p9_reset(p9);
	p9_handle(p9, (const uint8_t *)"\x17\0\0\0\x68\0\0\0\0\0\0\xff\xff\xff\xff\0\0\0\0\0\0\0\0", 23, reply, sizeof reply);
	while (in.at < in.end) {
		unsigned type = (unsigned)take(&in, 1) & 0xfe;
		uint32_t length;

		put_at = message + 4;
		put(1, type);
		put(2, 0);
		body(&in, type);
		length = (uint32_t)(put_at - message);
		put_at = message;
		put(4, take(&in, 1) % 16 ? length : take(&in, 4));
		p9_handle(p9, message, length, reply, take(&in, 1) % 8 ? sizeof reply : take(&in, 1));
	}
	if (stat(witness, &now) || now.st_mtim.tv_nsec != before.st_mtim.tv_nsec || now.st_mode != before.st_mode)
		abort();
	return 0;
}

void
fuzz_start(void)
{
	FILE *file;

	log_open(-1, LOG_ERROR);
	if (!mkdtemp(above))
		abort();
	snprintf(folder, sizeof folder, "%s/share", above);
	snprintf(witness, sizeof witness, "%s/witness", above);
	file = fopen(witness, "w");
	if (!file || fclose(file) || stat(witness, &before) || mkdir(folder, 0700))
		abort();
	p9 = p9_new(folder, false, NULL);
}

void
fuzz_stop(void)
{
	char command[128];

	p9_free(p9);
	snprintf(command, sizeof command, "chmod -R u+rwx %s; rm -r %s", above, above);
	if (system(command))
		abort();
}
