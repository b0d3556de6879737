/* The state stream: what is saved comes back, what does not fit is told by name,
 * and no damage to the bytes does harm. */
#include "state/state.h"

#include <stdlib.h>

#include "unit/check.h"

struct part {
	bool on;
	uint8_t small;
	uint16_t half;
	uint32_t word;
	uint64_t large;
	uint8_t bytes[5];
	uint8_t queue[16];
	uint32_t queued;
};

static void
part_state(struct part *p, struct state *s, unsigned newest)
{
	unsigned version = state_begin(s, "part", newest);

	state_bool(s, "on", &p->on);
	state_u8(s, "small", &p->small);
	state_u16(s, "half", &p->half);
	state_begin(s, "inner", 1);
	state_u32(s, "word", &p->word);
	state_end(s);
	if (version >= 2)
		state_u64(s, "large", &p->large);
	state_bytes(s, "bytes", p->bytes, sizeof p->bytes);
	state_blob(s, "queue", p->queue, &p->queued, sizeof p->queue);
	state_check(s, p->small < 100, "small");
	state_end(s);
}

static const struct part full = { true, 7, 0x1234, 0xdeadbeef, 0x1122334455667788, "abcd", "xyz", 3 };

static void *
saved(const struct part *part, unsigned version, size_t *size)
{
	struct part copy = *part;
	struct state *s = state_save();
	const void *data;
	void *result;

	part_state(&copy, s, version);
	data = state_data(s, size);
	result = malloc(*size);
	memcpy(result, data, *size);
	CHECK_INT(state_close(s, NULL), 0);
	return result;
}

static bool
same(const struct part *a, const struct part *b)
{
	return a->on == b->on && a->small == b->small && a->half == b->half && a->word == b->word &&
	       a->large == b->large && !memcmp(a->bytes, b->bytes, sizeof a->bytes) && a->queued == b->queued &&
	       !memcmp(a->queue, b->queue, a->queued);
}

static void
test_round(void)
{
	struct part back = { 0 }, old = { .large = 9 };
	struct error error = { 0 };
	struct state *s;
	size_t size;
	void *data = saved(&full, 2, &size);

	s = state_restore(data, size);
	part_state(&back, s, 2);
	CHECK_INT(state_close(s, &error), 0);
	CHECK(same(&back, &full));
	s = state_compare(data, size);
	part_state(&back, s, 2);
	CHECK_INT(state_close(s, &error), 0);
	free(data);

	/* An older stream leaves what it does not have. */
	data = saved(&full, 1, &size);
	s = state_restore(data, size);
	part_state(&old, s, 2);
	CHECK_INT(state_close(s, &error), 0);
	CHECK_INT(old.large, 9);
	CHECK_INT(old.queued, 3);
	free(data);
}

static const char *
failure(const struct part *part, unsigned saved_as, unsigned read_as, enum state_way way, size_t cut,
	struct part *into, struct error *error)
{
	size_t size;
	void *data = saved(part, saved_as, &size);
	struct state *s = way == STATE_RESTORE ? state_restore(data, size - cut) : state_compare(data, size - cut);

	*error = (struct error){ 0 };
	part_state(into, s, read_as);
	CHECK(state_close(s, error) < 0);
	free(data);
	return error->text;
}

static void
test_failures(void)
{
	struct part back = { 0 }, large = full, differs = full;
	struct error error;

	CHECK_TEXT(failure(&full, 2, 1, STATE_RESTORE, 0, &back, &error),
		   "state: part has version 2, and 1 is the newest known here");
	CHECK_TEXT(failure(&full, 2, 2, STATE_RESTORE, 1, &back, &error), "state: the stream ends within part");
	large.small = 100;
	CHECK_TEXT(failure(&large, 2, 2, STATE_RESTORE, 0, &back, &error), "state: part: small cannot be");
	differs.word = 1;
	CHECK_TEXT(failure(&full, 2, 2, STATE_COMPARE, 0, &differs, &error), "state: part.inner.word differs");
	differs.queued = 2;
	CHECK_TEXT(failure(&full, 2, 2, STATE_COMPARE, 0, &differs, &error),
		   "state: part.inner.word differs (and 1 more)");
}

/* Every single damaged byte either restores or is told; nothing else happens. */
static void
test_damage(void)
{
	size_t size;
	uint8_t *data = saved(&full, 2, &size);

	for (size_t at = 0; at < size; at++)
		for (unsigned bit = 0; bit < 8; bit++) {
			struct part back = { 0 };
			struct error error = { 0 };
			struct state *s = state_restore(data, size);

			data[at] ^= (uint8_t)(1u << bit);
			part_state(&back, s, 2);
			CHECK(state_close(s, &error) == 0 || error.text[0]);
			CHECK(back.queued <= sizeof back.queue);
			data[at] ^= (uint8_t)(1u << bit);
		}
	free(data);
}

static void
keep_line(void *to, const char *line)
{
	char *text = to;

	strcat(strcat(text, line), "\n");
}

static void
test_print(void)
{
	char text[1024] = "";
	struct part copy = full;
	struct state *s = state_print(keep_line, text);

	part_state(&copy, s, 2);
	CHECK_INT(state_close(s, NULL), 0);
	CHECK_TEXT(text, "part.on = 0x1\npart.small = 0x7\npart.half = 0x1234\npart.inner.word = 0xdeadbeef\n"
			 "part.large = 0x1122334455667788\npart.bytes = 6162636400\npart.queue = 78797a\n");
}

int
main(void)
{
	test_round();
	test_failures();
	test_damage();
	test_print();
	return check_done();
}
