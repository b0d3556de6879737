/* IMSIC: files of interrupts that messages make pending.
 *
 * Messages come under the device lock, the hart's instructions without it, so each
 * file has a lock of its own, the innermost. The line follows the file while that is
 * held, so that the two cannot disagree.
 */
#include "device/intc/imsic.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define WORDS ((IMSIC_IDENTITIES + 1) / 64)

/* Registers by their selection. The arrays have a register every two numbers. */
enum { DELIVERY = 0x70, THRESHOLD = 0x72, PENDING = 0x80, ENABLED = 0xc0, END = 0x100 };
/* In a page: a store of an identity's number makes it pending. */
enum { SET_LITTLE = 0, SET_BIG = 4 };

struct file {
	pthread_mutex_t lock;
	uint32_t delivery;  /* 1: the line shows what is pending */
	uint32_t threshold; /* identities from this on do not count; 0: all do */
	uint64_t pending[WORDS], enabled[WORDS]; /* identity 0 does not exist */
	struct irq_line output;
};

struct imsic {
	struct device device;
	unsigned harts;
	uint64_t address[IMSIC_FILES];
	struct side { /* the pages of one privilege, as memory knows them */
		struct imsic *imsic;
		enum imsic_file file;
	} side[IMSIC_FILES];
	struct file file[IMSIC_HARTS][IMSIC_FILES];
};

/* The lowest number goes first. */
static uint32_t
top(const struct file *f)
{
	for (unsigned w = 0; w < WORDS; w++) {
		uint64_t both = f->pending[w] & f->enabled[w];
		uint32_t n = w * 64 + (both ? (uint32_t)__builtin_ctzll(both) : 0);

		if (both)
			return !f->threshold || n < f->threshold ? n : 0;
	}
	return 0;
}

static void
update(const struct file *f)
{
	irq_set(&f->output, f->delivery && top(f));
}

/* ---- what the hart does ------------------------------------------------------- */

/* Changes one register and says what it was; those that are not there are zero. */
static uint64_t
change(struct file *f, unsigned number, uint64_t clear, uint64_t set)
{
	uint64_t old, *word;

	if (number == DELIVERY || number == THRESHOLD) {
		uint32_t *small = number == DELIVERY ? &f->delivery : &f->threshold;

		old = *small;
		*small = (uint32_t)(((old & ~clear) | set) & (number == DELIVERY ? 1 : IMSIC_IDENTITIES));
		return old;
	}
	if (number < PENDING || number >= END || (number - PENDING) % (ENABLED - PENDING) / 2 >= WORDS)
		return 0;
	word = (number < ENABLED ? f->pending : f->enabled) + (number - PENDING) % (ENABLED - PENDING) / 2;
	old = *word;
	*word = (old & ~clear) | set;
	f->pending[0] &= ~UINT64_C(1);
	f->enabled[0] &= ~UINT64_C(1);
	return old;
}

uint64_t
imsic_change(void *imsic, unsigned hart, unsigned file, unsigned number, uint64_t clear, uint64_t set)
{
	struct file *f = &((struct imsic *)imsic)->file[hart][file];
	uint64_t old;

	pthread_mutex_lock(&f->lock);
	old = change(f, number, clear, set);
	if (clear | set)
		update(f);
	pthread_mutex_unlock(&f->lock);
	return old;
}

uint32_t
imsic_top(void *imsic, unsigned hart, unsigned file, bool take)
{
	struct file *f = &((struct imsic *)imsic)->file[hart][file];
	uint32_t n;

	pthread_mutex_lock(&f->lock);
	n = top(f);
	if (take && n) {
		f->pending[n / 64] &= ~(UINT64_C(1) << n % 64);
		if (!top(f))
			update(f);
	}
	pthread_mutex_unlock(&f->lock);
	return n;
}

/* ---- what comes by memory ------------------------------------------------------ */

static void
message(struct file *f, uint32_t n)
{
	if (!n || n > IMSIC_IDENTITIES)
		return;
	pthread_mutex_lock(&f->lock);
	f->pending[n / 64] |= UINT64_C(1) << n % 64;
	if (f->enabled[n / 64] >> n % 64 & 1)
		update(f);
	pthread_mutex_unlock(&f->lock);
}

static uint64_t
page_read(void *owner, uint64_t offset, unsigned size)
{
	(void)owner, (void)offset, (void)size;
	return 0;
}

static void
page_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	const struct side *side = owner;
	struct file *f = &side->imsic->file[offset / IMSIC_PAGE][side->file];

	(void)size;
	if (offset % IMSIC_PAGE == SET_LITTLE)
		message(f, (uint32_t)value);
	else if (offset % IMSIC_PAGE == SET_BIG)
		message(f, __builtin_bswap32((uint32_t)value));
}

static const struct memory_ops page_ops = { page_read, page_write, 4, 4 };

bool
imsic_send(struct device *device, uint64_t address, uint32_t data)
{
	struct imsic *m = (struct imsic *)device;

	for (unsigned i = 0; i < IMSIC_FILES; i++) {
		if (address < m->address[i] || address - m->address[i] >= m->harts * IMSIC_PAGE || address % 4)
			continue;
		page_write(&m->side[i], address - m->address[i], 4, data);
		return true;
	}
	return false;
}

/* ---- the chip ------------------------------------------------------------------ */

static void
imsic_reset(struct device *device)
{
	struct imsic *m = (struct imsic *)device;

	for (unsigned i = 0; i < m->harts * IMSIC_FILES; i++) {
		struct file *f = &m->file[i / IMSIC_FILES][i % IMSIC_FILES];

		pthread_mutex_lock(&f->lock);
		f->delivery = f->threshold = 0;
		memset(f->pending, 0, sizeof f->pending);
		memset(f->enabled, 0, sizeof f->enabled);
		update(f);
		pthread_mutex_unlock(&f->lock);
	}
}

static void
file_state(struct file *f, struct state *s)
{
	state_u32(s, "delivery", &f->delivery);
	state_u32(s, "threshold", &f->threshold);
	state_bytes(s, "pending", f->pending, sizeof f->pending);
	state_bytes(s, "enabled", f->enabled, sizeof f->enabled);
	if (state_way(s) != STATE_RESTORE)
		return;
	state_check(s, f->delivery <= 1, "delivery");
	state_check(s, f->threshold <= IMSIC_IDENTITIES, "threshold");
	f->pending[0] &= ~UINT64_C(1);
	f->enabled[0] &= ~UINT64_C(1);
	update(f);
}

static void
imsic_state(struct device *device, struct state *s)
{
	struct imsic *m = (struct imsic *)device;

	for (unsigned i = 0; i < m->harts * IMSIC_FILES; i++) {
		struct file *f = &m->file[i / IMSIC_FILES][i % IMSIC_FILES];

		pthread_mutex_lock(&f->lock);
		file_state(f, s);
		pthread_mutex_unlock(&f->lock);
	}
}

static void
imsic_free(struct device *device)
{
	struct imsic *m = (struct imsic *)device;

	for (unsigned i = 0; i < m->harts * IMSIC_FILES; i++)
		pthread_mutex_destroy(&m->file[i / IMSIC_FILES][i % IMSIC_FILES].lock);
	free(m);
}

static const struct device_type imsic_type = {
	.name = "imsic",
	.version = 1,
	.reset = imsic_reset,
	.state = imsic_state,
	.free = imsic_free,
};

struct device *
imsic_new(struct memory *memory, const uint64_t address[IMSIC_FILES], const struct irq_line *output, unsigned harts,
	  struct error *error)
{
	static const char *const names[] = { "imsic-m", "imsic-s" };
	struct imsic *m = calloc(1, sizeof *m);

	if (!m)
		fatal("out of memory for an interrupt controller");
	m->device.type = &imsic_type;
	m->harts = harts < IMSIC_HARTS ? harts : IMSIC_HARTS;
	for (unsigned i = 0; i < m->harts * IMSIC_FILES; i++) {
		struct file *f = &m->file[i / IMSIC_FILES][i % IMSIC_FILES];

		pthread_mutex_init(&f->lock, NULL);
		f->output = output[i];
	}
	for (unsigned i = 0; i < IMSIC_FILES; i++) {
		m->address[i] = address[i];
		m->side[i] = (struct side){ m, (enum imsic_file)i };
		if (!memory_add_device(memory, names[i], address[i], (uint64_t)m->harts * IMSIC_PAGE, &page_ops,
				       &m->side[i], error))
			continue;
		imsic_free(&m->device);
		return NULL;
	}
	return &m->device;
}
