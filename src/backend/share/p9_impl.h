/* Private to the 9P server: messages being taken apart and put together, fids (the
 * client's numbers for files), and the handlers. */
#ifndef BACKEND_SHARE_P9_IMPL_H
#define BACKEND_SHARE_P9_IMPL_H

#include <dirent.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backend/share/p9.h"

#define P9_HEADER 7u /* size[4] type[1] tag[2] */
#define P9_NAME 256u
#define P9_PATH 4096u
#define P9_FIDS 65536u

enum p9_type {
	P9_LERROR = 7, P9_STATFS = 8, P9_LOPEN = 12, P9_LCREATE = 14, P9_SYMLINK = 16, P9_MKNOD = 18, P9_RENAME = 20,
	P9_READLINK = 22, P9_GETATTR = 24, P9_SETATTR = 26, P9_XATTRWALK = 30, P9_XATTRCREATE = 32, P9_READDIR = 40,
	P9_FSYNC = 50, P9_LOCK = 52, P9_GETLOCK = 54, P9_LINK = 70, P9_MKDIR = 72, P9_RENAMEAT = 74, P9_UNLINKAT = 76,
	P9_VERSION = 100, P9_AUTH = 102, P9_ATTACH = 104, P9_FLUSH = 108, P9_WALK = 110, P9_READ = 116, P9_WRITE = 118,
	P9_CLUNK = 120, P9_REMOVE = 122,
};

struct p9_fid {
	uint32_t number;
	bool used;
	int fd;      /* opened by the client; -1: not */
	DIR *folder; /* the same, of a folder (owns fd) */
	uint32_t flags; /* with which it was opened */
	char *path;  /* below the root, without '/' in front; "": the root; from malloc */
};

struct p9 {
	int root;
	bool read_only;
	uint32_t message; /* bytes that both sides agreed on */
	struct p9_fid *fid;
	unsigned fids;    /* room at fid */
};

/* A message: read from `at`, or written there. Reading or writing past the end sets
 * bad, gives zeros and writes nothing. */
struct p9_message {
	uint8_t *at, *end;
	bool bad;
};

uint64_t p9_get(struct p9_message *m, unsigned bytes);
/* A string into a buffer of `room`, zero-ended; too long or with a 0 in it: bad. */
void p9_get_text(struct p9_message *m, char *to, size_t room);
void p9_put(struct p9_message *m, unsigned bytes, uint64_t value);
void p9_put_text(struct p9_message *m, const char *text, size_t size);
void p9_put_qid(struct p9_message *m, const struct stat *st);

/* ---- p9_fid.c ------------------------------------------------------------------- */

struct p9_fid *p9_find(struct p9 *p9, uint32_t number);
/* A new fid; NULL when the number is in use or there are too many. path is copied. */
struct p9_fid *p9_fid_new(struct p9 *p9, uint32_t number, const char *path);
void p9_close(struct p9_fid *fid);
void p9_drop(struct p9_fid *fid);
/* Opens a path below the root: a descriptor or -errno. */
int p9_open(const struct p9 *p9, const char *path, int flags);
/* The same for the folder that holds path's last name, which *name points to. */
int p9_open_parent(const struct p9 *p9, const char *path, const char **name);
int p9_stat(const struct p9 *p9, const char *path, struct stat *st); /* 0 or errno */
/* path/name into `to`; errno when it is too long or name is not one. */
int p9_join(char *to, const char *path, const char *name);
/* All fids below `from` are below `to` now. */
void p9_moved(struct p9 *p9, const char *from, const char *to);

/* ---- handlers: 0 or an errno value; the answer's body goes to `out` ---------------- */

typedef int p9_handler(struct p9 *p9, struct p9_message *in, struct p9_message *out);

/* p9_file.c: open files */
p9_handler p9_lopen, p9_lcreate, p9_read, p9_write, p9_readdir, p9_fsync, p9_clunk, p9_lock, p9_getlock;
/* p9_tree.c: names and attributes */
p9_handler p9_walk, p9_getattr, p9_setattr, p9_statfs, p9_readlink, p9_mkdir, p9_symlink, p9_mknod, p9_link, p9_rename,
	p9_renameat, p9_unlinkat, p9_remove;

#endif
