/* The 9P server: messages, and which handler takes which. */
#include "backend/share/p9.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "backend/share/p9_impl.h"

#define MESSAGE_MIN 4096u
#define NO_FID UINT32_MAX

/* ---- fields ----------------------------------------------------------------------- */

uint64_t
p9_get(struct p9_message *m, unsigned bytes)
{
	uint64_t value = 0;

	if ((size_t)(m->end - m->at) < bytes) {
		m->bad = true;
		return 0;
	}
	memcpy(&value, m->at, bytes);
	m->at += bytes;
	return le64toh(value);
}

void
p9_get_text(struct p9_message *m, char *to, size_t room)
{
	size_t size = p9_get(m, 2);

	*to = 0;
	if (size >= room || (size_t)(m->end - m->at) < size || memchr(m->at, 0, size)) {
		m->bad = true;
		return;
	}
	memcpy(to, m->at, size);
	to[size] = 0;
	m->at += size;
}

void
p9_put(struct p9_message *m, unsigned bytes, uint64_t value)
{
	if ((size_t)(m->end - m->at) < bytes) {
		m->bad = true;
		return;
	}
	value = htole64(value);
	memcpy(m->at, &value, bytes);
	m->at += bytes;
}

void
p9_put_text(struct p9_message *m, const char *text, size_t size)
{
	p9_put(m, 2, size);
	if (m->bad || (size_t)(m->end - m->at) < size || size > UINT16_MAX) {
		m->bad = true;
		return;
	}
	memcpy(m->at, text, size);
	m->at += size;
}

/* The server's name for a file: kind, version, number. */
void
p9_put_qid(struct p9_message *m, const struct stat *st)
{
	p9_put(m, 1, S_ISDIR(st->st_mode) ? 0x80 : S_ISLNK(st->st_mode) ? 0x02 : 0);
	p9_put(m, 4, 0);
	p9_put(m, 8, st->st_ino ^ (uint64_t)st->st_dev << 48);
}

/* ---- the session --------------------------------------------------------------------- */

static int
version(struct p9 *p9, struct p9_message *in, struct p9_message *out)
{
	static const char known[] = "9P2000.L";
	uint32_t size = (uint32_t)p9_get(in, 4);
	char text[32];
	const char *answer;

	p9_get_text(in, text, sizeof text);
	if (in->bad)
		return EINVAL;
	p9_reset(p9);
	answer = strcmp(text, known) || size < MESSAGE_MIN ? "unknown" : known;
	p9->message = size < P9_MESSAGE_MAX ? size : P9_MESSAGE_MAX;
	p9_put(out, 4, p9->message);
	p9_put_text(out, answer, strlen(answer));
	return 0;
}

static int
attach(struct p9 *p9, struct p9_message *in, struct p9_message *out)
{
	uint32_t number = (uint32_t)p9_get(in, 4), auth = (uint32_t)p9_get(in, 4);
	struct stat st;
	int failed;

	if (in->bad || auth != NO_FID)
		return EINVAL;
	failed = p9_stat(p9, "", &st);
	if (failed)
		return failed;
	if (!p9_fid_new(p9, number, ""))
		return EBADF;
	p9_put_qid(out, &st);
	return 0;
}

/* Messages are answered one after the other: what is to be flushed is done. */
static int
flush(struct p9 *p9, struct p9_message *in, struct p9_message *out)
{
	(void)p9, (void)in, (void)out;
	return 0;
}

static int
unsupported(struct p9 *p9, struct p9_message *in, struct p9_message *out)
{
	(void)p9, (void)in, (void)out;
	return EOPNOTSUPP;
}

static const struct {
	uint8_t type;
	bool writes;
	p9_handler *handle;
} handlers[] = {
	{ P9_STATFS, false, p9_statfs },	{ P9_LOPEN, false, p9_lopen },
	{ P9_LCREATE, true, p9_lcreate },	{ P9_SYMLINK, true, p9_symlink },
	{ P9_MKNOD, true, p9_mknod },		{ P9_RENAME, true, p9_rename },
	{ P9_READLINK, false, p9_readlink },	{ P9_GETATTR, false, p9_getattr },
	{ P9_SETATTR, true, p9_setattr },	{ P9_XATTRWALK, false, unsupported },
	{ P9_XATTRCREATE, false, unsupported }, { P9_READDIR, false, p9_readdir },
	{ P9_FSYNC, false, p9_fsync },		{ P9_LOCK, false, p9_lock },
	{ P9_GETLOCK, false, p9_getlock },	{ P9_LINK, true, p9_link },
	{ P9_MKDIR, true, p9_mkdir },		{ P9_RENAMEAT, true, p9_renameat },
	{ P9_UNLINKAT, true, p9_unlinkat },	{ P9_VERSION, false, version },
	{ P9_AUTH, false, unsupported },	{ P9_ATTACH, false, attach },
	{ P9_FLUSH, false, flush },		{ P9_WALK, false, p9_walk },
	{ P9_READ, false, p9_read },		{ P9_WRITE, true, p9_write },
	{ P9_CLUNK, false, p9_clunk },		{ P9_REMOVE, true, p9_remove },
};

static int
dispatch(struct p9 *p9, uint8_t type, struct p9_message *in, struct p9_message *out)
{
	for (size_t i = 0; i < ARRAY_LEN(handlers); i++)
		if (handlers[i].type == type)
			return handlers[i].writes && p9->read_only ? EROFS : handlers[i].handle(p9, in, out);
	return EOPNOTSUPP;
}

size_t
p9_handle(struct p9 *p9, const uint8_t *message, size_t size, uint8_t *reply, size_t room)
{
	struct p9_message in = { .at = (uint8_t *)(uintptr_t)message, .end = (uint8_t *)(uintptr_t)message + size };
	struct p9_message out;
	uint32_t said = (uint32_t)p9_get(&in, 4);
	uint8_t type = (uint8_t)p9_get(&in, 1);
	uint16_t tag = (uint16_t)p9_get(&in, 2);
	int failed;

	if (in.bad || said < P9_HEADER || said > size || room < P9_HEADER + 4)
		return 0;
	in.end = in.at + said - P9_HEADER;
	if (room > p9->message)
		room = p9->message;
	out = (struct p9_message){ .at = reply + P9_HEADER, .end = reply + room };
	failed = dispatch(p9, type, &in, &out);
	if (!failed && (in.bad || out.bad))
		failed = EINVAL;
	if (failed) {
		type = P9_LERROR - 1;
		out = (struct p9_message){ .at = reply + P9_HEADER, .end = reply + room };
		p9_put(&out, 4, (unsigned)failed);
	}
	size = (size_t)(out.at - reply);
	out.at = reply;
	p9_put(&out, 4, size);
	p9_put(&out, 1, type + 1u);
	p9_put(&out, 2, tag);
	return size;
}

/* ---- life -------------------------------------------------------------------------------- */

void
p9_reset(struct p9 *p9)
{
	for (unsigned i = 0; i < p9->fids; i++)
		p9_drop(&p9->fid[i]);
	p9->message = P9_MESSAGE_MAX;
}

struct p9 *
p9_new(const char *path, bool read_only, struct error *error)
{
	struct p9 *p9 = calloc(1, sizeof *p9);
	int probe;

	if (!p9) {
		error_set(error, ENOMEM, "share %s: no memory", path);
		return NULL;
	}
	p9->read_only = read_only;
	p9->message = P9_MESSAGE_MAX;
	p9->root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	probe = p9->root < 0 ? -errno : p9_open(p9, "", O_PATH);
	if (probe >= 0) {
		close(probe);
		return p9;
	}
	error_set(error, -probe, "share %s: %s", path,
		  probe == -ENOSYS ? "the host's kernel has no openat2 (Linux 5.6)" : strerror(-probe));
	p9_free(p9);
	return NULL;
}

void
p9_free(struct p9 *p9)
{
	if (!p9)
		return;
	p9_reset(p9);
	free(p9->fid);
	if (p9->root >= 0)
		close(p9->root);
	free(p9);
}
