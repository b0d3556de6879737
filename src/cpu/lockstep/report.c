/* Lockstep: what differs between two runs of a region, and the report of it. */
#include "cpu/lockstep/lockstep.h"

#include <string.h>

static bool
is_fault(const struct lockstep_run *run)
{
	return run->stopped && run->stop.kind == CPU_STOP_TRAP &&
	       (run->stop.trap == IR_TRAP_READ_FAULT || run->stop.trap == IR_TRAP_WRITE_FAULT);
}

static bool
stops_differ(const struct lockstep_run *a, const struct lockstep_run *b)
{
	const struct cpu_stop *x = &a->stop, *y = &b->stop;

	if (a->stopped != b->stopped)
		return true;
	if (!a->stopped)
		return false;
	return x->kind != y->kind || x->trap != y->trap || x->pc != y->pc || x->next != y->next ||
	       x->host_signal != y->host_signal || (is_fault(a) && x->address != y->address);
}

/* A fault may have cost the link: the manual lets it. */
static bool
links_differ(const struct lockstep_run *a, const struct lockstep_run *b)
{
	if (is_fault(a))
		return false;
	return a->state.link_address != b->state.link_address ||
	       (a->state.link_address != IR_LINK_NONE && a->state.link_value != b->state.link_value);
}

static bool
memory_differs(const struct lockstep *ls, size_t i)
{
	const struct ir_undo *undo = (const struct ir_undo *)ls->undo.data + i;

	return memcmp((const uint8_t *)ls->evaluated.memory.data + 32 * i,
		      (const uint8_t *)ls->translated.memory.data + 32 * i, undo->size);
}

bool
lockstep_differ(const struct vcpu *vcpu, const struct lockstep *ls)
{
	const struct lockstep_state *a = &ls->evaluated.state, *b = &ls->translated.state;

	(void)vcpu;
	if (memcmp(a->guest, b->guest, sizeof a->guest) || a->pc != b->pc || (a->fp_flags ^ b->fp_flags) & LOCKSTEP_FLAGS ||
	    a->fp_round != b->fp_round || stops_differ(&ls->evaluated, &ls->translated) ||
	    links_differ(&ls->evaluated, &ls->translated))
		return true;
	for (size_t i = 0; i < ls->undo.count; i++)
		if (memory_differs(ls, i))
			return true;
	return false;
}

/* ---- the report --------------------------------------------------------------- */

static void
line(const char *what, uint64_t before, uint64_t evaluated, uint64_t translated)
{
	log_line(LOG_ERROR, "%c %-10s %016lx  evaluated %016lx  translated %016lx",
		 evaluated == translated ? ' ' : '!', what, (unsigned long)before,
		 (unsigned long)evaluated, (unsigned long)translated);
}

static uint64_t
word_at(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, 8);
	return word;
}

static void
report_slots(const struct ir_slots *slots, const struct lockstep *ls)
{
	for (unsigned i = 0; i < slots->count; i++) {
		const struct ir_slot *slot = &slots->slot[i];

		for (unsigned at = 0; at < (ir_type_bits((enum ir_type)slot->type) + 63) / 64 * 8; at += 8)
			line(slot->name, word_at(ls->before.guest + slot->offset + at),
			     word_at(ls->evaluated.state.guest + slot->offset + at),
			     word_at(ls->translated.state.guest + slot->offset + at));
	}
}

static void
report_stop(const char *who, const struct lockstep_run *run)
{
	if (!run->stopped)
		log_line(LOG_ERROR, "  %s: goes on at %#lx", who, (unsigned long)run->state.pc);
	else
		log_line(LOG_ERROR, "  %s: stop %d trap %d at %#lx, next %#lx, address %#lx, signal %d code %d", who,
			 run->stop.kind, run->stop.trap, (unsigned long)run->stop.pc,
			 (unsigned long)run->stop.next, (unsigned long)run->stop.address,
			 run->stop.host_signal, run->stop.host_code);
}

void
lockstep_report(struct vcpu *vcpu, const struct lockstep *ls)
{
	const struct lockstep_state *b = &ls->before, *e = &ls->evaluated.state, *t = &ls->translated.state;
	const struct ir_undo *undo = ls->undo.data;

	log_line(LOG_ERROR, "lockstep: the region at %#lx differs", (unsigned long)b->pc);
	report_slots(vcpu->space->guest->slots, ls);
	line("pc", b->pc, e->pc, t->pc);
	line("fp flags", b->fp_flags, e->fp_flags, t->fp_flags);
	line("rounding", b->fp_round, e->fp_round, t->fp_round);
	line("link", b->link_address, e->link_address, t->link_address);
	line("link value", b->link_value, e->link_value, t->link_value);
	report_stop("evaluated", &ls->evaluated);
	report_stop("translated", &ls->translated);
	for (size_t i = 0; i < ls->undo.count; i++)
		log_line(LOG_ERROR, "%c %u bytes at %#lx: evaluated %016lx translated %016lx",
			 memory_differs(ls, i) ? '!' : ' ', undo[i].size, (unsigned long)undo[i].address,
			 (unsigned long)word_at((const uint8_t *)ls->evaluated.memory.data + 32 * i),
			 (unsigned long)word_at((const uint8_t *)ls->translated.memory.data + 32 * i));
	cpu_dump_region(vcpu, interp_last(vcpu), CPU_DUMP_GUEST | CPU_DUMP_LIFT);
}
