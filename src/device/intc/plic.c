/* PLIC: inputs with priorities, contexts that enable them, claim and completion.
 *
 * An input's gateway lets one request through at a time: a level that is high
 * makes it pending, a claim takes the pending bit, and only completion lets the
 * level in again. A request that was let through stays when the level falls.
 * Completion of an input that is not enabled for the context is ignored.
 */
#include "device/intc/plic.h"

#include <stdlib.h>
#include <string.h>

#include "device/intc/bits.h"

#define WORDS (PLIC_SOURCES / 32)

/* Offsets: priorities, pending bits, enable bits (0x80 a context), and a page a
 * context with threshold and claim. */
enum { PENDING = 0x1000, ENABLE = 0x2000, ENABLE_STRIDE = 0x80, CONTEXT = 0x200000, CONTEXT_STRIDE = 0x1000 };
enum { THRESHOLD = 0, CLAIM = 4 };

struct context {
	uint32_t enable[WORDS];
	uint32_t threshold;
	struct irq_line output;
};

struct plic {
	struct device device;
	unsigned contexts;
	uint32_t priority[PLIC_SOURCES];
	uint32_t level[WORDS];   /* of the inputs now */
	uint32_t pending[WORDS];
	uint32_t claimed[WORDS]; /* not completed yet */
	struct context context[PLIC_CONTEXTS];
};

/* The pending input of the highest priority above the context's threshold, the
 * lowest number among equals; 0: none. */
static unsigned
best(const struct plic *p, const struct context *c)
{
	unsigned found = 0;
	uint32_t above = c->threshold;

	for (unsigned w = 0; w < WORDS; w++)
		for (uint32_t left = p->pending[w] & c->enable[w]; left; left &= left - 1) {
			unsigned n = w * 32 + (unsigned)__builtin_ctz(left);

			if (p->priority[n] > above) {
				above = p->priority[n];
				found = n;
			}
		}
	return found;
}

static void
update(struct plic *p)
{
	for (unsigned i = 0; i < p->contexts; i++)
		irq_set(&p->context[i].output, best(p, &p->context[i]));
}

/* Lets the level of an input through its gateway. */
static void
gateway(struct plic *p, unsigned n)
{
	if (bit(p->level, n) && !bit(p->claimed, n))
		set_bit(p->pending, n, true);
}

static void
on_input(void *controller, unsigned number, bool level)
{
	struct plic *p = controller;

	if (!number || number >= PLIC_SOURCES || bit(p->level, number) == level)
		return;
	set_bit(p->level, number, level);
	gateway(p, number);
	update(p);
}

struct irq_line
plic_input(struct device *plic, unsigned n)
{
	return (struct irq_line){ on_input, plic, n };
}

static uint32_t
claim(struct plic *p, struct context *c)
{
	unsigned n = best(p, c);

	if (n) {
		set_bit(p->pending, n, false);
		set_bit(p->claimed, n, true);
		update(p);
	}
	return n;
}

static void
complete(struct plic *p, const struct context *c, uint32_t n)
{
	if (!n || n >= PLIC_SOURCES || !bit(c->enable, n))
		return;
	set_bit(p->claimed, n, false);
	gateway(p, n);
	update(p);
}

static struct context *
context_at(struct plic *p, uint64_t index)
{
	return index < p->contexts ? &p->context[index] : NULL;
}

static uint64_t
plic_read(void *device, uint64_t offset, unsigned size)
{
	struct plic *p = device;
	struct context *c;

	(void)size;
	if (offset < PENDING)
		return offset / 4 < PLIC_SOURCES ? p->priority[offset / 4] : 0;
	if (offset < ENABLE)
		return (offset - PENDING) / 4 < WORDS ? p->pending[(offset - PENDING) / 4] : 0;
	if (offset < CONTEXT) {
		uint64_t word = (offset - ENABLE) % ENABLE_STRIDE / 4;

		c = context_at(p, (offset - ENABLE) / ENABLE_STRIDE);
		return c && word < WORDS ? c->enable[word] : 0;
	}
	c = context_at(p, (offset - CONTEXT) / CONTEXT_STRIDE);
	if (c && offset % CONTEXT_STRIDE == THRESHOLD)
		return c->threshold;
	if (c && offset % CONTEXT_STRIDE == CLAIM)
		return claim(p, c);
	return 0;
}

static void
write_enable(struct plic *p, uint64_t offset, uint32_t value)
{
	struct context *c = context_at(p, offset / ENABLE_STRIDE);
	uint64_t word = offset % ENABLE_STRIDE / 4;

	if (!c || word >= WORDS)
		return;
	c->enable[word] = word ? value : value & ~UINT32_C(1);
	update(p);
}

static void
plic_write(void *device, uint64_t offset, unsigned size, uint64_t word)
{
	struct plic *p = device;
	uint32_t value = (uint32_t)word;
	struct context *c;

	(void)size;
	if (offset < PENDING) {
		if (offset / 4 && offset / 4 < PLIC_SOURCES)
			p->priority[offset / 4] = value & PLIC_PRIORITIES;
		update(p);
	} else if (offset >= ENABLE && offset < CONTEXT) {
		write_enable(p, offset - ENABLE, value);
	} else if (offset >= CONTEXT) {
		c = context_at(p, (offset - CONTEXT) / CONTEXT_STRIDE);
		if (c && offset % CONTEXT_STRIDE == THRESHOLD) {
			c->threshold = value & PLIC_PRIORITIES;
			update(p);
		} else if (c && offset % CONTEXT_STRIDE == CLAIM) {
			complete(p, c, value);
		}
	}
}

static const struct memory_ops plic_ops = { plic_read, plic_write, 4, 4 };

/* Levels are the devices', which are reset on their own. */
static void
plic_reset(struct device *device)
{
	struct plic *p = (struct plic *)device;

	memset(p->priority, 0, sizeof p->priority);
	memset(p->claimed, 0, sizeof p->claimed);
	memcpy(p->pending, p->level, sizeof p->pending);
	for (unsigned i = 0; i < p->contexts; i++) {
		memset(p->context[i].enable, 0, sizeof p->context[i].enable);
		p->context[i].threshold = 0;
	}
	update(p);
}

static void
plic_state(struct device *device, struct state *s)
{
	struct plic *p = (struct plic *)device;

	state_bytes(s, "priority", p->priority, sizeof p->priority);
	state_bytes(s, "level", p->level, sizeof p->level);
	state_bytes(s, "pending", p->pending, sizeof p->pending);
	state_bytes(s, "claimed", p->claimed, sizeof p->claimed);
	for (unsigned i = 0; i < p->contexts; i++) {
		state_bytes(s, "enable", p->context[i].enable, sizeof p->context[i].enable);
		state_u32(s, "threshold", &p->context[i].threshold);
	}
	if (state_way(s) != STATE_RESTORE)
		return;
	p->pending[0] &= ~UINT32_C(1);
	update(p);
}

static void
plic_free(struct device *device)
{
	free(device);
}

static const struct device_type plic_type = {
	.name = "plic",
	.version = 1,
	.reset = plic_reset,
	.state = plic_state,
	.free = plic_free,
};

struct device *
plic_new(struct memory *memory, uint64_t address, const struct irq_line *output, unsigned contexts,
	 struct error *error)
{
	struct plic *p = calloc(1, sizeof *p);

	if (!p)
		fatal("out of memory for an interrupt controller");
	p->device.type = &plic_type;
	p->contexts = contexts < PLIC_CONTEXTS ? contexts : PLIC_CONTEXTS;
	for (unsigned i = 0; i < p->contexts; i++)
		p->context[i].output = output[i];
	if (memory_add_device(memory, "plic", address, PLIC_SIZE(p->contexts), &plic_ops, p, error)) {
		free(p);
		return NULL;
	}
	return &p->device;
}
