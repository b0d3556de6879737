/* NS16550A: the serial port (National Semiconductor PC16550D data sheet). */
#ifndef DEVICE_UART_NS16550A_H
#define DEVICE_UART_NS16550A_H

#include "backend/console/console.h"
#include "device/device.h"

#define NS16550A_SIZE 0x100u

/* Registers at address, a byte apart; console borrowed. NULL: *error. */
struct device *ns16550a_new(struct memory *memory, uint64_t address, const struct irq_line *irq,
			    struct console *console, struct error *error);

#endif
