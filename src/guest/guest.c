/* The list of guest ISAs, and access to their slots by number. */
#include "guest/guest.h"

#include <assert.h>
#include <string.h>

static const struct guest *const guests[] = {
	&guest_riscv64,
	&guest_aarch64,
};

const struct guest *
guest_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(guests); i++)
		if (!strcmp(guests[i]->name, name))
			return guests[i];
	return NULL;
}

const struct guest *
guest_by_elf_machine(unsigned machine)
{
	for (size_t i = 0; i < ARRAY_LEN(guests); i++)
		if (guests[i]->elf_machine == machine)
			return guests[i];
	return NULL;
}

/* Bytes of a slot that guest_slot_read and guest_slot_write can hold. */
static size_t
slot_bytes(const struct ir_slot *slot)
{
	unsigned bits = ir_type_bits((enum ir_type)slot->type);

	assert(bits && bits <= 64);
	return bits / 8;
}

uint64_t
guest_slot_read(const struct guest *guest, const struct ir_frame *frame, unsigned slot)
{
	const struct ir_slot *s = &guest->slots->slot[slot];
	uint64_t value = 0;

	assert(slot < guest->slots->count);
	memcpy(&value, frame->guest + s->offset, slot_bytes(s));
	return value;
}

void
guest_slot_write(const struct guest *guest, struct ir_frame *frame, unsigned slot, uint64_t value)
{
	const struct ir_slot *s = &guest->slots->slot[slot];

	assert(slot < guest->slots->count);
	memcpy(frame->guest + s->offset, &value, slot_bytes(s));
}
