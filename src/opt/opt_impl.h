/* What the passes share: copy.c. */
#ifndef OPT_OPT_IMPL_H
#define OPT_OPT_IMPL_H

#include "ir/cfg.h"
#include "opt/opt.h"

/* Which of an op's a, b and c are values: bits 0 to 2. */
unsigned opt_operands(const struct ir_ins *ins);
/* Begins a region like another: same place, mode, slots, helpers. */
void opt_begin(struct ir_builder *b, struct ir_region *out, const struct ir_region *like, struct arena *arena);
/* Appends op ref of region `from`, which ends no block, as it is, with the
 * operands that renamed says and guest addresses shifted. Returns it. */
ir_ref opt_copy(struct ir_builder *b, const struct ir_region *from, ir_ref ref, const ir_ref *renamed, int32_t shift);
/* The same for an EXIT. */
void opt_copy_exit(struct ir_builder *b, const struct ir_region *from, ir_ref ref, const ir_ref *renamed, int32_t shift);
/* Adds to the state map of op `at`, not before any that has one. */
void opt_map(struct ir_region *region, ir_ref at, unsigned slot, enum ir_fixup fixup, ir_ref value);

#endif
