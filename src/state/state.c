/* The field stream: one walk over a component's fields saves, restores, compares
 * or prints them. state.h says the format.
 *
 * Reading expects exactly the fields that a save writes, in the same order; the
 * names are there so that a mismatch can be told, not to search by.
 */
#include "state/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 63
#define PATH_MAX_BYTES 255
#define DEPTH_MAX 8

struct state {
	enum state_way way;
	struct error error;
	char path[PATH_MAX_BYTES + 1]; /* "machine.uart0": where we are */
	uint16_t start[DEPTH_MAX];     /* of each section's name in it */
	unsigned depth;
	/* SAVE */
	uint8_t *bytes;
	size_t size, room;
	/* RESTORE, COMPARE */
	const uint8_t *in;
	size_t in_size, at;
	unsigned differences;
	/* PRINT */
	void (*print)(void *to, const char *line);
	void *to;
};

static struct state *
stream(enum state_way way)
{
	struct state *s = calloc(1, sizeof *s);

	if (!s)
		fatal("out of memory for a state stream");
	s->way = way;
	return s;
}

struct state *
state_save(void)
{
	return stream(STATE_SAVE);
}

static struct state *
reader(enum state_way way, const void *data, size_t size)
{
	struct state *s = stream(way);

	s->in = data;
	s->in_size = size;
	return s;
}

struct state *
state_restore(const void *data, size_t size)
{
	return reader(STATE_RESTORE, data, size);
}

struct state *
state_compare(const void *data, size_t size)
{
	return reader(STATE_COMPARE, data, size);
}

struct state *
state_print(void (*print)(void *to, const char *line), void *to)
{
	struct state *s = stream(STATE_PRINT);

	s->print = print;
	s->to = to;
	return s;
}

enum state_way
state_way(const struct state *s)
{
	return s->way;
}

const void *
state_data(const struct state *s, size_t *size)
{
	*size = s->size;
	return s->bytes;
}

int
state_close(struct state *s, struct error *error)
{
	int result = s->error.set ? -1 : 0;

	if (!result && (s->way == STATE_RESTORE || s->way == STATE_COMPARE) && s->at != s->in_size)
		result = error_set(error, EINVAL, "state: %zu bytes too many at the end", s->in_size - s->at);
	if (s->error.set && s->differences > 1)
		error_set(error, s->error.code, "%s (and %u more)", s->error.text, s->differences - 1);
	else if (s->error.set)
		error_set(error, s->error.code, "%s", s->error.text);
	free(s->bytes);
	free(s);
	return result;
}

/* ---- bytes ----------------------------------------------------------------- */

static void
put(struct state *s, const void *from, size_t size)
{
	if (s->size + size > s->room) {
		size_t room = (s->size + size) * 2 + 256;
		uint8_t *bytes = realloc(s->bytes, room);

		if (!bytes)
			fatal("out of memory for a state stream of %zu bytes", room);
		s->bytes = bytes;
		s->room = room;
	}
	if (size)
		memcpy(s->bytes + s->size, from, size);
	s->size += size;
}

static bool
get(struct state *s, void *to, size_t size)
{
	if (s->error.set && s->way != STATE_COMPARE)
		return false;
	if (s->in_size - s->at < size) {
		error_set(&s->error, EINVAL, "state: the stream ends within %s", s->path);
		s->differences = 0;
		s->at = s->in_size;
		return false;
	}
	if (size)
		memcpy(to, s->in + s->at, size);
	s->at += size;
	return true;
}

static void
put_name(struct state *s, char tag, const char *name)
{
	uint8_t length = (uint8_t)strnlen(name, NAME_MAX_BYTES);

	put(s, &tag, 1);
	put(s, &length, 1);
	put(s, name, length);
}

/* Whether the stream goes on with this tag and name; else the failure. */
static bool
get_name(struct state *s, char tag, const char *name)
{
	char found[NAME_MAX_BYTES + 1], seen;
	uint8_t length;

	if (!get(s, &seen, 1) || !get(s, &length, 1))
		return false;
	if (length > NAME_MAX_BYTES || (seen != 'S' && seen != 'F' && seen != 'E')) {
		error_set(&s->error, EINVAL, "state: %s: no state stream, or a damaged one", s->path);
		s->differences = 0;
		return false;
	}
	if (!get(s, found, length))
		return false;
	found[length] = 0;
	if (seen == tag && !strncmp(found, name, NAME_MAX_BYTES))
		return true;
	error_set(&s->error, EINVAL, "state: %s: expected %s, found %s '%s'", s->path, name,
		  seen == 'S'   ? "section"
		  : seen == 'F' ? "field"
				: "the end of",
		  found);
	s->differences = 0;
	return false;
}

/* ---- sections -------------------------------------------------------------- */

static bool
reading(const struct state *s)
{
	return s->way == STATE_RESTORE || s->way == STATE_COMPARE;
}

static void
path_push(struct state *s, const char *name)
{
	size_t length = strlen(s->path);

	if (s->depth < DEPTH_MAX)
		s->start[s->depth] = (uint16_t)length;
	else
		error_set(&s->error, EINVAL, "state: %s.%s lies too deep", s->path, name);
	s->depth++;
	text_format(s->path + length, sizeof s->path - length, length ? ".%s" : "%s", name);
}

static void
path_pop(struct state *s)
{
	if (--s->depth < DEPTH_MAX)
		s->path[s->start[s->depth]] = 0;
}

/* A comparison goes on after a difference, but not after damage. */
static bool
stopped(const struct state *s)
{
	return s->error.set && !(s->way == STATE_COMPARE && s->differences);
}

unsigned
state_begin(struct state *s, const char *section, unsigned newest)
{
	uint32_t version = newest;

	path_push(s, section);
	if (stopped(s))
		return newest;
	if (s->way == STATE_SAVE) {
		put_name(s, 'S', section);
		put(s, &version, sizeof version);
	} else if (reading(s) && get_name(s, 'S', section) && get(s, &version, sizeof version) &&
		   (!version || version > newest)) {
		error_set(&s->error, EINVAL, "state: %s has version %u, and %u is the newest known here", s->path,
			  version, newest);
		s->differences = 0;
		version = newest;
	}
	return version;
}

void
state_end(struct state *s)
{
	const char *section = s->path;

	if (s->depth > 1 && s->depth <= DEPTH_MAX)
		section += s->start[s->depth - 1] + 1;
	if (!stopped(s)) {
		if (s->way == STATE_SAVE)
			put_name(s, 'E', section);
		else if (reading(s))
			get_name(s, 'E', section);
	}
	path_pop(s);
}

/* ---- fields ---------------------------------------------------------------- */

static void
differs(struct state *s, const char *name)
{
	error_set(&s->error, 0, "state: %s.%s differs", s->path, name);
	s->differences++;
}

static void
print_bytes(struct state *s, const char *name, const uint8_t *field, size_t size)
{
	char line[PATH_MAX_BYTES + NAME_MAX_BYTES + 2 * 32 + 32];
	int at = text_format(line, sizeof line, "%s.%s = ", s->path, name);

	for (size_t i = 0; i < size && i < 32; i++)
		at += text_format(line + at, sizeof line - (size_t)at, "%02x", field[i]);
	if (size > 32)
		text_format(line + at, sizeof line - (size_t)at, "… (%zu bytes)", size);
	s->print(s->to, line);
}

void
state_blob(struct state *s, const char *name, void *field, uint32_t *size, uint32_t max)
{
	uint32_t stored = 0;

	if (stopped(s))
		return;
	if (s->way == STATE_PRINT) {
		print_bytes(s, name, field, *size);
		return;
	}
	if (s->way == STATE_SAVE) {
		put_name(s, 'F', name);
		put(s, size, sizeof *size);
		put(s, field, *size);
		return;
	}
	if (!get_name(s, 'F', name) || !get(s, &stored, sizeof stored))
		return;
	if (stored > max || stored > s->in_size - s->at) {
		error_set(&s->error, EINVAL, "state: %s.%s has %u bytes, and %u are the most", s->path, name, stored,
			  max);
		s->differences = 0;
		return;
	}
	if (s->way == STATE_RESTORE) {
		get(s, field, stored);
		*size = stored;
		return;
	}
	if (stored != *size || (stored && memcmp(field, s->in + s->at, stored)))
		differs(s, name);
	s->at += stored;
}

void
state_bytes(struct state *s, const char *name, void *field, size_t size)
{
	uint32_t stored = 0;

	if (stopped(s))
		return;
	if (s->way == STATE_PRINT) {
		print_bytes(s, name, field, size);
		return;
	}
	if (s->way == STATE_SAVE) {
		stored = (uint32_t)size;
		state_blob(s, name, field, &stored, stored);
		return;
	}
	if (!get_name(s, 'F', name) || !get(s, &stored, sizeof stored))
		return;
	if (stored != size || stored > s->in_size - s->at) {
		error_set(&s->error, EINVAL, "state: %s.%s has %u bytes, not %zu", s->path, name, stored, size);
		s->differences = 0;
		return;
	}
	if (s->way == STATE_RESTORE) {
		get(s, field, size);
		return;
	}
	if (size && memcmp(field, s->in + s->at, size))
		differs(s, name);
	s->at += size;
}

/* An integer of a field's own size; the host is little-endian, as the format. */
static void
integer(struct state *s, const char *name, void *field, size_t size, uint64_t value)
{
	char line[PATH_MAX_BYTES + NAME_MAX_BYTES + 32];

	if (s->way != STATE_PRINT) {
		state_bytes(s, name, field, size);
		return;
	}
	text_format(line, sizeof line, "%s.%s = %#llx", s->path, name, (unsigned long long)value);
	s->print(s->to, line);
}

void
state_bool(struct state *s, const char *name, bool *field)
{
	uint8_t byte = *field;

	integer(s, name, &byte, 1, byte);
	if (s->way == STATE_RESTORE) {
		state_check(s, byte < 2, name);
		*field = byte & 1;
	}
}

void
state_u8(struct state *s, const char *name, uint8_t *field)
{
	integer(s, name, field, sizeof *field, *field);
}

void
state_u16(struct state *s, const char *name, uint16_t *field)
{
	integer(s, name, field, sizeof *field, *field);
}

void
state_u32(struct state *s, const char *name, uint32_t *field)
{
	integer(s, name, field, sizeof *field, *field);
}

void
state_u64(struct state *s, const char *name, uint64_t *field)
{
	integer(s, name, field, sizeof *field, *field);
}

void
state_check(struct state *s, bool good, const char *what)
{
	if (s->way == STATE_RESTORE && !good && !s->error.set)
		error_set(&s->error, EINVAL, "state: %s: %s cannot be", s->path, what);
}
