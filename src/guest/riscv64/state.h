/* The riscv64 state in ir_frame.guest, and its slot numbers. Slot n is xn for
 * n < 32 and f(n-32) from 32 on (x0 has no slot value: the lifter knows it is
 * zero); after those come CSRs that lifted code reads and writes itself.
 *
 * A process VM has x, f and, where there is V, the last part; the rest is zero there.
 */
#ifndef GUEST_RISCV64_STATE_H
#define GUEST_RISCV64_STATE_H

#include "guest/guest.h"

#define RISCV64_PMP_COUNT 16u
#define RISCV64_VLENB_MAX 32u
#define RISCV64_VILL (UINT64_C(1) << 63) /* of vtype: nothing that depends on it runs */

/* Bytes [start, end) that a PMP entry is about; none when start >= end. */
struct riscv64_pmp_range {
	uint64_t start, end;
};

/* mcycle and minstret. */
struct riscv64_counted {
	uint64_t ahead; /* of what counts: the instructions retired, or the machine's
	                   time in cycles; the value when stopped */
	uint64_t last;  /* value last read */
	uint64_t fresh; /* address behind the instruction that wrote it; 0: read since */
};

struct riscv64_state {
	uint64_t x[32]; /* x[0] stays 0 */
	uint64_t f[32]; /* NaN-boxed */

	/* ---- CSRs that have slots ---- */
	uint64_t mstatus; /* without FS and SD, which are… */
	uint64_t fs;      /* …these two, in their places: lifted code makes it dirty by one store */
	uint64_t waiting; /* interrupts pending and enabled by mie when riscv64_interrupt last
	                     looked; only the vCPU's own thread changes it */
	uint64_t stvec, sscratch, sepc, scause, stval;
	uint64_t mtvec, mscratch, mepc, mcause, mtval;

	/* Of a vCPU that counts (guest_env.counts): instructions retired since reset,
	 * and when it is to come back. */
	uint64_t retired, limit;

	/* ---- the other CSRs ---- */
	uint64_t mip; /* interrupt inputs and what software wrote; other threads set and
	                 clear bits: atomic. See trap.c */
	uint64_t mie, medeleg, mideleg;
	uint64_t satp, menvcfg, senvcfg, mcounteren, scounteren;
	uint64_t stimecmp;
	uint64_t mcountinhibit;
	uint64_t miselect, siselect;
	struct riscv64_counted mcycle, minstret;
	uint8_t pmpcfg[RISCV64_PMP_COUNT];
	uint64_t pmpaddr[RISCV64_PMP_COUNT];

	uint8_t privilege; /* enum riscv64_privilege */
	bool firmware;     /* ecall from S-mode goes to the machine */
	bool counts;       /* guest_env.counts */

	/* ---- made from the above ---- */
	uint32_t mode_key; /* all of it but what frm selects */
	struct riscv64_pmp_range pmp_range[RISCV64_PMP_COUNT];
	uint8_t pmp_count; /* entries up to the last that is about any bytes */

	/* ---- V (vector.h): all zero where it is not ---- */
	uint64_t vl, vtype, vstart;
	uint8_t vxrm, vxsat;   /* the fields of vcsr */
	bool vector_used;      /* by an instruction since reset or riscv64_vector_init */
	uint64_t vlenb;        /* bytes of a register: 16 or 32 */
	uint64_t vector_result; /* what the instruction at hand gives an x or f register */
	_Alignas(16) uint8_t v[32 * RISCV64_VLENB_MAX]; /* v0 on, vlenb bytes each */
};

enum riscv64_privilege { RISCV64_USER = 0, RISCV64_SUPERVISOR = 1, RISCV64_MACHINE = 3 };

enum riscv64_slot {
	RISCV64_X0 = 0,
	RISCV64_F0 = 32,
	RISCV64_SLOT_MSTATUS = 64,
	RISCV64_SLOT_FS,
	RISCV64_SLOT_WAITING,
	RISCV64_SLOT_STVEC,
	RISCV64_SLOT_SSCRATCH,
	RISCV64_SLOT_SEPC,
	RISCV64_SLOT_SCAUSE,
	RISCV64_SLOT_STVAL,
	RISCV64_SLOT_MTVEC,
	RISCV64_SLOT_MSCRATCH,
	RISCV64_SLOT_MEPC,
	RISCV64_SLOT_MCAUSE,
	RISCV64_SLOT_MTVAL,
	RISCV64_SLOT_RETIRED,
	RISCV64_SLOT_LIMIT,
	RISCV64_SLOT_COUNT
};

/* Mode key bits. The first two are set when frm is not one of the modes that
 * the host rounds in (RMM, or a reserved value); a process VM has no others. */
enum riscv64_mode {
	RISCV64_MODE_FRM_RMM = 1 << 0,
	RISCV64_MODE_FRM_INVALID = 1 << 1,
	RISCV64_MODE_SYSTEM = 1 << 2,    /* privilege levels are there */
	RISCV64_MODE_PRIVILEGE = 3 << 3, /* enum riscv64_privilege */
	RISCV64_MODE_FP_OFF = 1 << 5,    /* mstatus.FS is off */
	RISCV64_MODE_NO_CBO_ZERO = 1 << 6,
	RISCV64_MODE_NO_CYCLE = 1 << 7,  /* counters that may not be read */
	RISCV64_MODE_NO_TIME = 1 << 8,
	RISCV64_MODE_NO_INSTRET = 1 << 9,
	RISCV64_MODE_NO_FENCE_VMA = 1 << 10, /* sfence.vma is illegal */
	RISCV64_MODE_COUNTS = 1 << 11, /* instructions retired are counted */
	RISCV64_MODE_VECTOR = 1 << 12, /* V is there and on */

	RISCV64_MODE_FRM = RISCV64_MODE_FRM_RMM | RISCV64_MODE_FRM_INVALID,
	RISCV64_MODE_PRIVILEGE_SHIFT = 3,
};

/* V is there from now on, with registers of vlenb bytes, as after reset. The mode key
 * changes. */
void riscv64_vector_init(struct ir_frame *frame, unsigned vlenb);
/* What vsetvl and writes to the CSRs make of these values. */
void riscv64_vector_restore(struct ir_frame *frame, uint64_t vl, uint64_t vtype, uint64_t vstart, uint64_t vcsr);
/* Registers and vtype lose what they held, as Linux has it at each system call. */
void riscv64_vector_discard(struct ir_frame *frame);

/* Ticks a second of the `time` CSR; riscv_hwprobe's TIME_CSR_FREQ. `cycle` and
 * `instret` count the host's cycles: they only promise to grow. */
#define RISCV64_TIMEBASE_HZ 1000000000u
/* The same in a system VM. */
#define RISCV64_SYSTEM_TIMEBASE_HZ 10000000u

/* Bytes that cbo.zero zeroes, and the other cache-block instructions mean;
 * riscv_hwprobe's ZICBOZ_BLOCK_SIZE and ZICBOM_BLOCK_SIZE. */
#define RISCV64_CACHE_BLOCK 64u

/* For firmware: lets `cycle` (counter 0) or `instret` (2) run or stop; value: what it
 * shows from now on, NULL: what it shows now. The vCPU's thread. */
void riscv64_counter_run(struct ir_frame *frame, unsigned counter, bool run, const uint64_t *value);

static inline struct riscv64_state *
riscv64_state_of(struct ir_frame *frame)
{
	return (struct riscv64_state *)frame->guest;
}

static inline const struct riscv64_state *
riscv64_state_read(const struct ir_frame *frame)
{
	return (const struct riscv64_state *)frame->guest;
}

#endif
