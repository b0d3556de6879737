/* The advanced platform-level interrupt controller (RISC-V Advanced Interrupt
 * Architecture 1.0, chapter 4): wired inputs become either interrupts of harts, by
 * lines (direct delivery), or messages to IMSICs. Two domains: the root, M-mode's, and
 * its child, S-mode's; the root delegates inputs one by one.
 */
#ifndef DEVICE_INTC_APLIC_H
#define DEVICE_INTC_APLIC_H

#include "device/device.h"

#define APLIC_SOURCES 96u /* inputs 1 to this */
#define APLIC_HARTS 64u
#define APLIC_SIZE 0x8000u /* bytes of registers of a domain */

enum aplic_domain { APLIC_MACHINE, APLIC_SUPERVISOR, APLIC_DOMAINS };

struct aplic_wiring {
	uint64_t address[APLIC_DOMAINS];
	unsigned harts;
	/* Direct delivery: a line for each (hart's M then S external input),
	 * borrowed until return. NULL: messages, sent to msi. */
	const struct irq_line *output;
	struct msi_target msi;
};

/* NULL: *error. */
struct device *aplic_new(struct memory *memory, const struct aplic_wiring *wiring, struct error *error);
/* Input number n, 1 to APLIC_SOURCES. */
struct irq_line aplic_input(struct device *aplic, unsigned n);
/* As M-mode firmware leaves it to a kernel: every input is delegated to S-mode. files:
 * where the harts' S-mode interrupt files lie, a page each. */
void aplic_delegate(struct device *aplic, uint64_t files);

#endif
