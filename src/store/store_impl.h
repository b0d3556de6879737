/* store/, private to the folder.
 *
 *   hash.c    sums and keys
 *   home.c    the directory: where, whose, how much; status and clear
 *   file.c    a store that is read
 *   write.c   a store that is written
 */
#ifndef STORE_STORE_IMPL_H
#define STORE_STORE_IMPL_H

#include "base/raw.h"
#include "store/store.h"

#define STORE_MAGIC UINT64_C(0x314e52544f5349ff) /* the last digit is the format's */
#define STORE_NAME 48u  /* bytes of a file's name at most, NUL too */
#define STORE_SUFFIX ".keep"
#define STORE_BESIDE ".new" /* one that is being written; or was, by who died */

struct store_header {
	uint64_t magic;
	uint64_t key, identity;
	uint64_t bytes;   /* of the file */
	uint64_t end;     /* of the records, where the index begins */
	uint32_t records; /* in the index */
	uint32_t slots;   /* of the index; a power of two */
	uint64_t pad;
	uint64_t sum;     /* of all before */
};
_Static_assert(sizeof(struct store_header) == 64, "records are aligned");

/* Open addressing by tag, a hash of number and mode; one record a tag. */
struct store_slot {
	uint32_t tag;
	uint32_t at; /* offset of the record in the file, in units of 8; 0: free */
};

struct store {
	uint64_t identity;
	const uint8_t *map; /* the file; NULL: there was none */
	size_t map_size;
	struct store_header header; /* as it was then */
	uint8_t *added;     /* new records, one behind the other */
	size_t added_size, added_room;
	uint32_t added_count, wanted;
};

uint32_t store_tag(uint64_t number, uint32_t mode);

/* A file of the home, opened to be read, if it is ours alone; its size. A negated
 * errno if not. */
long store_file_open(int home, const char *name, uint64_t *size);
/* Whether a header is that of a file of this size. */
bool store_header_sound(const struct store_header *header, uint64_t size);
void store_file_name(char *name, uint64_t key, uint64_t identity);

/* How many of a whole store's records are not sound or not there. */
uint64_t store_damage(const struct store_header *header, const uint8_t *bytes);

/* The home's directory if it is ours alone, or a negated errno. */
long store_home_open(const char *path);
/* The same, made where it is missing. */
long store_home_make(const char *path);
/* Makes the home smaller than its limit; keeps the file of this name. */
void store_home_trim(int home, uint64_t limit, const char *keep);

#endif
