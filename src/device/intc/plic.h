/* The platform-level interrupt controller (RISC-V PLIC specification 1.0.0), with
 * level-triggered inputs as SiFive wires them. */
#ifndef DEVICE_INTC_PLIC_H
#define DEVICE_INTC_PLIC_H

#include "device/device.h"

#define PLIC_SOURCES 96u /* input 0 does not exist */
#define PLIC_CONTEXTS 128u
#define PLIC_PRIORITIES 7u
/* Bytes of registers for that many contexts. */
#define PLIC_SIZE(contexts) (0x200000u + (contexts)*0x1000u)

/* output: a line for each context (hart's M then S external input), borrowed
 * until return. NULL: *error. */
struct device *plic_new(struct memory *memory, uint64_t address, const struct irq_line *output, unsigned contexts,
			struct error *error);
/* Input number n, 1 to PLIC_SOURCES - 1. */
struct irq_line plic_input(struct device *plic, unsigned n);

#endif
