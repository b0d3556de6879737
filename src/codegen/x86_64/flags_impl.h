/* Flags: what flags.c, which makes them, asks of flags_use.c, which uses them. */
#ifndef CODEGEN_X86_64_FLAGS_IMPL_H
#define CODEGEN_X86_64_FLAGS_IMPL_H

#include "codegen/x86_64/flags.h"
#include "codegen/x86_64/gen.h"

static inline bool
flags_not_borrow(const struct ir_ins *ins)
{
	return ins->op == IR_FLAGS_FCMP || ins->aux & IR_CARRY_NOT_BORROW;
}

static inline int
flags_bytes(const struct gen *g, ir_ref ref)
{
	return (int)ir_type_bits((enum ir_type)g->ins[ref].type) / 8;
}

static inline bool
eflags_are(const struct gen *g, ir_ref f)
{
	return g->eflags == f && g->eflags_at == g->hot.p;
}

static inline void
eflags_become(struct gen *g, ir_ref f)
{
	g->eflags = f;
	g->eflags_at = g->hot.p;
	g->eflags_swapped = false;
}

/* The result that stands for an operand of flags. */
static inline ir_ref
flags_result(const struct gen *g, ir_ref f)
{
	return (ir_ref)((int64_t)f + g->val[f].near);
}

/* Makes the host's flags those of deferred f, integer arithmetic. Returns whether
 * CF is the carry of a sum (else a borrow). */
bool flags_reproduce(struct gen *g, ir_ref f);
/* Whether the condition of a FLAGS_FCMP wants its operands the other way round. */
bool flags_fcmp_swapped(enum ir_cond cond);
void flags_emit_fcmp(struct gen *g, ir_ref f, bool swapped);
/* The flags as a byte in a register that may be another value's: it stays as
 * it is. NO_REG: no code, for x86's P and A. */
int flags_byte(struct gen *g, ir_ref f);
/* Frees the temporaries taken since the set of locked ones was this. */
void flags_unlock(struct gen *g, uint32_t locked);

#endif
