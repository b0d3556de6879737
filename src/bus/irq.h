/* Interrupt lines: what a device sees of an interrupt controller. */
#ifndef BUS_IRQ_H
#define BUS_IRQ_H

#include "base/base.h"

/* A level that somebody listens to. A zeroed line goes nowhere. Called under
 * the machine's device lock. */
struct irq_line {
	void (*set)(void *controller, unsigned number, bool level);
	void *controller;
	unsigned number;
};

static inline void
irq_set(const struct irq_line *line, bool level)
{
	if (line->set)
		line->set(line->controller, line->number, level);
}

/* A message-signalled interrupt: a store of data to address by a device. */
struct msi_target {
	void (*send)(void *owner, uint64_t address, uint32_t data);
	void *owner;
};

#endif
