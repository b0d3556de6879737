/* What translated A64 code calls: system registers that no op reads, and FPCR and
 * FPSR as the process VM sees them too. */
#include "guest/aarch64/lift.h"
#include "host/clock.h"

/* FPCR.RMode (bits 23:22) as rounding modes of the frame, and back. */
enum { FPCR_RMODE = 22 };
static const uint8_t round_of_rmode[4] = { IR_RNE, IR_RUP, IR_RDN, IR_RTZ };
static const uint8_t rmode_of_round[4] = { [IR_RNE] = 0, [IR_RTZ] = 3, [IR_RDN] = 2, [IR_RUP] = 1 };

uint32_t
aarch64_fpcr_read(const struct ir_frame *frame)
{
	return (uint32_t)aarch64_state_read(frame)->fpcr | (uint32_t)rmode_of_round[frame->fp_round & 3] << FPCR_RMODE;
}

void
aarch64_fpcr_write(struct ir_frame *frame, uint32_t fpcr)
{
	aarch64_state_of(frame)->fpcr = fpcr & AARCH64_FPCR_KEPT;
	frame->fp_round = round_of_rmode[fpcr >> FPCR_RMODE & 3];
}

/* FPSR: IOC DZC OFC UFC IXC in bits 0 to 4, IDC 7, QC 27; the frame's flags are
 * NX UF OF DZ NV from bit 0, an operand flushed 6. */
uint32_t
aarch64_fpsr_read(const struct ir_frame *frame)
{
	const struct aarch64_vector *qc = &aarch64_state_read(frame)->qc;
	uint32_t flags = frame->fp_flags, fpsr = 0;
	bool saturated = qc->d[0] | qc->d[1];

	for (unsigned i = 0; i < 5; i++)
		fpsr |= (flags >> (4 - i) & 1) << i;
	fpsr |= (flags >> 6 & 1) << 7;
	return fpsr | (uint32_t)saturated << 27;
}

void
aarch64_fpsr_write(struct ir_frame *frame, uint32_t fpsr)
{
	uint32_t flags = (fpsr >> 7 & 1) << 6;

	for (unsigned i = 0; i < 5; i++)
		flags |= (fpsr >> i & 1) << (4 - i);
	frame->fp_flags = flags;
	aarch64_state_of(frame)->qc = (struct aarch64_vector){ { fpsr >> 27 & 1, 0 } };
}

/* N Z C V in bits 31 to 28; in a slot N is bit 0 and V bit 3. */
uint32_t
aarch64_nzcv_read(const struct ir_frame *frame)
{
	uint8_t nzcv = aarch64_state_read(frame)->nzcv;
	uint32_t bits = 0;

	for (unsigned i = 0; i < 4; i++)
		bits |= (uint32_t)(nzcv >> i & 1) << (31 - i);
	return bits;
}

void
aarch64_nzcv_write(struct ir_frame *frame, uint32_t nzcv)
{
	uint8_t bits = IR_FLAG_C_NOT_BORROW;

	for (unsigned i = 0; i < 4; i++)
		bits |= (uint8_t)((nzcv >> (31 - i) & 1) << i);
	aarch64_state_of(frame)->nzcv = bits;
}

/* ---- helpers ------------------------------------------------------------ */

static uint64_t
read_fpcr(struct ir_frame *frame, uint64_t a, uint64_t b, uint64_t c)
{
	(void)a, (void)b, (void)c;
	return aarch64_fpcr_read(frame);
}

static uint64_t
read_counter(struct ir_frame *frame, uint64_t a, uint64_t b, uint64_t c)
{
	(void)frame, (void)a, (void)b, (void)c;
	return clock_nanoseconds() / (1000000000u / AARCH64_COUNTER_HZ);
}

static uint64_t
clear_exclusive(struct ir_frame *frame, uint64_t a, uint64_t b, uint64_t c)
{
	(void)a, (void)b, (void)c;
	frame->link_address = IR_LINK_NONE;
	return 0;
}

const struct ir_helper aarch64_helpers[A64_HELPER_COUNT] = {
	[A64_HELPER_FPCR] = { "fpcr", read_fpcr, 0, IR_H_READ_STATE },
	[A64_HELPER_COUNTER] = { "counter", read_counter, 0, IR_H_VOLATILE },
	[A64_HELPER_CLREX] = { "clrex", clear_exclusive, 0, IR_H_WRITE_STATE },
};
