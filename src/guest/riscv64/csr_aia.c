/* Smaia and Ssaia: the CSRs of a hart that has interrupt files (an IMSIC), by the
 * RISC-V Advanced Interrupt Architecture 1.0, chapters 2, 3 and 5.
 *
 * What it leaves open: the priorities of major interrupts are read-only zeros, so
 * that their default order holds and *topi gives each the priority 1 (2.3, 5.2.2);
 * and no bit of mvien can be set (5.3), so that mvip is what software has in mip.
 */
#include "guest/riscv64/privileged.h"

enum { CSR_MTOPI = 0xfb0 };

/* What *iselect selects. */
enum { SELECT_MASK = 0xfff, PRIORITIES = 0x30, PRIORITIES_END = 0x40, FILES = 0x70, FILE_ARRAYS = 0x80, FILES_END = 0x100 };

/* Whether the CSR of this number is M-mode's: bits 9:8 say it of each. */
static bool
is_machine(unsigned number)
{
	return (number >> 8 & 3) == RISCV64_MACHINE;
}

RV_CSR_ALLOW(aia)
{
	(void)number;
	return frame->env->files;
}

static uint64_t
selected(const struct riscv64_state *s, unsigned number)
{
	return is_machine(number) ? s->miselect : s->siselect;
}

/* Arrays have even numbers only: their registers are as long as XLEN (3.4). */
RV_CSR_ALLOW(ireg)
{
	uint64_t select = selected(riscv64_state_read(frame), number);

	if (!frame->env->files)
		return false;
	if (select >= PRIORITIES && select < PRIORITIES_END)
		return !(select & 1);
	return select >= FILES && select < FILES_END && (select < FILE_ARRAYS || !(select & 1));
}

RV_CSR_READ(iselect)
{
	return selected(riscv64_state_read(frame), number);
}

RV_CSR_WRITE_TO(iselect)
{
	struct riscv64_state *s = riscv64_state_of(frame);

	*(is_machine(number) ? &s->miselect : &s->siselect) = value & SELECT_MASK;
}

RV_CSR_CHANGE(ireg)
{
	const struct guest_files *files = frame->env->files;
	uint64_t select = selected(riscv64_state_read(frame), number), clear = operand, set = operand;

	if (select < FILES)
		return 0;
	if (!write || action == RV_CSR_SET)
		clear = 0;
	if (!write || action == RV_CSR_CLEAR)
		set = 0;
	if (write && action == RV_CSR_WRITE)
		clear = UINT64_MAX;
	return files->change(files->owner, frame->env->number, !is_machine(number), (unsigned)select, clear, set);
}

/* A write claims what is read, whatever is written (3.10). */
RV_CSR_CHANGE(topei)
{
	const struct guest_files *files = frame->env->files;
	uint32_t identity = files->top(files->owner, frame->env->number, !is_machine(number), write);

	(void)action, (void)operand;
	return (uint64_t)identity << 16 | identity;
}

/* The major interrupt that goes first among those of a privilege, let in or not. */
RV_CSR_READ(topi)
{
	const struct riscv64_state *s = riscv64_state_read(frame);
	uint64_t pending;

	if (s->menvcfg & MENVCFG_STCE)
		riscv64_timer_update(frame);
	pending = riscv64_pending(frame) & s->mie & (number == CSR_MTOPI ? ~s->mideleg : s->mideleg);
	return pending ? (uint64_t)riscv64_most_urgent(pending) << 16 | 1 : 0;
}

RV_CSR_WRITE_TO(topi)
{
	(void)frame, (void)number, (void)value;
}

RV_CSR_CHANGE(vip)
{
	const struct riscv64_state *s = riscv64_state_read(frame);
	uint64_t software = IP_SSI | IP_SEI | (s->menvcfg & MENVCFG_STCE ? 0 : IP_STI);

	(void)number;
	return riscv64_ip_change(frame, write ? software : 0, action, operand) & software;
}
