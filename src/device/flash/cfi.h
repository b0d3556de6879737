/* NOR flash with the Intel command set (JEDEC JEP137, CFI; "extended" command set
 * 0001): two chips of 16 bits side by side, sectors of 256 KiB. */
#ifndef DEVICE_FLASH_CFI_H
#define DEVICE_FLASH_CFI_H

#include "device/device.h"

#define CFI_FLASH_SECTOR 0x40000u

struct cfi_flash_options {
	const char *path; /* what is in it at first; NULL: nothing (all ones). Shorter
	                     files are followed by ones */
	bool read_only;   /* the file is not written back; the guest may still write */
};

/* size: whole sectors. NULL: *error. */
struct device *cfi_flash_new(struct memory *memory, uint64_t address, uint64_t size,
			     const struct cfi_flash_options *options, struct error *error);

#endif
