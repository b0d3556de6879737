/* What tests of the AIA share: its CSRs by number (compilers do not know all of
 * them), interrupt files and the APLIC's registers. Source: RISC-V Advanced
 * Interrupt Architecture 1.0. */
#ifndef AIA_H
#define AIA_H

#include "interrupts.h"

#define SISELECT 0x150
#define SIREG 0x151
#define STOPEI 0x15c
#define STOPI 0xdb0
#define MVIEN 0x308
#define MVIP 0x309
#define MISELECT 0x350
#define MIREG 0x351
#define MTOPEI 0x35c
#define MTOPI 0xfb0

enum { EIDELIVERY = 0x70, EITHRESHOLD = 0x72, EIP = 0x80, EIE = 0xc0 };

/* csrr a0, number; csrw number, a0 */
#define READ_BITS(number) ((uint32_t)(number) << 20 | 2 << 12 | 10 << 7 | 0x73)
#define WRITE_BITS(number) ((uint32_t)(number) << 20 | 10 << 15 | 1 << 12 | 0x73)

#define FILE_M 0x24000000ul
#define FILE_S 0x28000000ul
#define APLIC_M 0xc000000ul
#define APLIC_S 0xd000000ul

#define WORD(address) (*(volatile uint32_t *)(address))

/* Offsets in a domain of the APLIC. */
enum {
	DOMAINCFG = 0, SMSIADDRCFG = 0x1bc8, MMSIADDRCFG = 0x1bc0, SETIP = 0x1c00, SETIPNUM = 0x1cdc, IN_CLRIP = 0x1d00,
	CLRIPNUM = 0x1ddc, SETIE = 0x1e00, SETIENUM = 0x1edc, CLRIENUM = 0x1fdc, GENMSI = 0x3000,
	IDELIVERY = 0x4000, IFORCE = 0x4004, ITHRESHOLD = 0x4008, TOPI = 0x4018, CLAIMI = 0x401c,
	DETACHED = 1, EDGE_HIGH = 4, LEVEL_HIGH = 6, LEVEL_LOW = 7, DELEGATED = 1 << 10, ENABLED = 1 << 8,
};
#define SOURCECFG(n) (4 * (n))
#define TARGET(n) (0x3000 + 4 * (n))

/* The UART's line, number 10: high while its transmitter is empty and that enabled. */
enum { UART_SOURCE = 10 };
static inline void
uart_line(bool high)
{
	*(volatile uint8_t *)(UART + 1) = high ? 2 : 0;
}

#endif
