/* store/: what is kept on disk from run to run. A home is a directory of
 * stores; a store is one file of records, bytes under a number and a mode,
 * that belong together (translations of one guest file). Nobody above is
 * known here.
 *
 * Never trusted: a store is used only if it and its directory are the user's own
 * and nobody else may write to them, if it was written under the same key (build,
 * options, host features) and for the same thing; a record, only once its bytes were
 * copied to private memory and found sound there. What is not as it should be is as
 * if it were not there.
 *
 * A file is written beside and renamed, so readers see it whole or not, and keep
 * what they have mapped:
 *
 *     header | records | index
 *
 * Records that stand in the old file are copied by the kernel as they are; one
 * that was given again is in the new index alone. Whoever finds the home locked
 * by another writer does not write. Losing a record costs time, no more.
 *
 * Raw system calls, no libc: guest threads call this. One thread at a time uses a
 * store.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/base.h"

#define STORE_PATH 3584u                      /* bytes of a home's path at most */
#define STORE_BYTES (UINT64_C(32) << 20)      /* of one store at most */
/* A store of this size stays as it is: a large program would write it anew each time. */
#define STORE_FULL (UINT64_C(12) << 20)
#define STORE_HOME_BYTES (UINT64_C(256) << 20) /* of a home, unless it says otherwise */

struct store_home {
	char path[STORE_PATH]; /* absolute; "": none, nothing is kept */
	uint64_t key;          /* of whoever writes and reads here */
	uint64_t limit;        /* bytes; when there are more, what was not used for longest goes */
};

/* Where things are kept if nobody says where: below XDG_CACHE_HOME or HOME, as
 * the XDG Base Directory Specification has it. False: neither is an absolute path. */
bool store_default_path(char *path, size_t size, const char *xdg_cache_home, const char *home);
/* A path that is given from the working directory on, as an absolute one. False: there
 * is no room for it, or no way to say where that directory is. */
bool store_whole_path(char *path, size_t size, const char *given);
/* Whether things are kept there without having been asked for: only if the user has
 * a directory for caches already. So nothing appears in a home that was made for one
 * run, nor in a root file system that is being built. */
bool store_default_wanted(const char *path);

/* A hash in which any change of one word shows, for sums and keys. */
uint64_t store_hash(const void *data, size_t size, uint64_t seed);

/* As records lie in the file, and in memory once copied; `size` bytes follow. */
struct store_record {
	uint64_t sum; /* of all that follows */
	uint64_t number;
	uint32_t mode;
	uint32_t size; /* a multiple of 8 */
	uint8_t bytes[];
};

struct store;

/* The store for this thing (a hash that tells it from others); empty if there is
 * none yet that may be used. NULL: no memory. */
struct store *store_open(const struct store_home *home, uint64_t identity);
void store_close(struct store *store);
/* The record in the mapped file; NULL if none. Its first size + sizeof(struct
 * store_record) bytes lie in the mapping, but reading them, and this function itself,
 * may raise SIGBUS if the file was cut, and they may change. */
const struct store_record *store_find(const struct store *store, uint64_t number, uint32_t mode);
/* Whether a private copy of a record is what was written. */
bool store_sound(const struct store_record *record);
/* How many records the file has. */
uint32_t store_count(const struct store *store);

/* Somebody has something to add; whether it has become enough to be worth a write:
 * writing costs as much as a store is large. store_unwant: it is another's to do. */
void store_want(struct store *store);
bool store_worth(const struct store *store);
void store_unwant(struct store *store);
/* Room for a new record of `size` bytes, zeroed, to be filled before the next call;
 * NULL: no more fit. */
void *store_add(struct store *store, uint64_t number, uint32_t mode, uint32_t size);
/* Writes what was added, and forgets it. False: not this time. */
bool store_write(const struct store_home *home, struct store *store);

/* ---- a home as a whole ------------------------------------------------------ */

struct store_status {
	uint64_t files, bytes, records;
	uint64_t foreign; /* files in it that are not usable stores of any key */
	uint64_t damaged; /* verify: records that are not sound */
};
/* Counts; with verify reads every record. False: there is no home there that may be
 * used (*absent: nothing at all). */
bool store_home_status(const char *path, bool verify, struct store_status *status, bool *absent);
/* Removes the stores, whoever's key they have; *status says what. */
bool store_home_clear(const char *path, struct store_status *status, bool *absent);

#endif
