/* base/: text, error, arena, vec, pages. */
#include "base/base.h"
#include "unit/check.h"

static void
test_text(void)
{
	char buffer[64];
	int length = text_format(buffer, sizeof buffer, "%s=%d %#lx|%5u|%-4c|%04x", "pc", -7,
				 0xffff123456789abcul, 42u, 'x', 0xabu);

	CHECK_TEXT(buffer, "pc=-7 0xffff123456789abc|   42|x   |00ab");
	CHECK_INT(length, (int)strlen(buffer));
	CHECK_INT(text_format(buffer, 4, "%s", "longer"), 6);
	CHECK_TEXT(buffer, "lon");
	CHECK_INT(text_format(buffer, sizeof buffer, "%.*s%%", 2, "abc"), 3);
	CHECK_TEXT(buffer, "ab%");
}

static void
test_error(void)
{
	struct error e = { 0 };

	CHECK_INT(error_set(&e, 2, "%s: not there", "a"), -1);
	error_set(&e, 3, "later");
	CHECK(e.set);
	CHECK_INT(e.code, 2);
	CHECK_TEXT(e.text, "a: not there");
	CHECK_INT(error_set(NULL, 1, "nobody listens"), -1);
}

static void
test_arena(void)
{
	struct arena arena = { 0 };
	char *first = arena_alloc(&arena, 24);
	bool zeroed = true;

	memset(first, 0xff, 24);
	for (size_t size = 1; size < (1 << 20); size *= 3) {
		char *p = arena_alloc(&arena, size);

		CHECK_INT((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < size; i++)
			zeroed &= !p[i];
		memset(p, 0xee, size);
	}
	CHECK(zeroed);
	CHECK_INT((unsigned char)first[23], 0xff);
	arena_reset(&arena);
	char *again = arena_alloc(&arena, 24);
	CHECK(again == first);
	CHECK_INT(again[0] | again[23], 0);
	arena_fini(&arena);
}

static void
test_vec(void)
{
	struct vec vec = { 0 };
	bool kept = true, zeroed = true;

	for (uint32_t i = 0; i < 10000; i++) {
		uint32_t *p = vec_push(&vec, sizeof *p);

		zeroed &= !*p;
		*p = i;
	}
	for (uint32_t i = 0; i < 10000; i++)
		kept &= ((uint32_t *)vec.data)[i] == i;
	CHECK_INT(vec.count, 10000);
	CHECK(kept);
	CHECK(zeroed);
	vec_fini(&vec, sizeof(uint32_t));
	CHECK(!vec.data);
}

int
main(void)
{
	test_text();
	test_error();
	test_arena();
	test_vec();
	CHECK_INT(align_up(4097, 4096), 8192);
	CHECK_INT(align_down(4097, 4096), 4096);
	return check_done();
}
