/* SBI: the debug console (chapter 12) and the legacy one (5.2, 5.3). */
#include "machine/virt.h"

#define PIECE 1024u

/* Writes from guest memory as much as the console takes now. */
static int64_t
console_out(struct sbi *call, uint64_t size, uint64_t address)
{
	struct machine *m = call->machine;
	uint8_t bytes[PIECE];

	if (!memory_ram(&m->memory, address, size, false))
		return SBI_INVALID_PARAM;
	while (call->value < size) {
		uint64_t left = size - call->value, piece = left < PIECE ? left : PIECE;
		size_t taken;

		if (!memory_read(&m->memory, address + call->value, bytes, piece))
			return SBI_FAILED;
		pthread_mutex_lock(&m->lock);
		taken = console_write(m->console, bytes, piece);
		pthread_mutex_unlock(&m->lock);
		call->value += taken;
		if (taken < piece)
			break;
	}
	return SBI_SUCCESS;
}

/* Who reads here has the input from now on, not the serial port. */
static size_t
read_input(struct machine *m, uint8_t *bytes, size_t size)
{
	size_t got;

	pthread_mutex_lock(&m->lock);
	console_attach(m->console, NULL, NULL);
	got = console_read(m->console, bytes, size);
	pthread_mutex_unlock(&m->lock);
	return got;
}

static int64_t
console_in(struct sbi *call, uint64_t size, uint64_t address)
{
	struct machine *m = call->machine;
	uint8_t bytes[PIECE];

	if (!memory_ram(&m->memory, address, size, true))
		return SBI_INVALID_PARAM;
	call->value = read_input(m, bytes, size < PIECE ? size : PIECE);
	memory_write(&m->memory, address, bytes, call->value);
	return SBI_SUCCESS;
}

static void
put(struct machine *m, uint8_t byte)
{
	pthread_mutex_lock(&m->lock);
	console_write(m->console, &byte, 1);
	pthread_mutex_unlock(&m->lock);
}

int64_t
sbi_dbcn(struct sbi *call)
{
	enum { WRITE, READ, WRITE_BYTE };

	switch (call->function) {
	case WRITE:
	case READ:
		if (call->a[2]) /* above the 64 bits of an address */
			return SBI_INVALID_PARAM;
		return call->function == WRITE ? console_out(call, call->a[0], call->a[1])
					       : console_in(call, call->a[0], call->a[1]);
	case WRITE_BYTE:
		put(call->machine, (uint8_t)call->a[0]);
		return SBI_SUCCESS;
	}
	return SBI_NOT_SUPPORTED;
}

int64_t
sbi_putchar(struct sbi *call)
{
	put(call->machine, (uint8_t)call->a[0]);
	return SBI_SUCCESS;
}

int64_t
sbi_getchar(struct sbi *call)
{
	uint8_t byte;

	return read_input(call->machine, &byte, 1) ? byte : -1;
}
