/* The extensions that the riscv64 guest tells of, in one table: hwcap, hwprobe
 * and /proc/cpuinfo are made from it. */
#ifndef PROCESS_RISCV64_H
#define PROCESS_RISCV64_H

#include <stdint.h>

struct riscv64_extension {
	const char *name; /* in the order of Linux's isa string */
	int hwprobe;      /* bit of RISCV_HWPROBE_KEY_IMA_EXT_0, or -1 */
};

/* Multi-letter extensions; ends with a NULL name. I M A F D C are there always. */
extern const struct riscv64_extension riscv64_extensions[];

/* Value of RISCV_HWPROBE_KEY_IMA_EXT_0. */
uint64_t riscv64_hwprobe_ima_ext_0(void);

#endif
