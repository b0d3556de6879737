/* Control flow of the x86-64 assembler: conditions, jumps, calls, patching.
 * asm.h has the naming law.
 *
 * A target is given as the address at which the assembler's buffer holds it,
 * in the same view as struct x86_asm.p; code that is mapped twice keeps its
 * distances in either view.
 *
 * A forward jump returns the place of its displacement field; when the target
 * is known, x86_patch_rel8 or _rel32 fills the field in. A jump that is
 * patched while other threads run it is emitted by an x86_..._patchable
 * function, which pads so that the field is within eight aligned bytes: the
 * store is atomic and never straddles a cache line (SDM volume 3, 9.1.1 and
 * 9.1.3; APM volume 2, 7.6.1).
 */
#ifndef CODEGEN_X86_64_ASM_FLOW_H
#define CODEGEN_X86_64_ASM_FLOW_H

#include "codegen/x86_64/encode.h"

/* Condition codes; each one's opposite is the one with bit 0 flipped. */
enum x86_cc {
	X86_CC_O, X86_CC_NO, X86_CC_B, X86_CC_AE, X86_CC_E, X86_CC_NE, X86_CC_BE, X86_CC_A,
	X86_CC_S, X86_CC_NS, X86_CC_P, X86_CC_NP, X86_CC_L, X86_CC_GE, X86_CC_LE, X86_CC_G,
};

static inline enum x86_cc
x86_cc_invert(enum x86_cc cc)
{
	return (enum x86_cc)((unsigned)cc ^ 1);
}

/* The low byte of r becomes 0 or 1; the rest stays. */
static inline void
x86_setcc_r(struct x86_asm *a, enum x86_cc cc, int r)
{
	x86_legacy_rr(a, X86_OP(NP, 0F, 0x90) | (unsigned)cc, 0, r, x86_rex_byte(1, r));
}

static inline void
x86_setcc_m(struct x86_asm *a, enum x86_cc cc, struct x86_mem m)
{
	x86_legacy_rm(a, X86_OP(NP, 0F, 0x90) | (unsigned)cc, 0, m, 0);
}

/* size: 4 or 8. With 4, bits 63:32 become 0 whether it moves or not. */
static inline void
x86_cmov_rr(struct x86_asm *a, enum x86_cc cc, int size, int d, int s)
{
	x86_legacy_rr(a, X86_OP(NP, 0F, 0x40) | (unsigned)cc | (size == 8 ? X86_W : 0), d, s,
		      0);
}

/* Reads memory, and may fault, whether it moves or not. */
static inline void
x86_cmov_rm(struct x86_asm *a, enum x86_cc cc, int size, int d, struct x86_mem m)
{
	x86_legacy_rm(a, X86_OP(NP, 0F, 0x40) | (unsigned)cc | (size == 8 ? X86_W : 0), d, m,
		      0);
}

/* ---- patching ----------------------------------------------------------- */

/* Points the rel32 whose field lies at field to target. */
static inline void
x86_patch_rel32(uint8_t *field, const uint8_t *target)
{
	int32_t rel = (int32_t)(target - (field + 4));

	assert(target - (field + 4) == rel);
	memcpy(field, &rel, 4);
}

/* How many bytes further a rel32 field at p must lie to be within eight aligned bytes,
 * which is what a processor is sure to read at once. */
static inline int
x86_field_pad(const uint8_t *p)
{
	int at = (int)((uintptr_t)p & 7);

	return at <= 4 ? 0 : 8 - at;
}

/* The same in one atomic store; the field must lie as x86_field_pad has it. Threads
 * that run the jump take the old or the new target. */
static inline void
x86_patch_rel32_atomic(uint8_t *field, const uint8_t *target)
{
	uint8_t *aligned = (uint8_t *)((uintptr_t)field & ~(uintptr_t)7);
	uint64_t *word = (uint64_t *)(void *)aligned, old = __atomic_load_n(word, __ATOMIC_RELAXED), new;
	int32_t rel = (int32_t)(target - (field + 4));

	assert(target - (field + 4) == rel && x86_field_pad(field) == 0);
	do { /* another thread may patch what lies beside it */
		new = old;
		memcpy((uint8_t *)&new + (field - aligned), &rel, sizeof rel);
	} while (!__atomic_compare_exchange_n(word, &old, new, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

/* Where the rel32 at field points to. */
static inline uint8_t *
x86_rel32_target(uint8_t *field)
{
	int32_t rel;

	memcpy(&rel, field, 4);
	return field + 4 + rel;
}

/* As x86_patch_rel32; the target must be within 127 bytes. */
static inline void
x86_patch_rel8(uint8_t *field, const uint8_t *target)
{
	ptrdiff_t rel = target - (field + 1);

	assert(rel == (int8_t)rel);
	*field = (uint8_t)rel;
}

/* size bytes that do nothing, as few instructions as possible. */
void x86_nop(struct x86_asm *a, int size);

/* Pads so that a rel32 field lead bytes further on may be patched. */
static inline void
x86_align_field(struct x86_asm *a, int lead)
{
	int pad = x86_field_pad(a->p + lead);

	if (pad)
		x86_nop(a, pad);
}

/* ---- forward jumps: the displacement comes later ------------------------ */

/* The field for now points behind itself: a jump to the next instruction. */
static inline uint8_t *
x86_put_rel32(struct x86_asm *a)
{
	x86_note(a, a->p);
	x86_put32(a, 0);
	return a->p - 4;
}

static inline uint8_t *
x86_jmp_forward(struct x86_asm *a)
{
	x86_put8(a, 0xe9);
	return x86_put_rel32(a);
}

static inline uint8_t *
x86_call_forward(struct x86_asm *a)
{
	x86_put8(a, 0xe8);
	return x86_put_rel32(a);
}

static inline uint8_t *
x86_jcc_forward(struct x86_asm *a, enum x86_cc cc)
{
	x86_put16(a, (0x80 | (int)cc) << 8 | 0x0f);
	return x86_put_rel32(a);
}

/* Two bytes; patched with x86_patch_rel8. */
static inline uint8_t *
x86_jmp_short(struct x86_asm *a)
{
	x86_put16(a, 0xeb);
	return a->p - 1;
}

static inline uint8_t *
x86_jcc_short(struct x86_asm *a, enum x86_cc cc)
{
	x86_put16(a, 0x70 | (int)cc);
	return a->p - 1;
}

/* ---- jumps to a known place --------------------------------------------- */

/* Two bytes where the target is near, else five. */
static inline void
x86_jmp(struct x86_asm *a, const uint8_t *target)
{
	ptrdiff_t rel = target - (a->p + 2);

	if (rel == (int8_t)rel)
		x86_patch_rel8(x86_jmp_short(a), target);
	else
		x86_patch_rel32(x86_jmp_forward(a), target);
}

/* Two bytes where the target is near, else six. */
static inline void
x86_jcc(struct x86_asm *a, enum x86_cc cc, const uint8_t *target)
{
	ptrdiff_t rel = target - (a->p + 2);

	if (rel == (int8_t)rel)
		x86_patch_rel8(x86_jcc_short(a, cc), target);
	else
		x86_patch_rel32(x86_jcc_forward(a, cc), target);
}

static inline void
x86_call(struct x86_asm *a, const uint8_t *target)
{
	x86_patch_rel32(x86_call_forward(a), target);
}

/* ---- jumps that are patched while they may run -------------------------- */

static inline uint8_t *
x86_jmp_patchable(struct x86_asm *a, const uint8_t *target)
{
	uint8_t *field;

	x86_align_field(a, 1);
	field = x86_jmp_forward(a);
	x86_patch_rel32(field, target);
	return field;
}

static inline uint8_t *
x86_call_patchable(struct x86_asm *a, const uint8_t *target)
{
	uint8_t *field;

	x86_align_field(a, 1);
	field = x86_call_forward(a);
	x86_patch_rel32(field, target);
	return field;
}

static inline uint8_t *
x86_jcc_patchable(struct x86_asm *a, enum x86_cc cc, const uint8_t *target)
{
	uint8_t *field;

	x86_align_field(a, 2);
	field = x86_jcc_forward(a, cc);
	x86_patch_rel32(field, target);
	return field;
}

/* ---- indirect ----------------------------------------------------------- */

static inline void
x86_jmp_r(struct x86_asm *a, int r)
{
	x86_legacy_rr(a, 0xff, 4, r, 0);
}

static inline void
x86_jmp_m(struct x86_asm *a, struct x86_mem m)
{
	x86_legacy_rm(a, 0xff, 4, m, 0);
}

static inline void
x86_call_r(struct x86_asm *a, int r)
{
	x86_legacy_rr(a, 0xff, 2, r, 0);
}

static inline void
x86_call_m(struct x86_asm *a, struct x86_mem m)
{
	x86_legacy_rm(a, 0xff, 2, m, 0);
}

#endif
