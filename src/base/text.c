/* Bounded formatting, errors and the log: text without libc's stdio. */
#include "base/base.h"
#include "base/raw.h"

#include <string.h>
#include <sys/syscall.h>

struct out {
	char *buffer;
	size_t size;
	size_t length;
};

struct spec {
	bool left, zero, alternate, plus, space;
	int width, precision; /* precision -1: none given */
	int longs;            /* -2 hh, -1 h, 0 int, 1 l z j, 2 ll */
};

static void
put(struct out *out, char c)
{
	if (out->length + 1 < out->size)
		out->buffer[out->length] = c;
	out->length++;
}

static void
pad(struct out *out, char c, int count)
{
	while (count-- > 0)
		put(out, c);
}

static void
put_field(struct out *out, const struct spec *spec, const char *prefix, const char *body,
	  int length, int zeros)
{
	int prefix_length = (int)strlen(prefix);
	int fill = spec->width - prefix_length - zeros - length;

	if (!spec->left)
		pad(out, ' ', fill);
	for (int i = 0; i < prefix_length; i++)
		put(out, prefix[i]);
	pad(out, '0', zeros);
	for (int i = 0; i < length; i++)
		put(out, body[i]);
	if (spec->left)
		pad(out, ' ', fill);
}

static void
put_number(struct out *out, const struct spec *spec, uint64_t value, unsigned base,
	   const char *digits, const char *prefix)
{
	char text[32];
	int length = 0, zeros = 0;
	int prefix_length = (int)strlen(prefix);

	while (value || (length == 0 && spec->precision != 0)) {
		text[sizeof text - 1 - (size_t)length++] = digits[value % base];
		value /= base;
		if (!value)
			break;
	}
	if (spec->precision > length)
		zeros = spec->precision - length;
	else if (spec->precision < 0 && spec->zero && !spec->left &&
		 spec->width > length + prefix_length)
		zeros = spec->width - length - prefix_length;
	put_field(out, spec, prefix, text + sizeof text - length, length, zeros);
}

static const char *
parse_spec(const char *p, struct spec *spec, va_list *args)
{
	*spec = (struct spec){ .precision = -1 };
	for (;; p++) {
		if (*p == '-')
			spec->left = true;
		else if (*p == '0')
			spec->zero = true;
		else if (*p == '#')
			spec->alternate = true;
		else if (*p == '+')
			spec->plus = true;
		else if (*p == ' ')
			spec->space = true;
		else
			break;
	}
	if (*p == '*') {
		spec->width = va_arg(*args, int);
		if (spec->width < 0) {
			spec->left = true;
			spec->width = -spec->width;
		}
		p++;
	}
	while (*p >= '0' && *p <= '9')
		spec->width = spec->width * 10 + (*p++ - '0');
	if (*p == '.') {
		spec->precision = 0;
		p++;
		if (*p == '*') {
			spec->precision = va_arg(*args, int);
			p++;
		}
		while (*p >= '0' && *p <= '9')
			spec->precision = spec->precision * 10 + (*p++ - '0');
	}
	for (;; p++) {
		if (*p == 'h')
			spec->longs--;
		else if (*p == 'l')
			spec->longs++;
		else if (*p == 'z' || *p == 'j' || *p == 't')
			spec->longs = 1;
		else
			return p;
	}
}

static uint64_t
argument(const struct spec *spec, bool is_signed, va_list *args)
{
	if (spec->longs >= 1)
		return va_arg(*args, uint64_t);
	uint32_t value = va_arg(*args, uint32_t);

	if (spec->longs == -1)
		return is_signed ? (uint64_t)(int64_t)(int16_t)value : (uint16_t)value;
	if (spec->longs <= -2)
		return is_signed ? (uint64_t)(int64_t)(int8_t)value : (uint8_t)value;
	return is_signed ? (uint64_t)(int64_t)(int32_t)value : value;
}

static void
put_conversion(struct out *out, char conversion, const struct spec *spec, va_list *args)
{
	static const char lower[] = "0123456789abcdef";
	static const char upper[] = "0123456789ABCDEF";

	switch (conversion) {
	case 'd':
	case 'i': {
		int64_t value = (int64_t)argument(spec, true, args);
		uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;

		put_number(out, spec, magnitude, 10, lower,
			   value < 0 ? "-" : spec->plus ? "+" : spec->space ? " " : "");
		break;
	}
	case 'u':
		put_number(out, spec, argument(spec, false, args), 10, lower, "");
		break;
	case 'o':
		put_number(out, spec, argument(spec, false, args), 8, lower,
			   spec->alternate ? "0" : "");
		break;
	case 'x':
	case 'X': {
		uint64_t value = argument(spec, false, args);

		put_number(out, spec, value, 16, conversion == 'x' ? lower : upper,
			   !spec->alternate || !value ? "" : conversion == 'x' ? "0x" : "0X");
		break;
	}
	case 'p':
		put_number(out, spec, (uintptr_t)va_arg(*args, void *), 16, lower, "0x");
		break;
	case 'c': {
		char c = (char)va_arg(*args, int);

		put_field(out, spec, "", &c, 1, 0);
		break;
	}
	case 's': {
		const char *text = va_arg(*args, const char *);
		size_t length;

		if (!text)
			text = "(null)";
		length = spec->precision >= 0 ? strnlen(text, (size_t)spec->precision)
					      : strlen(text);
		put_field(out, spec, "", text, (int)length, 0);
		break;
	}
	default:
		put(out, '%');
		if (conversion != '%')
			put(out, conversion);
	}
}

int
text_vformat(char *buffer, size_t size, const char *format, va_list list)
{
	struct out out = { buffer, size, 0 };
	va_list args;

	va_copy(args, list);
	for (const char *p = format; *p; p++) {
		struct spec spec;

		if (*p != '%') {
			put(&out, *p);
			continue;
		}
		p = parse_spec(p + 1, &spec, &args);
		if (!*p)
			break;
		put_conversion(&out, *p, &spec, &args);
	}
	va_end(args);
	if (size)
		buffer[out.length < size ? out.length : size - 1] = 0;
	return (int)out.length;
}

int
text_format(char *buffer, size_t size, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = text_vformat(buffer, size, format, args);
	va_end(args);
	return length;
}

int
error_set(struct error *e, int code, const char *format, ...)
{
	va_list args;

	if (!e || e->set)
		return -1;
	e->set = true;
	e->code = code;
	va_start(args, format);
	text_vformat(e->text, sizeof e->text, format, args);
	va_end(args);
	return -1;
}

static struct {
	int fd;
	enum log_level level;
} sink = { 2, LOG_WARN };

void
log_open(int fd, enum log_level level)
{
	sink.fd = fd;
	sink.level = level;
}

int
log_fd(void)
{
	return sink.fd;
}

static void
write_line(const char *format, va_list args)
{
	char line[1024] = "isomorph: ";
	int length = 10 + text_vformat(line + 10, sizeof line - 11, format, args);

	if (length > (int)sizeof line - 2)
		length = (int)sizeof line - 2;
	line[length++] = '\n';
	RAW3(SYS_write, sink.fd, line, length);
}

void
log_line(enum log_level level, const char *format, ...)
{
	va_list args;

	if (level > sink.level)
		return;
	va_start(args, format);
	write_line(format, args);
	va_end(args);
}

void
fatal(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(format, args);
	va_end(args);
	for (;;)
		RAW1(SYS_exit_group, 125);
}
