/* What print.c, parse.c and verify.c share: how the 16 bits of aux divide into
 * fields, and what their values are called. */
#ifndef IR_TEXT_IMPL_H
#define IR_TEXT_IMPL_H

#include "ir/ir.h"

/* Some bits of aux, written as one word. */
struct text_field {
	uint8_t shift, bits; /* bits 0: no field */
	bool needed;         /* has a word even if zero; else zero is no word */
	uint8_t count;
	const char *const *name; /* count of them; NULL: no such value */
};

enum { TEXT_FIELDS = 8 };
/* The fields of each aux, in the order they are written. */
extern const struct text_field text_field[IR_AUX_COUNT][TEXT_FIELDS];

extern const char *const text_fixup[IR_FIX_FLAGS + 1];
extern const char *const text_trap[IR_TRAP_SYSTEM + 1];
extern const char *const text_exit[IR_EXIT_LOOKUP + 1];

/* The bits that a field holds in aux. */
static inline unsigned
text_field_get(const struct text_field *field, unsigned aux)
{
	return aux >> field->shift & ((1u << field->bits) - 1);
}

/* The word for a field's value, NULL if it has none. */
static inline const char *
text_field_word(const struct text_field *field, unsigned aux)
{
	unsigned value = text_field_get(field, aux);

	return value < field->count ? field->name[value] : NULL;
}

/* How many guest instructions the builder would count as retired at an exit
 * when `begun` AT ops came before it in the text, the last with delta `at`. */
static inline uint32_t
text_retired(enum ir_exit_kind kind, enum ir_trap trap, int32_t target, uint32_t begun, int64_t at)
{
	return begun - (kind == IR_EXIT_TRAP && begun && at == target && trap != IR_TRAP_SYSCALL);
}

/* True for the exits that leave to base + target. */
static inline bool
text_exit_has_target(enum ir_exit_kind kind)
{
	return kind == IR_EXIT_JUMP || kind == IR_EXIT_CALL || kind == IR_EXIT_TRAP ||
	       kind == IR_EXIT_LOOKUP;
}

/* True for an op whose result type is written after its name. */
static inline bool
text_writes_type(const struct ir_op_info *info)
{
	return info->result != IR_R_NONE && info->result != IR_R_FLAGS && info->result != IR_R_HOST;
}

/* True for an operand letter that stands for a value. */
static inline bool
text_is_value(char letter)
{
	return letter != '.' && letter != '*' && letter != 'D';
}

#endif
