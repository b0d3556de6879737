/* Incoming MSI controllers (RISC-V Advanced Interrupt Architecture 1.0, chapter 3):
 * two interrupt files a hart, of M-mode and of S-mode. Each is a page in memory, to
 * which messages are stored, and registers that the hart's own instructions reach.
 */
#ifndef DEVICE_INTC_IMSIC_H
#define DEVICE_INTC_IMSIC_H

#include "device/device.h"

#define IMSIC_HARTS 64u
#define IMSIC_IDENTITIES 255u /* interrupts of a file: 1 to this; 63 more than a multiple of 64 */
#define IMSIC_PAGE 4096u      /* bytes; those of one privilege lie behind each other */

enum imsic_file { IMSIC_MACHINE, IMSIC_SUPERVISOR, IMSIC_FILES };

/* address: of the first hart's file of each kind. output: a line for each file
 * (hart's M then S external input), borrowed until return. NULL: *error. */
struct device *imsic_new(struct memory *memory, const uint64_t address[IMSIC_FILES], const struct irq_line *output,
			 unsigned harts, struct error *error);

/* A message from a device; false: no file is at the address. Under the device lock. */
bool imsic_send(struct device *imsic, uint64_t address, uint32_t data);

/* As guest_files (guest/system.h) wants them; number: of a register as *iselect
 * selects it, 0x70 to 0xff. Any thread, without the device lock. */
uint64_t imsic_change(void *imsic, unsigned hart, unsigned file, unsigned number, uint64_t clear, uint64_t set);
uint32_t imsic_top(void *imsic, unsigned hart, unsigned file, bool take);

#endif
