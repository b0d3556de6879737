/* The reader's tokens: parse_lex.c. */
#ifndef IR_PARSE_IMPL_H
#define IR_PARSE_IMPL_H

#include "ir/build_impl.h"

/* A piece of the text. */
struct span {
	const char *text;
	size_t length;
};

struct parse_name {
	struct span name; /* without its %; NULL: a free place */
	ir_ref ref;
};

/* One text being read. Errors stick: the first is kept, and after it every
 * function below yields nothing of meaning, but harmlessly. */
struct parse {
	struct ir_builder builder;
	struct ir_region *region;
	struct error *error;
	const char *p; /* next character */
	unsigned line;
	bool failed;
	struct parse_name *name; /* hash table, a power of two and never full */
	uint32_t name_count;
};

/* Records the first error, with its line. */
void parse_fail(struct parse *parse, const char *format, ...) PRINTF_LIKE(2, 3);

/* True where nothing but a comment is left of the line. */
bool parse_at_end(struct parse *parse);
/* To the start of the next line; false at the end of the text. */
bool parse_next_line(struct parse *parse);
/* Takes c if it comes next. */
bool parse_take(struct parse *parse, char c);
void parse_expect(struct parse *parse, char c);
/* Letters, digits, _ and dots; empty if none come next. */
struct span parse_word(struct parse *parse);
bool parse_is(struct span span, const char *text);
/* Takes the word if it comes next. */
bool parse_take_word(struct parse *parse, const char *text);
/* A decimal or 0x number from lo to hi. */
s128 parse_number(struct parse *parse, s128 lo, s128 hi);

/* Gives a name to op ref; an error if it is another's. */
void parse_define(struct parse *parse, struct span name, ir_ref ref);
/* A value by its name, `%name`. */
ir_ref parse_value(struct parse *parse);

#endif
