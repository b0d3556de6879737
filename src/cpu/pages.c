/* Which guest pages have translations: a hash table with linear probing. Pages
 * stay in it; those without translations go when it grows. */
#include "cpu/cpu_impl.h"

#define FIRST_CAPACITY 256u

static uint32_t
page_hash(uint64_t page)
{
	return (uint32_t)((page / GUEST_PAGE * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

/* The page's slot, or the free one where it belongs. */
static struct code_page *
page_slot(struct page_table *table, uint64_t page)
{
	uint32_t mask = table->array->capacity - 1;

	for (uint32_t i = page_hash(page) & mask;; i = (i + 1) & mask)
		if (!table->array->slot[i].used || table->array->slot[i].page == page)
			return &table->array->slot[i];
}

struct code_page *
page_find(struct page_table *table, uint64_t page)
{
	struct code_page *slot;

	if (!table->array)
		return NULL;
	slot = page_slot(table, page);
	return slot->used ? slot : NULL;
}

bool
page_watched(const struct page_table *table, uint64_t page)
{
	const struct page_array *array = __atomic_load_n(&table->array, __ATOMIC_ACQUIRE);
	uint32_t mask;

	if (!array)
		return false;
	mask = array->capacity - 1;
	for (uint32_t i = page_hash(page) & mask;; i = (i + 1) & mask) {
		const struct code_page *slot = &array->slot[i];

		if (!__atomic_load_n(&slot->used, __ATOMIC_ACQUIRE))
			return false;
		if (slot->page == page)
			return __atomic_load_n(&slot->watched, __ATOMIC_RELAXED);
	}
}

static size_t
array_size(uint32_t capacity)
{
	return sizeof(struct page_array) + capacity * sizeof(struct code_page);
}

/* The new array is whole before one store makes it the table's: whoever takes
 * over from a killed holder of the lock finds the one or the other. The old one
 * stays, as page_watched may be reading it. */
static void
page_grow(struct page_table *table)
{
	struct page_array *old = table->array;
	uint32_t capacity = old ? old->capacity * 2 : FIRST_CAPACITY;
	struct page_table grown = { pages_alloc(array_size(capacity)) };

	if (!grown.array)
		fatal("out of host memory (%zu bytes)", array_size(capacity));
	grown.array->capacity = capacity;
	grown.array->older = old;
	for (uint32_t i = 0; old && i < old->capacity; i++)
		if (old->slot[i].used && (old->slot[i].watched || old->slot[i].first)) {
			*page_slot(&grown, old->slot[i].page) = old->slot[i];
			grown.array->count++;
		}
	__atomic_store_n(&table->array, grown.array, __ATOMIC_RELEASE);
}

struct code_page *
page_make(struct page_table *table, uint64_t page)
{
	struct code_page *slot = page_find(table, page);

	if (slot)
		return slot;
	if (!table->array || table->array->count >= table->array->capacity / 2)
		page_grow(table);
	slot = page_slot(table, page);
	slot->page = page; /* the rest of a free slot is zero */
	__atomic_store_n(&slot->used, true, __ATOMIC_RELEASE);
	table->array->count++;
	return slot;
}

/* Short ranges look each page up; long ones walk the table. */
struct code_page *
page_next(struct page_table *table, uint64_t start, uint64_t end, uint64_t *cursor)
{
	uint64_t first = align_down(start, GUEST_PAGE) / GUEST_PAGE;
	uint64_t pages = end > start ? (end - 1) / GUEST_PAGE - first + 1 : 0;

	if (!table->array)
		return NULL;
	if (pages <= table->array->capacity) {
		while (*cursor < pages) {
			struct code_page *page = page_find(table, (first + (*cursor)++) * GUEST_PAGE);

			if (page && page->watched)
				return page;
		}
		return NULL;
	}
	while (*cursor < table->array->capacity) {
		struct code_page *page = &table->array->slot[(*cursor)++];

		if (page->used && page->watched && page->page / GUEST_PAGE - first < pages)
			return page;
	}
	return NULL;
}

void
page_table_clear(struct page_table *table)
{
	for (uint32_t i = 0; table->array && i < table->array->capacity; i++)
		table->array->slot[i].first = 0;
}

void
page_table_fini(struct page_table *table)
{
	while (table->array) {
		struct page_array *array = table->array;

		table->array = array->older;
		pages_free(array, array_size(array->capacity));
	}
}
