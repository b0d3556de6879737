/* The reader's tokens and names; parse.c has the grammar. A token ends with
 * its line, and `#` ends a line's meaning. */
#include "ir/parse_impl.h"

#include <string.h>

void
parse_fail(struct parse *parse, const char *format, ...)
{
	char why[256];
	va_list args;

	if (parse->failed)
		return;
	parse->failed = true;
	va_start(args, format);
	text_vformat(why, sizeof why, format, args);
	va_end(args);
	error_set(parse->error, 0, "line %u: %s", parse->line, why);
}

static void
skip_blanks(struct parse *parse)
{
	while (*parse->p == ' ' || *parse->p == '\t' || *parse->p == '\r')
		parse->p++;
}

bool
parse_at_end(struct parse *parse)
{
	skip_blanks(parse);
	return !*parse->p || *parse->p == '\n' || *parse->p == '#';
}

bool
parse_next_line(struct parse *parse)
{
	while (*parse->p && *parse->p != '\n')
		parse->p++;
	if (!*parse->p)
		return false;
	parse->p++;
	parse->line++;
	return true;
}

bool
parse_take(struct parse *parse, char c)
{
	skip_blanks(parse);
	if (*parse->p != c)
		return false;
	parse->p++;
	return true;
}

void
parse_expect(struct parse *parse, char c)
{
	if (!parse_take(parse, c))
		parse_fail(parse, "`%c` expected", c);
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '.';
}

struct span
parse_word(struct parse *parse)
{
	struct span word;

	skip_blanks(parse);
	word.text = parse->p;
	while (is_word(*parse->p))
		parse->p++;
	word.length = (size_t)(parse->p - word.text);
	return word;
}

bool
parse_is(struct span span, const char *text)
{
	return strlen(text) == span.length && !memcmp(span.text, text, span.length);
}

bool
parse_take_word(struct parse *parse, const char *text)
{
	const char *before = parse->p;

	if (parse_is(parse_word(parse), text))
		return true;
	parse->p = before;
	return false;
}

/* The value of a digit in a base, or the base if it is none. */
static unsigned
digit_of(char c, unsigned base)
{
	unsigned digit = is_digit(c)          ? (unsigned)(c - '0') :
			 c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 :
						base;

	return digit < base ? digit : base;
}

s128
parse_number(struct parse *parse, s128 lo, s128 hi)
{
	bool minus = parse_take(parse, '-'), any = false, large = false;
	unsigned base = 10, digit;
	s128 value = 0;

	skip_blanks(parse);
	if (parse->p[0] == '0' && parse->p[1] == 'x') {
		base = 16;
		parse->p += 2;
	}
	while ((digit = digit_of(*parse->p, base)) < base) {
		large |= value >> 100 != 0;
		value = large ? 0 : value * (int)base + (int)digit;
		any = true;
		parse->p++;
	}
	if (minus)
		value = -value;
	if (!any || is_word(*parse->p))
		parse_fail(parse, "a number expected");
	else if (large || value < lo || value > hi)
		parse_fail(parse, "the number does not fit");
	return parse->failed ? lo : value;
}

/* ---- names -------------------------------------------------------------- */

/* The place of a name in the table: its own, or the free one it would get. */
static struct parse_name *
find_name(struct parse *parse, struct span name)
{
	uint32_t hash = 2166136261u;
	struct parse_name *place;

	for (size_t i = 0; i < name.length; i++)
		hash = (hash ^ (uint8_t)name.text[i]) * 16777619u;
	for (;; hash++) {
		place = &parse->name[hash & (parse->name_count - 1)];
		if (!place->name.text || (place->name.length == name.length &&
					  !memcmp(place->name.text, name.text, name.length)))
			return place;
	}
}

void
parse_define(struct parse *parse, struct span name, ir_ref ref)
{
	struct parse_name *place = find_name(parse, name);

	if (!name.length)
		parse_fail(parse, "a name expected after `%%`");
	else if (place->name.text)
		parse_fail(parse, "%%%.*s is made twice", (int)name.length, name.text);
	else
		*place = (struct parse_name){ name, ref };
}

ir_ref
parse_value(struct parse *parse)
{
	struct span name;
	const struct parse_name *place;

	parse_expect(parse, '%');
	name = parse_word(parse);
	if (parse->failed)
		return 0;
	place = find_name(parse, name);
	if (!place->name.text)
		parse_fail(parse, "there is no %%%.*s", (int)name.length, name.text);
	return place->ref;
}
