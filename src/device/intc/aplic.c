/* APLIC: domains of sources.
 *
 * A source belongs to one domain, the child if the root delegates it. There its mode
 * says how the wire's level becomes the rectified value, and what that does to the
 * pending bit (4.5.2, 4.7): an edge sets it; a level is the pending bit in direct
 * delivery, and in delivery by messages sets it as it rises and clears it as it falls.
 * A message that was sent clears it too, so that who serves a level asks anew
 * (setipnum).
 *
 * Open in the specification, and here so: targets take any hart number, and those of
 * harts that do not exist lead nowhere; sources are little-endian alone; a change of
 * mode makes a source pending when its rectified value is high then (4.5.2).
 */
#include "device/intc/aplic.h"

#include <stdlib.h>
#include <string.h>

#include "device/intc/bits.h"

#define WORDS (APLIC_SOURCES / 32 + 1)

/* Offsets. Source n has its sourcecfg and target at 4 * n from these. */
enum {
	DOMAINCFG = 0,
	SOURCECFG = 0,
	MSIADDRCFG = 0x1bc0, /* mmsiaddrcfg, mmsiaddrcfgh, smsiaddrcfg, smsiaddrcfgh */
	MSIADDRCFG_END = 0x1bd0,
	SETIP = 0x1c00,
	SETIPNUM = 0x1cdc,
	IN_CLRIP = 0x1d00,
	CLRIPNUM = 0x1ddc,
	SETIE = 0x1e00,
	SETIENUM = 0x1edc,
	CLRIE = 0x1f00,
	CLRIENUM = 0x1fdc,
	SETIPNUM_LE = 0x2000,
	SETIPNUM_BE = 0x2004,
	GENMSI = 0x3000,
	TARGET = 0x3000,
	IDC = 0x4000,
	IDC_SIZE = 32,
};
/* Within a hart's IDC structure. */
enum { IDELIVERY = 0, IFORCE = 4, ITHRESHOLD = 8, TOPI = 24, CLAIMI = 28 };
/* domaincfg */
enum { CONFIG_ENABLE = 1 << 8, CONFIG_MSI = 1 << 2 };
#define CONFIG_FIXED 0x80000000u
/* sourcecfg */
enum { SOURCE_DELEGATED = 1 << 10, INACTIVE = 0, DETACHED = 1, EDGE_HIGH = 4, EDGE_LOW = 5, LEVEL_HIGH = 6, LEVEL_LOW = 7 };
/* target: the hart from bit 18 on, below it a priority or an identity */
enum { TARGET_HART = 18, TARGET_PRIORITY = 0xff, TARGET_IDENTITY = 0x7ff };
/* *msiaddrcfgh */
#define ADDRESS_LOCK 0x80000000u
enum { ADDRESS_M = 0x1f77ffff, ADDRESS_S = 0x700fff };

struct idc {
	uint32_t delivery, force, threshold;
	struct irq_line output;
};

struct domain {
	struct aplic *aplic;
	bool root;
	bool on; /* domaincfg.IE */
	uint32_t source[APLIC_SOURCES + 1], target[APLIC_SOURCES + 1];
	uint32_t pending[WORDS], enabled[WORDS];
	struct idc idc[APLIC_HARTS];
};

struct aplic {
	struct device device;
	unsigned harts;
	bool messages;
	struct msi_target msi;
	uint32_t level[WORDS];  /* of the inputs now */
	uint32_t address[4];    /* as at MSIADDRCFG */
	struct domain domain[APLIC_DOMAINS];
};

/* ---- sources ------------------------------------------------------------------- */

static bool
is_source(uint32_t n)
{
	return n && n <= APLIC_SOURCES;
}

static struct domain *
owner(struct aplic *a, unsigned n)
{
	return &a->domain[a->domain[APLIC_MACHINE].source[n] & SOURCE_DELEGATED ? APLIC_SUPERVISOR : APLIC_MACHINE];
}

/* Its mode in this domain; inactive where it does not belong. */
static unsigned
mode(const struct domain *d, unsigned n)
{
	return d->source[n] & SOURCE_DELEGATED ? INACTIVE : d->source[n];
}

static bool
is_level(unsigned source_mode)
{
	return source_mode == LEVEL_HIGH || source_mode == LEVEL_LOW;
}

static bool
rectified(const struct domain *d, unsigned n)
{
	switch (mode(d, n)) {
	case EDGE_HIGH: case LEVEL_HIGH: return bit(d->aplic->level, n);
	case EDGE_LOW: case LEVEL_LOW: return !bit(d->aplic->level, n);
	}
	return false;
}

/* Sets or clears the pending bit as registers do. */
static void
write_pending(struct domain *d, uint32_t n, bool on)
{
	bool messages = d->aplic->messages;

	if (!is_source(n) || mode(d, n) == INACTIVE || (is_level(mode(d, n)) && !messages))
		return;
	if (on && is_level(mode(d, n)) && !rectified(d, n))
		return;
	set_bit(d->pending, n, on);
}

static void
write_enabled(struct domain *d, uint32_t n, bool on)
{
	if (is_source(n) && mode(d, n) != INACTIVE)
		set_bit(d->enabled, n, on);
}

/* ---- delivery ------------------------------------------------------------------ */

/* 4.9.1: where the file of a hart lies. */
static uint64_t
file_address(const struct aplic *a, bool root, uint32_t hart, uint32_t guest)
{
	uint32_t high = a->address[1], low_width = high >> 12 & 15, high_width = high >> 16 & 7;
	uint32_t group_shift = (high >> 24 & 31) + 12;
	uint32_t shift = (root ? high : a->address[3]) >> 20 & 7;
	uint64_t group = hart >> low_width & ((1u << high_width) - 1), index = hart & ((1u << low_width) - 1);
	uint64_t page = a->address[root ? 0 : 2] | (uint64_t)(a->address[root ? 1 : 3] & 0xfff) << 32;

	return (page | group << group_shift | index << shift | guest) << 12;
}

static void
send(const struct domain *d, uint32_t target)
{
	const struct aplic *a = d->aplic;
	uint32_t guest = d->root ? 0 : target >> 12 & 63;

	if (a->msi.send)
		a->msi.send(a->msi.owner, file_address(a, d->root, target >> TARGET_HART, guest), target & TARGET_IDENTITY);
}

/* What topi of a hart says: number and priority; the lowest priority value goes first,
 * the lowest number among equals. */
static uint32_t
topi(const struct domain *d, unsigned hart)
{
	uint32_t best = 0, below = d->idc[hart].threshold ? d->idc[hart].threshold : TARGET_PRIORITY + 1;

	for (unsigned w = 0; w < WORDS; w++)
		for (uint32_t left = d->pending[w] & d->enabled[w]; left; left &= left - 1) {
			unsigned n = w * 32 + (unsigned)__builtin_ctz(left);
			uint32_t priority = d->target[n] & TARGET_PRIORITY;

			if (d->target[n] >> TARGET_HART != hart || priority >= below)
				continue;
			below = priority;
			best = n << 16 | priority;
		}
	return best;
}

static void
update(struct domain *d)
{
	const struct aplic *a = d->aplic;

	for (unsigned i = 0; i < a->harts && !a->messages; i++)
		irq_set(&d->idc[i].output, d->on && d->idc[i].delivery && (topi(d, i) || d->idc[i].force));
	for (unsigned w = 0; w < WORDS && a->messages && d->on; w++)
		for (uint32_t left = d->pending[w] & d->enabled[w]; left; left &= left - 1) {
			unsigned n = w * 32 + (unsigned)__builtin_ctz(left);

			set_bit(d->pending, n, false);
			send(d, d->target[n]);
		}
}

/* The rectified value was `before`; levels follow it, edges make pending. */
static void
follow(struct domain *d, unsigned n, bool before)
{
	bool now = rectified(d, n);

	if (is_level(mode(d, n)) && !d->aplic->messages)
		set_bit(d->pending, n, now);
	else if (now && !before)
		set_bit(d->pending, n, true);
	else if (!now && is_level(mode(d, n)))
		set_bit(d->pending, n, false);
	update(d);
}

static void
on_input(void *controller, unsigned n, bool level)
{
	struct aplic *a = controller;
	struct domain *d;
	bool before;

	if (!is_source(n) || bit(a->level, n) == level)
		return;
	d = owner(a, n);
	before = rectified(d, n);
	set_bit(a->level, n, level);
	follow(d, n, before);
}

struct irq_line
aplic_input(struct device *aplic, unsigned n)
{
	return (struct irq_line){ on_input, aplic, n };
}

/* ---- registers ----------------------------------------------------------------- */

static void
write_source(struct domain *d, unsigned n, uint32_t value)
{
	struct aplic *a = d->aplic;
	bool delegated = value & SOURCE_DELEGATED;
	uint32_t source_mode = value & 7;

	if (!d->root && owner(a, n) != d)
		return;
	if (delegated && !d->root)
		value = 0;
	else if (delegated)
		value = SOURCE_DELEGATED; /* the only child is number 0 */
	else
		value = source_mode == 2 || source_mode == 3 ? INACTIVE : source_mode;
	if (d->root && d->source[n] & SOURCE_DELEGATED && !delegated)
		write_source(&a->domain[APLIC_SUPERVISOR], n, INACTIVE);
	d->source[n] = value;
	if (mode(d, n) == INACTIVE) {
		d->target[n] = 0;
		set_bit(d->enabled, n, false);
		set_bit(d->pending, n, false);
	} else if (!a->messages && !d->target[n]) {
		d->target[n] = 1;
	}
	follow(d, n, false);
}

static void
write_target(struct domain *d, unsigned n, uint32_t value)
{
	uint32_t hart = value & ~((UINT32_C(1) << TARGET_HART) - 1);

	if (mode(d, n) == INACTIVE)
		return;
	if (d->aplic->messages)
		d->target[n] = hart | (value & (TARGET_IDENTITY | (d->root ? 0 : 63u << 12)));
	else
		d->target[n] = hart | (value & TARGET_PRIORITY ? value & TARGET_PRIORITY : 1);
	update(d);
}

/* The root alone has them, and only where messages are sent; S-mode's too. */
static void
write_address(struct domain *d, unsigned n, uint32_t value)
{
	static const uint32_t writable[4] = { UINT32_MAX, ADDRESS_LOCK | ADDRESS_M, UINT32_MAX, ADDRESS_S };
	struct aplic *a = d->aplic;

	if (d->root && a->messages && !(a->address[1] & ADDRESS_LOCK))
		a->address[n] = value & writable[n];
}

static void
write_bits(struct domain *d, unsigned word, uint32_t bits, void (*write)(struct domain *, uint32_t, bool), bool on)
{
	for (; word < WORDS && bits; bits &= bits - 1)
		write(d, word * 32 + (unsigned)__builtin_ctz(bits), on);
	update(d);
}

static void
write_number(struct domain *d, uint32_t n, void (*write)(struct domain *, uint32_t, bool), bool on)
{
	write(d, n, on);
	update(d);
}

static uint32_t
claim(struct domain *d, unsigned hart)
{
	uint32_t top = topi(d, hart);

	if (top)
		write_pending(d, top >> 16, false);
	else
		d->idc[hart].force = 0;
	update(d);
	return top;
}

static uint32_t
read_idc(struct domain *d, unsigned hart, unsigned at)
{
	if (d->aplic->messages || hart >= d->aplic->harts)
		return 0;
	switch (at) {
	case IDELIVERY: return d->idc[hart].delivery;
	case IFORCE: return d->idc[hart].force;
	case ITHRESHOLD: return d->idc[hart].threshold;
	case TOPI: return topi(d, hart);
	case CLAIMI: return claim(d, hart);
	}
	return 0;
}

static void
write_idc(struct domain *d, unsigned hart, unsigned at, uint32_t value)
{
	struct idc *idc = &d->idc[hart];

	if (d->aplic->messages || hart >= d->aplic->harts)
		return;
	switch (at) {
	case IDELIVERY: idc->delivery = value & 1; break;
	case IFORCE: idc->force = value & 1; break;
	case ITHRESHOLD: idc->threshold = value & TARGET_PRIORITY; break;
	}
	update(d);
}

static uint32_t
inputs(const struct domain *d, unsigned word)
{
	uint32_t value = 0;

	for (unsigned n = word * 32; n < word * 32 + 32 && n <= APLIC_SOURCES; n++)
		value |= (uint32_t)(n && rectified(d, n)) << n % 32;
	return value;
}

static uint64_t
aplic_read(void *domain, uint64_t offset, unsigned size)
{
	struct domain *d = domain;
	const struct aplic *a = d->aplic;
	unsigned word = offset % 0x100 / 4;

	(void)size;
	if (offset == DOMAINCFG)
		return CONFIG_FIXED | (d->on ? CONFIG_ENABLE : 0) | (a->messages ? CONFIG_MSI : 0);
	if (offset <= SOURCECFG + 4 * APLIC_SOURCES)
		return d->source[offset / 4];
	if (offset >= MSIADDRCFG && offset < MSIADDRCFG_END)
		return d->root ? a->address[(offset - MSIADDRCFG) / 4] : 0;
	if (offset >= IDC)
		return read_idc(d, (unsigned)(offset - IDC) / IDC_SIZE, offset % IDC_SIZE);
	if (offset > TARGET && offset <= TARGET + 4 * APLIC_SOURCES)
		return d->target[(offset - TARGET) / 4];
	if (word >= WORDS)
		return 0;
	switch (offset - 4 * word) {
	case SETIP: return d->pending[word];
	case IN_CLRIP: return inputs(d, word);
	case SETIE: return d->enabled[word];
	}
	return 0;
}

static void
aplic_write(void *domain, uint64_t offset, unsigned size, uint64_t whole)
{
	struct domain *d = domain;
	uint32_t value = (uint32_t)whole;
	unsigned word = offset % 0x100 / 4;

	(void)size;
	if (offset && offset <= SOURCECFG + 4 * APLIC_SOURCES) {
		write_source(d, (unsigned)offset / 4, value);
		return;
	}
	if (offset >= MSIADDRCFG && offset < MSIADDRCFG_END) {
		write_address(d, (unsigned)(offset - MSIADDRCFG) / 4, value);
		return;
	}
	if (offset >= IDC) {
		write_idc(d, (unsigned)(offset - IDC) / IDC_SIZE, offset % IDC_SIZE, value);
		return;
	}
	if (offset > TARGET && offset <= TARGET + 4 * APLIC_SOURCES) {
		write_target(d, (unsigned)(offset - TARGET) / 4, value);
		return;
	}
	switch (offset) {
	case DOMAINCFG:
		d->on = value & CONFIG_ENABLE;
		update(d);
		return;
	case SETIPNUM: case SETIPNUM_LE: write_number(d, value, write_pending, true); return;
	case SETIPNUM_BE: write_number(d, __builtin_bswap32(value), write_pending, true); return;
	case CLRIPNUM: write_number(d, value, write_pending, false); return;
	case SETIENUM: write_number(d, value, write_enabled, true); return;
	case CLRIENUM: write_number(d, value, write_enabled, false); return;
	case GENMSI:
		if (d->aplic->messages)
			send(d, value & ~(63u << 12));
		return;
	}
	switch (offset - 4 * word) {
	case SETIP: write_bits(d, word, value, write_pending, true); break;
	case IN_CLRIP: write_bits(d, word, value, write_pending, false); break;
	case SETIE: write_bits(d, word, value, write_enabled, true); break;
	case CLRIE: write_bits(d, word, value, write_enabled, false); break;
	}
}

static const struct memory_ops aplic_ops = { aplic_read, aplic_write, 4, 4 };

/* ---- the chip ------------------------------------------------------------------ */

/* Levels are the devices', which are reset on their own. */
static void
aplic_reset(struct device *device)
{
	struct aplic *a = (struct aplic *)device;

	memset(a->address, 0, sizeof a->address);
	for (unsigned i = 0; i < APLIC_DOMAINS; i++) {
		struct domain *d = &a->domain[i];

		d->on = false;
		memset(d->source, 0, sizeof d->source);
		memset(d->target, 0, sizeof d->target);
		memset(d->pending, 0, sizeof d->pending);
		memset(d->enabled, 0, sizeof d->enabled);
		for (unsigned h = 0; h < a->harts; h++)
			d->idc[h].delivery = d->idc[h].force = d->idc[h].threshold = 0;
		update(d);
	}
}

void
aplic_delegate(struct device *device, uint64_t files)
{
	struct aplic *a = (struct aplic *)device;
	struct domain *root = &a->domain[APLIC_MACHINE];
	unsigned width = 0;

	while (1u << width < a->harts)
		width++;
	for (unsigned n = 1; n <= APLIC_SOURCES; n++)
		write_source(root, n, SOURCE_DELEGATED);
	write_address(root, 1, width << 12);
	write_address(root, 2, (uint32_t)(files >> 12));
	write_address(root, 3, (uint32_t)(files >> 44));
}

static void
domain_state(struct domain *d, struct state *s)
{
	state_bool(s, "on", &d->on);
	state_bytes(s, "source", d->source, sizeof d->source);
	state_bytes(s, "target", d->target, sizeof d->target);
	state_bytes(s, "pending", d->pending, sizeof d->pending);
	state_bytes(s, "enabled", d->enabled, sizeof d->enabled);
	for (unsigned i = 0; i < d->aplic->harts; i++) {
		state_u32(s, "delivery", &d->idc[i].delivery);
		state_u32(s, "force", &d->idc[i].force);
		state_u32(s, "threshold", &d->idc[i].threshold);
	}
	if (state_way(s) != STATE_RESTORE)
		return;
	/* What no write could have made. */
	d->pending[0] &= ~UINT32_C(1);
	d->enabled[0] &= ~UINT32_C(1);
	d->pending[WORDS - 1] &= (UINT32_C(2) << APLIC_SOURCES % 32) - 1;
	d->enabled[WORDS - 1] &= (UINT32_C(2) << APLIC_SOURCES % 32) - 1;
}

static void
aplic_state(struct device *device, struct state *s)
{
	struct aplic *a = (struct aplic *)device;

	state_bytes(s, "level", a->level, sizeof a->level);
	state_bytes(s, "address", a->address, sizeof a->address);
	for (unsigned i = 0; i < APLIC_DOMAINS; i++)
		domain_state(&a->domain[i], s);
	for (unsigned i = 0; i < APLIC_DOMAINS && state_way(s) == STATE_RESTORE; i++)
		update(&a->domain[i]);
}

static void
aplic_free(struct device *device)
{
	free(device);
}

static const struct device_type aplic_type = {
	.name = "aplic",
	.version = 1,
	.reset = aplic_reset,
	.state = aplic_state,
	.free = aplic_free,
};

struct device *
aplic_new(struct memory *memory, const struct aplic_wiring *w, struct error *error)
{
	static const char *const names[] = { "aplic-m", "aplic-s" };
	struct aplic *a = calloc(1, sizeof *a);

	if (!a)
		fatal("out of memory for an interrupt controller");
	a->device.type = &aplic_type;
	a->harts = w->harts < APLIC_HARTS ? w->harts : APLIC_HARTS;
	a->messages = !w->output;
	a->msi = w->msi;
	for (unsigned i = 0; i < APLIC_DOMAINS; i++) {
		struct domain *d = &a->domain[i];

		d->aplic = a;
		d->root = i == APLIC_MACHINE;
		for (unsigned h = 0; h < a->harts && w->output; h++)
			d->idc[h].output = w->output[2 * h + i];
		if (!memory_add_device(memory, names[i], w->address[i], APLIC_SIZE, &aplic_ops, d, error))
			continue;
		free(a);
		return NULL;
	}
	return &a->device;
}
