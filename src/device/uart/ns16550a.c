/* NS16550A: a serial port with 16-byte FIFOs. The line has no speed: a byte that
 * is written has been sent at once, as long as the console takes it.
 *
 * The transmitter's FIFO is the console's buffer; while that is full, THRE and
 * TEMT are 0 and the guest waits.
 */
#include "device/uart/ns16550a.h"

#include <stdlib.h>
#include <string.h>

#define FIFO 16u

enum { RBR_THR_DLL, IER_DLM, IIR_FCR, LCR, MCR, LSR, MSR, SCR };
enum { IER_RECEIVED = 1, IER_SENT = 2, IER_LINE = 4, IER_MODEM = 8 };
enum { IIR_NONE = 1, IIR_SENT = 2, IIR_RECEIVED = 4, IIR_LINE = 6, IIR_TIMEOUT = 12, IIR_FIFOS = 0xc0 };
enum { FCR_ENABLE = 1, FCR_CLEAR_RECEIVER = 2 };
enum { LCR_DIVISOR = 0x80 };
enum { MCR_DTR = 1, MCR_RTS = 2, MCR_OUT1 = 4, MCR_OUT2 = 8, MCR_LOOP = 16 };
enum { LSR_READY = 1, LSR_OVERRUN = 2, LSR_THRE = 0x20, LSR_TEMT = 0x40 };
enum { MSR_CTS = 16, MSR_DSR = 32, MSR_RI = 64, MSR_DCD = 128 };

struct ns16550a {
	struct device device;
	struct irq_line irq;
	struct console *console;
	uint8_t ier, fcr, lcr, mcr, scr, dll, dlm;
	uint8_t fifo[FIFO];
	uint8_t first, count; /* of the receiver's FIFO */
	bool overrun;
	bool sent;            /* the transmitter became empty and nobody was told */
};

static unsigned
fifo_room(const struct ns16550a *u)
{
	return (u->fcr & FCR_ENABLE ? FIFO : 1) - u->count;
}

/* The most urgent cause of an interrupt, as IIR says it. */
static uint8_t
cause(const struct ns16550a *u)
{
	static const uint8_t trigger[] = { 1, 4, 8, 14 };

	if (u->ier & IER_LINE && u->overrun)
		return IIR_LINE;
	if (u->ier & IER_RECEIVED && u->count) {
		/* Below the trigger level the time-out comes, at once: what is in
		 * the FIFO has come to its end. */
		if (u->fcr & FCR_ENABLE && u->count < trigger[u->fcr >> 6])
			return IIR_TIMEOUT;
		return IIR_RECEIVED;
	}
	if (u->ier & IER_SENT && u->sent)
		return IIR_SENT;
	return IIR_NONE;
}

static void
update(struct ns16550a *u)
{
	irq_set(&u->irq, cause(u) != IIR_NONE);
}

static void
receive(struct ns16550a *u, uint8_t byte)
{
	if (!fifo_room(u)) {
		u->overrun = true;
		return;
	}
	u->fifo[(u->first + u->count++) % FIFO] = byte;
}

static uint8_t
take(struct ns16550a *u)
{
	uint8_t byte = u->fifo[u->first];

	if (!u->count)
		return 0;
	u->first = (u->first + 1) % FIFO;
	u->count--;
	return byte;
}

/* The console offers input. */
static size_t
on_input(void *owner, const uint8_t *bytes, size_t size)
{
	struct ns16550a *u = owner;
	size_t taken = 0;

	while (taken < size && fifo_room(u) && !(u->mcr & MCR_LOOP))
		receive(u, bytes[taken++]);
	update(u);
	return taken;
}

static void
on_room(void *owner)
{
	struct ns16550a *u = owner;

	u->sent = true;
	update(u);
}

static const struct console_client client = { on_input, on_room };

static void
transmit(struct ns16550a *u, uint8_t byte)
{
	if (u->mcr & MCR_LOOP)
		receive(u, byte);
	else
		console_write(u->console, &byte, 1);
	u->sent = u->mcr & MCR_LOOP || console_room(u->console);
}

static uint8_t
line_status(struct ns16550a *u)
{
	uint8_t status = (uint8_t)((u->count ? LSR_READY : 0) | (u->overrun ? LSR_OVERRUN : 0));

	u->overrun = false;
	return status | (console_room(u->console) ? LSR_THRE | LSR_TEMT : 0);
}

/* The other side is always there and ready; in the loop it is us. */
static uint8_t
modem_status(const struct ns16550a *u)
{
	if (!(u->mcr & MCR_LOOP))
		return MSR_CTS | MSR_DSR | MSR_DCD;
	return (uint8_t)((u->mcr & MCR_RTS ? MSR_CTS : 0) | (u->mcr & MCR_DTR ? MSR_DSR : 0) |
			 (u->mcr & MCR_OUT1 ? MSR_RI : 0) | (u->mcr & MCR_OUT2 ? MSR_DCD : 0));
}

static uint8_t
interrupt_status(struct ns16550a *u)
{
	uint8_t value = cause(u);

	if (value == IIR_SENT)
		u->sent = false;
	return value | (u->fcr & FCR_ENABLE ? IIR_FIFOS : 0);
}

static uint64_t
uart_read(void *device, uint64_t offset, unsigned size)
{
	struct ns16550a *u = device;
	uint8_t value = 0;

	(void)size;
	switch (offset) {
	case RBR_THR_DLL:
		if (u->lcr & LCR_DIVISOR)
			return u->dll;
		value = take(u);
		if (!(u->mcr & MCR_LOOP))
			console_more(u->console);
		break;
	case IER_DLM:
		return u->lcr & LCR_DIVISOR ? u->dlm : u->ier;
	case IIR_FCR:
		value = interrupt_status(u);
		break;
	case LCR:
		return u->lcr;
	case MCR:
		return u->mcr;
	case LSR:
		value = line_status(u);
		break;
	case MSR:
		return modem_status(u);
	case SCR:
		return u->scr;
	}
	update(u);
	return value;
}

static void
write_fcr(struct ns16550a *u, uint8_t value)
{
	/* Turning the FIFOs on or off empties them. */
	if ((value ^ u->fcr) & FCR_ENABLE || value & FCR_CLEAR_RECEIVER)
		u->first = u->count = 0;
	u->fcr = value & FCR_ENABLE ? value & (FCR_ENABLE | 0xc0) : 0;
	console_more(u->console);
}

static void
uart_write(void *device, uint64_t offset, unsigned size, uint64_t word)
{
	struct ns16550a *u = device;
	uint8_t value = (uint8_t)word;

	(void)size;
	switch (offset) {
	case RBR_THR_DLL:
		if (u->lcr & LCR_DIVISOR)
			u->dll = value;
		else
			transmit(u, value);
		break;
	case IER_DLM:
		if (u->lcr & LCR_DIVISOR) {
			u->dlm = value;
			break;
		}
		/* Enabling the interrupt tells that the transmitter is empty. */
		if (value & IER_SENT && !(u->ier & IER_SENT))
			u->sent = console_room(u->console);
		u->ier = value & (IER_RECEIVED | IER_SENT | IER_LINE | IER_MODEM);
		break;
	case IIR_FCR:
		write_fcr(u, value);
		break;
	case LCR:
		u->lcr = value;
		break;
	case MCR:
		u->mcr = value & (MCR_DTR | MCR_RTS | MCR_OUT1 | MCR_OUT2 | MCR_LOOP);
		break;
	case SCR:
		u->scr = value;
		break;
	}
	update(u);
}

static const struct memory_ops uart_ops = { uart_read, uart_write, 1, 1 };

static void
uart_reset(struct device *device)
{
	struct ns16550a *u = (struct ns16550a *)device;

	u->ier = u->fcr = u->lcr = u->mcr = u->scr = u->dlm = 0;
	u->dll = 12;
	u->first = u->count = 0;
	u->overrun = u->sent = false;
	update(u);
}

static void
uart_state(struct device *device, struct state *s)
{
	struct ns16550a *u = (struct ns16550a *)device;

	state_u8(s, "ier", &u->ier);
	state_u8(s, "fcr", &u->fcr);
	state_u8(s, "lcr", &u->lcr);
	state_u8(s, "mcr", &u->mcr);
	state_u8(s, "scr", &u->scr);
	state_u8(s, "dll", &u->dll);
	state_u8(s, "dlm", &u->dlm);
	state_bytes(s, "fifo", u->fifo, sizeof u->fifo);
	state_u8(s, "first", &u->first);
	state_u8(s, "count", &u->count);
	state_bool(s, "overrun", &u->overrun);
	state_bool(s, "sent", &u->sent);
	if (state_way(s) != STATE_RESTORE)
		return;
	state_check(s, u->first < FIFO && u->count <= FIFO, "fifo");
	u->first %= FIFO;
	u->count = u->count < FIFO ? u->count : FIFO;
	update(u);
}

static void
uart_free(struct device *device)
{
	free(device);
}

static const struct device_type ns16550a_type = {
	.name = "ns16550a",
	.version = 1,
	.reset = uart_reset,
	.state = uart_state,
	.free = uart_free,
};

struct device *
ns16550a_new(struct memory *memory, uint64_t address, const struct irq_line *irq, struct console *console,
	     struct error *error)
{
	struct ns16550a *u = calloc(1, sizeof *u);

	if (!u)
		fatal("out of memory for a serial port");
	u->device.type = &ns16550a_type;
	u->irq = *irq;
	u->console = console;
	if (memory_add_device(memory, "uart", address, NS16550A_SIZE, &uart_ops, u, error)) {
		free(u);
		return NULL;
	}
	console_attach(console, &client, u);
	return &u->device;
}
