/* The aarch64 user-level state in ir_frame.guest, and its slot numbers.
 *
 * The rounding mode and the cumulative exception flags are the frame's
 * (fp_round, fp_flags); what else of FPCR and FPSR a program can set is here.
 */
#ifndef GUEST_AARCH64_STATE_H
#define GUEST_AARCH64_STATE_H

#include "guest/guest.h"

struct aarch64_vector {
	_Alignas(16) uint64_t d[2];
};

struct aarch64_state {
	uint64_t x[32];             /* x[31] is SP */
	uint64_t tpidr;             /* TPIDR_EL0 */
	uint64_t fpcr;              /* AHP DN FZ FZ16 bits of FPCR; the rest is 0 */
	struct aarch64_vector qc;   /* FPSR.QC: not 0 if something saturated */
	bool tagged;                /* addresses may have a tag in their top byte */
	uint8_t nzcv;               /* enum ir_flag bits, as a slot of type flags has them */
	struct aarch64_vector v[32];
};

enum aarch64_slot {
	AARCH64_X0 = 0,   /* x0…x30 */
	AARCH64_SP = 31,
	AARCH64_NZCV = 32,
	AARCH64_TPIDR = 33,
	AARCH64_FPCR = 34,
	AARCH64_QC = 35,
	AARCH64_V0 = 36,
	AARCH64_SLOT_COUNT = 68
};

/* Bits of FPCR beside the rounding mode (23:22) that there are. FZ16 and FZ, AHP
 * and DN change what instructions mean, so they are in the mode key. */
enum aarch64_fpcr {
	AARCH64_FPCR_FZ16 = 1 << 19,
	AARCH64_FPCR_FZ = 1 << 24,
	AARCH64_FPCR_DN = 1 << 25,
	AARCH64_FPCR_AHP = 1 << 26,
	AARCH64_FPCR_KEPT = AARCH64_FPCR_FZ16 | AARCH64_FPCR_FZ | AARCH64_FPCR_DN | AARCH64_FPCR_AHP,
};

/* Mode key bits. */
enum aarch64_mode {
	AARCH64_MODE_FZ16 = 1,
	AARCH64_MODE_FZ = 2,
	AARCH64_MODE_DN = 4,
	AARCH64_MODE_AHP = 8,
	/* Addresses may have a tag in their top byte: mask it away. */
	AARCH64_MODE_TAGGED = 16,
};

/* Ticks a second of CNTVCT_EL0. */
#define AARCH64_COUNTER_HZ 1000000000u

/* What the registers that tell of the caches read: lines of 64 bytes, coherent, so
 * that neither data nor instruction caches need maintenance (IDC, DIC). */
#define AARCH64_CTR 0xb444c004u
#define AARCH64_DCZID 4u
/* MIDR_EL1: implementer 0 (reserved for software), architecture by ID registers. */
#define AARCH64_MIDR 0x000f0510u

/* Bytes of a data cache line, and of what DC ZVA zeroes. */
#define AARCH64_CACHE_BLOCK 64u

static inline struct aarch64_state *
aarch64_state_of(struct ir_frame *frame)
{
	return (struct aarch64_state *)frame->guest;
}

static inline const struct aarch64_state *
aarch64_state_read(const struct ir_frame *frame)
{
	return (const struct aarch64_state *)frame->guest;
}

/* What the processor has, by the EXTENSION lines of insns.def. */
enum aarch64_id { /* (CRm - 2) * 8 + op2 of the ID register */
	A64_ID_PFR0 = 16, A64_ID_PFR1 = 17, A64_ID_DFR0 = 24, A64_ID_ISAR0 = 32, A64_ID_ISAR1 = 33,
	A64_ID_ISAR2 = 34, A64_ID_MMFR0 = 40, A64_ID_MMFR2 = 42, A64_ID_NONE = 255
};
/* ID register as Linux shows it to user code. */
uint64_t aarch64_id_register(unsigned id);
/* AT_HWCAP (word 1) or AT_HWCAP2 (2). */
uint64_t aarch64_hwcap(unsigned word);
/* What /proc/cpuinfo calls a bit of it; NULL when the processor has not got it. */
const char *aarch64_hwcap_name(unsigned word, unsigned bit);

/* FPCR and FPSR as a program reads them, and what follows from writing them.
 * The host's accrued flags must have been folded in (cpu_fp_sync). */
uint32_t aarch64_fpcr_read(const struct ir_frame *frame);
void aarch64_fpcr_write(struct ir_frame *frame, uint32_t fpcr);
uint32_t aarch64_fpsr_read(const struct ir_frame *frame);
void aarch64_fpsr_write(struct ir_frame *frame, uint32_t fpsr);
/* NZCV in bits 31:28, as PSTATE is saved. */
uint32_t aarch64_nzcv_read(const struct ir_frame *frame);
void aarch64_nzcv_write(struct ir_frame *frame, uint32_t nzcv);

#endif
