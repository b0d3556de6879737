/* Hostile guests: random accesses of any size to every register of every core
 * chip, with random lines and input in between. Nothing may happen but what the
 * chips do; under sanitizers that is worth most. Every now and then the state goes
 * into a fresh board, which must then have the same; and damaged state must be
 * refused or taken without harm. LONG=1: a million accesses a chip. */
#include "unit/device_board.h"

static uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);

static uint64_t
next(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Values that matter to chips more often than chance has it. */
static uint64_t
value(void)
{
	static const uint32_t likely[] = { 0, 1, 0x20, 0x40, 0x60, 0xd0, 0xe8, 0x90, 0x98, 0xff, 0xf, 0x83, 0x8000,
					   0x5555, 0xffffffff, 0x40, BARS, BARS + 0x1000, 6 };
	uint64_t choice = next();

	return choice % 3 ? likely[choice / 3 % ARRAY_LEN(likely)] : next() >> next() % 64;
}

static const struct {
	const char *name;
	uint64_t start, size;
	uint64_t dense; /* most accesses are in the first so many bytes */
} chips[] = {
	{ "uart", UART, NS16550A_SIZE, 8 },
	{ "plic", PLIC, PLIC_SIZE(2 * HARTS), 0x200 },
	{ "plic contexts", PLIC + 0x1f0000, 0x20000, 0x18000 },
	{ "imsic", IMSIC_M, HARTS * IMSIC_PAGE, 8 },
	{ "imsic of S-mode", IMSIC_S, HARTS * IMSIC_PAGE, 8 },
	{ "aplic", APLIC, 4 * APLIC_SIZE, 0x80 },
	{ "aplic of S-mode", APLIC + APLIC_SIZE, 3 * APLIC_SIZE, 0x80 },
	{ "aplic addresses", APLIC + 0x1bc0, 0x500, 0x130 },
	{ "aplic targets", APLIC + 0x3000, 0x1200, 0x80 },
	{ "aplic, direct", APLIC + 2 * APLIC_SIZE, 2 * APLIC_SIZE, 0x80 },
	{ "aplic, direct, pending", APLIC + 3 * APLIC_SIZE + 0x1c00, 0x500, 0x400 },
	{ "aplic, direct, harts", APLIC + 2 * APLIC_SIZE + 0x4000, 0x100, 0x80 },
	{ "clint", CLINT, ACLINT_SIZE, 0x20 },
	{ "mtime", CLINT + 0x3ff0, 0x8010, 0x40 },
	{ "sswi", SSWI, ACLINT_SSWI_SIZE, 0x20 },
	{ "rtc", RTC, GOLDFISH_RTC_SIZE, 0x20 },
	{ "syscon", SYSCON, SYSCON_SIZE, 8 },
	{ "flash", FLASH, FLASH_SIZE, 0x2000 },
	{ "pci configuration", ECAM + 2 * 0x8000, 0x1000, 0x60 },
	{ "ecam", ECAM, 0x1000000, 0x20000 },
	{ "bars", BARS, 0x20000, 0x2000 },
};

static void
access_chip(struct board *b, unsigned chip)
{
	unsigned size = 1u << next() % 4;
	uint64_t range = next() % 8 ? chips[chip].dense : chips[chip].size, word;
	uint64_t address = chips[chip].start + next() % range;

	if (next() % 16)
		address &= ~(uint64_t)(size - 1);
	if (next() % 2)
		memory_store(&b->memory, address, size, value());
	else
		memory_load(&b->memory, address, size, &word);
}

static void
surroundings(struct board *b)
{
	struct irq_line line = plic_input(b->plic, next() % 100);

	irq_set(&line, next() & 1);
	line = aplic_input(b->aplic[next() & 1], next() % 100);
	irq_set(&line, next() & 1);
	imsic_change(b->imsic, next() % HARTS, next() & 1, 0x70 + next() % 0x90, value(), value());
	imsic_top(b->imsic, next() % HARTS, next() & 1, next() & 1);
	imsic_send(b->imsic, IMSIC_M + next() % 0x4000, (uint32_t)next() % 300);
	pci_set_intx(&b->function, next() & 1);
	pci_msix_send(&b->function, next() % 8);
}

static void *
saved(struct board *b, size_t *size)
{
	struct state *s = state_save();
	const void *data;
	void *copy;

	board_state(b, s);
	data = state_data(s, size);
	copy = malloc(*size);
	memcpy(copy, data, *size);
	CHECK_INT(state_close(s, NULL), 0);
	return copy;
}

static void
check_round(struct board *b)
{
	struct board *other = board_new();
	struct error error = { 0 };
	size_t size, again;
	void *data = saved(b, &size), *back;
	struct state *s = state_restore(data, size);

	/* What is no chip's state. */
	guest_clock_set(&other->clock, guest_clock_now(&b->clock));
	board_state(other, s);
	CHECK_INT(state_close(s, &error), 0);
	CHECK_TEXT(error.text, "");
	back = saved(other, &again);
	if (!CHECK(size == again && !memcmp(data, back, size))) {
		error = (struct error){ 0 };
		s = state_compare(data, size);
		board_state(other, s);
		state_close(s, &error);
		fprintf(stderr, "%s\n", error.text);
	}
	/* Lines follow: all but those that only rise. */
	for (unsigned i = 0; i < LINES; i++)
		if (i < LINE_SUPERVISOR || i >= LINE_UART)
			CHECK_INT(other->level[i], b->level[i]);
	free(data);
	free(back);
	board_free(other);
}

static void
check_damaged(struct board *b)
{
	struct board *other = board_new();
	size_t size;
	uint8_t *data = saved(b, &size);
	struct state *s;

	for (unsigned i = 0; i < 8; i++)
		data[next() % size] ^= (uint8_t)(1u << next() % 8);
	s = state_restore(data, size);
	board_state(other, s);
	state_close(s, NULL);
	for (unsigned i = 0; i < 200; i++)
		access_chip(other, next() % ARRAY_LEN(chips));
	CHECK(true);
	free(data);
	board_free(other);
}

int
main(void)
{
	unsigned accesses = getenv("LONG") ? 1000000 : 20000;
	struct board *b = board_new();

	for (unsigned chip = 0; chip < ARRAY_LEN(chips); chip++)
		for (unsigned i = 0; i < accesses; i++) {
			access_chip(b, chip);
			if (i % 16 == 0)
				surroundings(b);
			if (i % (accesses / 4) == accesses / 4 - 1) {
				check_round(b);
				check_damaged(b);
			}
		}
	board_free(b);
	return check_done();
}
