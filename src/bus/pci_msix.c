/* MSI-X: a table of messages and their pending bits, in a BAR of their own.
 * (PCI Local Bus 3.0, 6.8.2.) Table from offset 0, pending bits from the upper
 * half on. */
#include <assert.h>
#include <string.h>

#include "bus/pci_impl.h"

#define CAPABILITY_ID 0x11
#define ENABLE 0x80 /* in the upper byte of message control */
#define MASK_ALL 0x40
#define MASKED 1u
#define BAR_SIZE 4096u
#define PENDING_AT 2048u

bool
pci_msix_enabled(const struct pci_function *f)
{
	return f->msix_at && f->config[f->msix_at + 3] & ENABLE;
}

static bool
held_back(const struct pci_function *f, unsigned n)
{
	return f->config[f->msix_at + 3] & MASK_ALL || f->msix[n].control & MASKED;
}

static void
send(const struct pci_function *f, unsigned n)
{
	const struct msi_target *target = &f->bus->msi;

	if (target->send && pci_is_master(f))
		target->send(target->owner, f->msix[n].address, f->msix[n].data);
}

void
pci_msix_send(struct pci_function *f, unsigned n)
{
	if (n >= f->vectors || !pci_msix_enabled(f))
		return;
	if (held_back(f, n))
		f->pending[n / 64] |= UINT64_C(1) << n % 64;
	else
		send(f, n);
}

void
pci_msix_deliver(struct pci_function *f)
{
	if (!pci_msix_enabled(f))
		return;
	for (unsigned n = 0; n < f->vectors; n++) {
		uint64_t bit = UINT64_C(1) << n % 64;

		if (!(f->pending[n / 64] & bit) || held_back(f, n))
			continue;
		f->pending[n / 64] &= ~bit;
		send(f, n);
	}
}

static uint32_t *
table_word(struct pci_function *f, uint64_t offset)
{
	return offset / 16 < f->vectors ? (uint32_t *)&f->msix[offset / 16] + offset % 16 / 4 : NULL;
}

static uint64_t
msix_read(void *owner, uint64_t offset, unsigned size)
{
	struct pci_function *f = owner;
	const uint32_t *word = offset < PENDING_AT ? table_word(f, offset) : NULL;

	(void)size;
	if (word)
		return *word;
	if (offset >= PENDING_AT && offset < PENDING_AT + sizeof f->pending)
		return f->pending[(offset - PENDING_AT) / 8] >> offset % 8 * 8;
	return 0;
}

static void
msix_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	struct pci_function *f = owner;
	uint32_t *word = offset < PENDING_AT ? table_word(f, offset) : NULL;

	(void)size;
	if (!word)
		return;
	*word = (uint32_t)value & (offset % 16 == 12 ? MASKED : UINT32_MAX);
	if (f->bus)
		pci_msix_deliver(f);
}

static const struct memory_ops msix_ops = { msix_read, msix_write, 4, 4 };

void
pci_add_msix(struct pci_function *f, unsigned n, unsigned vectors)
{
	assert(vectors && vectors <= PCI_MSIX_VECTORS && !f->msix_at);
	pci_add_bar(f, n, BAR_SIZE, false, &msix_ops, f);
	f->msix_at = pci_add_capability(f, CAPABILITY_ID, 12);
	f->vectors = vectors;
	pci_put16(f, f->msix_at + 2, (uint16_t)(vectors - 1));
	pci_put32(f, f->msix_at + 4, n);
	pci_put32(f, f->msix_at + 8, PENDING_AT | n);
	f->writable[f->msix_at + 3] = ENABLE | MASK_ALL;
	pci_msix_reset(f);
}

void
pci_msix_reset(struct pci_function *f)
{
	memset(f->msix, 0, sizeof f->msix);
	memset(f->pending, 0, sizeof f->pending);
	for (unsigned n = 0; n < f->vectors; n++)
		f->msix[n].control = MASKED;
}

void
pci_msix_state(struct pci_function *f, struct state *s)
{
	state_bytes(s, "msix", f->msix, f->vectors * sizeof f->msix[0]);
	state_bytes(s, "pending", f->pending, sizeof f->pending);
}
