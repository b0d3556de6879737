/* The system level of RV64, private to the folder: M, S and U mode.
 *
 *   system.c          guest_riscv64_system: reset, regimes, state
 *   csrs.def, csr.c   the CSRs: which there are, who may touch them, reading and writing
 *   csr_status.c      mstatus, sstatus, interrupt and delegation CSRs, environments, satp
 *   csr_counter.c     counters, time, stimecmp
 *   csr_aia.c         Smaia and Ssaia: what a hart has of an IMSIC
 *   pmp.c             physical memory protection
 *   pagewalk.c        Sv39, Sv48, Sv57
 *   trap.c            traps, interrupts, returns from them
 *   execute.c         privileged instructions
 *   lift_csr.c, lift_status.c   what lifted code does with CSRs itself
 *
 * Source: RISC-V Instruction Set Manual, volume II, version 20240411 (machine
 * and supervisor architecture 1.13, with Sstc, Svadu, Svade, Svinval, Svnapot,
 * Svpbmt), "the manual" in this folder's comments unless volume I is named.
 */
#ifndef GUEST_RISCV64_PRIVILEGED_H
#define GUEST_RISCV64_PRIVILEGED_H

#include "guest/riscv64/insn.h"
#include "guest/riscv64/state.h"
#include "guest/system.h"

/* ---- fields of CSRs ------------------------------------------------------ */

#define RV_BIT(n) (UINT64_C(1) << (n))

enum {
	STATUS_SIE = 1 << 1,
	STATUS_MIE = 1 << 3,
	STATUS_SPIE = 1 << 5,
	STATUS_MPIE = 1 << 7,
	STATUS_SPP = 1 << 8,
	STATUS_MPP = 3 << 11,
	STATUS_FS = 3 << 13,
	STATUS_MPRV = 1 << 17,
	STATUS_SUM = 1 << 18,
	STATUS_MXR = 1 << 19,
	STATUS_TVM = 1 << 20,
	STATUS_TW = 1 << 21,
	STATUS_TSR = 1 << 22,
	STATUS_MPP_SHIFT = 11,
};
#define STATUS_SD RV_BIT(63)
#define STATUS_UXL_64 (UINT64_C(2) << 32)
#define STATUS_SXL_64 (UINT64_C(2) << 34)
#define STATUS_FS_DIRTY (STATUS_SD | STATUS_FS)
/* What sstatus shows of mstatus, besides FS and SD, and what writes change. */
#define SSTATUS_WRITABLE (STATUS_SIE | STATUS_SPIE | STATUS_SPP | STATUS_SUM | STATUS_MXR)
#define SSTATUS_SHOWN (SSTATUS_WRITABLE | STATUS_UXL_64)
#define MSTATUS_WRITABLE \
	(SSTATUS_WRITABLE | STATUS_MIE | STATUS_MPIE | STATUS_MPP | STATUS_MPRV | STATUS_TVM | STATUS_TW | STATUS_TSR)

/* Interrupts, by number as in mip and cause. */
enum riscv64_interrupt {
	RISCV64_SSI = 1,
	RISCV64_MSI = 3,
	RISCV64_STI = 5,
	RISCV64_MTI = 7,
	RISCV64_SEI = 9,
	RISCV64_MEI = 11,
};
enum {
	IP_SSI = 1 << RISCV64_SSI,
	IP_MSI = 1 << RISCV64_MSI,
	IP_STI = 1 << RISCV64_STI,
	IP_MTI = 1 << RISCV64_MTI,
	IP_SEI = 1 << RISCV64_SEI,
	IP_MEI = 1 << RISCV64_MEI,
	IP_SUPERVISOR = IP_SSI | IP_STI | IP_SEI,
	IP_ALL = IP_SUPERVISOR | IP_MSI | IP_MTI | IP_MEI,
	/* In riscv64_state.mip alone: the inputs STI and SEI, which mip shows
	 * or-ed with the bits that software wrote. */
	IP_LINES = 16,
	IP_STI_LINE = IP_STI << IP_LINES,
	IP_SEI_LINE = IP_SEI << IP_LINES,
};

enum riscv64_cause {
	CAUSE_FETCH_ACCESS = 1,
	CAUSE_ILLEGAL = 2,
	CAUSE_BREAKPOINT = 3,
	CAUSE_LOAD_MISALIGNED = 4,
	CAUSE_LOAD_ACCESS = 5,
	CAUSE_STORE_MISALIGNED = 6,
	CAUSE_STORE_ACCESS = 7,
	CAUSE_ECALL = 8, /* plus the privilege */
	CAUSE_FETCH_PAGE = 12,
	CAUSE_LOAD_PAGE = 13,
	CAUSE_STORE_PAGE = 15,
};
#define CAUSE_INTERRUPT RV_BIT(63)
/* Exceptions that medeleg can hold: all that there are but ecall from M. */
#define MEDELEG_WRITABLE UINT64_C(0xb3ff)

/* satp */
enum riscv64_satp_mode { SATP_BARE = 0, SATP_SV39 = 8, SATP_SV48 = 9, SATP_SV57 = 10 };
#define SATP_MODE(satp) ((unsigned)((satp) >> 60))
#define SATP_ASID(satp) ((uint32_t)((satp) >> 44 & 0xffff))
#define SATP_PPN(satp) ((satp) & (RV_BIT(44) - 1))
/* A kernel takes all the levels that there are, and each makes walks longer: on the
 * built-in firmware, which boots kernels, there is no Sv57. */
static inline bool
riscv64_satp_mode_is(const struct riscv64_state *s, unsigned mode)
{
	return mode == SATP_BARE || (mode >= SATP_SV39 && mode <= (s->firmware ? SATP_SV48 : SATP_SV57));
}

/* menvcfg, senvcfg */
enum {
	ENVCFG_FIOM = 1 << 0,
	ENVCFG_CBIE = 3 << 4, /* 0 illegal, 1 flush, 3 invalidate */
	ENVCFG_CBIE_FLUSH = 1 << 4,
	ENVCFG_CBCFE = 1 << 6,
	ENVCFG_CBZE = 1 << 7,
	SENVCFG_WRITABLE = ENVCFG_FIOM | ENVCFG_CBIE | ENVCFG_CBCFE | ENVCFG_CBZE,
};
#define MENVCFG_ADUE RV_BIT(61)
#define MENVCFG_PBMTE RV_BIT(62)
#define MENVCFG_STCE RV_BIT(63)

/* Counters by their bit in mcounteren. */
enum riscv64_counter { COUNTER_CYCLE, COUNTER_TIME, COUNTER_INSTRET };

/* RV64IMAFDC with S and U mode. It cannot be changed, so IALIGN is always 16. */
#define MISA_VALUE (UINT64_C(2) << 62 | 1 << 0 | 1 << 2 | 1 << 3 | 1 << 5 | 1 << 8 | 1 << 12 | 1 << 18 | 1 << 20)

/* ---- CSRs: csr.c --------------------------------------------------------- */

enum riscv64_csr_kind {
	CSR_LIFTED, /* only lifters deal with it */
	CSR_FIELD,  /* a member of struct riscv64_state; writes change the bits of `mask` */
	CSR_FIXED,  /* always reads `mask`; writes change nothing */
	CSR_CALLS,  /* functions read and write it */
	CSR_CHANGES /* a function reads and changes it at once: other threads do too */
};

/* What csrrw, csrrs and csrrc do. */
enum riscv64_csr_action { RV_CSR_WRITE, RV_CSR_SET, RV_CSR_CLEAR };

struct riscv64_csr {
	uint16_t number;
	uint8_t kind;    /* enum riscv64_csr_kind */
	uint8_t slot;    /* FIELD: lifted code may use this slot; 0: it may not */
	uint16_t offset; /* FIELD: in struct riscv64_state */
	uint64_t mask;
	/* May it be touched now? Besides the privilege that the number demands;
	 * NULL: yes. */
	bool (*allowed)(const struct ir_frame *frame, unsigned number);
	uint64_t (*read)(struct ir_frame *frame, unsigned number);
	void (*write)(struct ir_frame *frame, unsigned number, uint64_t value);
	/* Returns the value before. write: false: an action that changes nothing
	 * (csrrs with x0). */
	uint64_t (*change)(struct ir_frame *frame, unsigned number, bool write,
			   enum riscv64_csr_action action, uint64_t operand);
};

/* NULL when there is no such CSR in this machine. */
const struct riscv64_csr *riscv64_csr(unsigned number);
/* Whether code of this privilege may read, or write, the CSR, as far as its
 * number tells. */
bool riscv64_csr_in_reach(unsigned number, unsigned privilege, bool write);
/* A CSR instruction that was left to IR_TRAP_SYSTEM. False: it is illegal. */
bool riscv64_csr_execute(struct ir_frame *frame, const struct riscv64_insn *insn);

static inline uint64_t
riscv64_csr_result(enum riscv64_csr_action action, uint64_t old, uint64_t operand)
{
	switch (action) {
	case RV_CSR_WRITE:
		return operand;
	case RV_CSR_SET:
		return old | operand;
	case RV_CSR_CLEAR:
		return old & ~operand;
	}
	return operand;
}

/* Functions that csrs.def names. */
#define RV_CSR_ALLOW(name) bool riscv64_allow_##name(const struct ir_frame *frame, unsigned number)
#define RV_CSR_READ(name) uint64_t riscv64_read_##name(struct ir_frame *frame, unsigned number)
#define RV_CSR_WRITE_TO(name) void riscv64_write_##name(struct ir_frame *frame, unsigned number, uint64_t value)
#define RV_CSR_CHANGE(name) \
	uint64_t riscv64_change_##name(struct ir_frame *frame, unsigned number, bool write, \
				       enum riscv64_csr_action action, uint64_t operand)

RV_CSR_ALLOW(always);
RV_CSR_ALLOW(satp);
RV_CSR_ALLOW(counter);
RV_CSR_ALLOW(stimecmp);
RV_CSR_ALLOW(aia);
RV_CSR_ALLOW(ireg);
#define CALLS(number, name, unit, allowed) \
	RV_CSR_READ(unit); \
	RV_CSR_WRITE_TO(unit);
#define CHANGES(number, name, unit, allowed) RV_CSR_CHANGE(unit);
#include "guest/riscv64/csrs.def"

/* ---- csr_status.c -------------------------------------------------------- */

/* The mode key follows privilege, FS, environments and counter enables; tells
 * env when it, or a regime, may have changed. */
void riscv64_changed(struct ir_frame *frame);
/* Changes those bits of mip that software has, in a single step, so that none that
 * another thread sets meanwhile is lost. Returns all of riscv64_state.mip before. */
uint64_t riscv64_ip_change(struct ir_frame *frame, uint64_t writable, enum riscv64_csr_action action, uint64_t operand);

/* ---- csr_counter.c ------------------------------------------------------- */

uint64_t riscv64_counter_read(struct ir_frame *frame, enum riscv64_counter counter);
/* Whether code of this privilege may read it: mcounteren, scounteren. */
bool riscv64_counter_enabled(const struct riscv64_state *s, unsigned counter, unsigned privilege);
/* The input STI follows stimecmp, and the machine's timer too. Only with
 * menvcfg.STCE. */
void riscv64_timer_update(struct ir_frame *frame);
void riscv64_set_timer(struct ir_frame *frame, uint64_t when);

/* ---- pmp.c --------------------------------------------------------------- */

/* The enum guest_access bits that an access of size bytes at a physical address
 * has; *block (a power of two, in bytes) shrinks until the naturally aligned
 * block around the address has the same rule all over. */
unsigned riscv64_pmp(const struct riscv64_state *s, uint64_t physical, unsigned size, bool machine, uint64_t *block);
/* pmp_range and pmp_count from the CSRs. */
void riscv64_pmp_update(struct riscv64_state *s);

/* ---- pagewalk.c ----------------------------------------------------------- */

/* Regimes. Translated ones come in pairs of which the second has MXR. */
enum riscv64_regime {
	REGIME_MACHINE, /* physical, checked as M-mode */
	REGIME_BARE,    /* physical, checked as S or U */
	REGIME_USER,
	REGIME_USER_MXR,
	REGIME_SUPERVISOR,
	REGIME_SUPERVISOR_MXR,
	REGIME_SUPERVISOR_SUM,
	REGIME_SUPERVISOR_SUM_MXR,
};
_Static_assert(REGIME_SUPERVISOR_SUM_MXR < GUEST_REGIMES, "there are that many");

unsigned riscv64_data_regime(const struct ir_frame *frame);
unsigned riscv64_fetch_regime(const struct ir_frame *frame);
bool riscv64_walk(struct ir_frame *frame, uint64_t address, unsigned size, enum guest_access access,
		  unsigned regime, struct guest_walk *walk, struct guest_fault *fault);
struct guest_fault riscv64_access_fault(uint64_t address, enum guest_access access);

/* ---- trap.c --------------------------------------------------------------- */

/* mip as it reads, but that STI may lag behind stimecmp. */
uint64_t riscv64_pending(const struct ir_frame *frame);
/* The number of the interrupt that goes first among these bits of mip, not 0. */
unsigned riscv64_most_urgent(uint64_t pending);
bool riscv64_trap(struct ir_frame *frame, enum ir_trap trap, uint64_t value, struct guest_fault *fault,
		  enum guest_step *step);
void riscv64_deliver(struct ir_frame *frame, const struct guest_fault *fault);
bool riscv64_interrupt(struct ir_frame *frame);
bool riscv64_awake(const struct ir_frame *frame);
void riscv64_set_input(struct ir_frame *frame, unsigned number, bool level);
void riscv64_restore(struct ir_frame *frame, const uint8_t *saved);
/* Return from a trap: pc, privilege and interrupt enable as before it. */
void riscv64_mret(struct ir_frame *frame);
void riscv64_sret(struct ir_frame *frame);

/* ---- execute.c ------------------------------------------------------------ */

enum guest_step riscv64_execute(struct ir_frame *frame, uint64_t bits, uint64_t next, struct guest_fault *fault);

#endif
