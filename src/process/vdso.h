/* The guests' vdso images: small ELF files of the guest's ISA, made by
 * tools/make-vdso. SIGRETURN: the offset of the code that a signal handler
 * returns to. */
#ifndef PROCESS_VDSO_H
#define PROCESS_VDSO_H

#include <stddef.h>
#include <stdint.h>

#define VDSO_RISCV64_SIZE 1816u
#define VDSO_RISCV64_SIGRETURN 0x6b4u
extern const uint8_t vdso_riscv64[VDSO_RISCV64_SIZE];

#define VDSO_AARCH64_SIZE 1152u
#define VDSO_AARCH64_SIGRETURN 0x424u
extern const uint8_t vdso_aarch64[VDSO_AARCH64_SIZE];

#endif
