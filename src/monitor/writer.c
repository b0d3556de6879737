/* Buffered text to a file descriptor. */
#include "monitor/monitor.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void
writer_flush(struct writer *w)
{
	size_t done = 0;

	while (done < w->used) {
		ssize_t n = write(w->fd, w->buffer + done, w->used - done);

		if (n <= 0) {
			if (!w->failed)
				log_line(LOG_ERROR, "the output cannot be written: %s", strerror(errno));
			w->failed = true;
			break;
		}
		done += (size_t)n;
	}
	w->used = 0;
}

void
writer_put(struct writer *w, const char *format, ...)
{
	char text[1024];
	va_list args;
	int length;

	va_start(args, format);
	length = text_vformat(text, sizeof text, format, args);
	va_end(args);
	if (length >= (int)sizeof text)
		length = (int)sizeof text - 1;
	if (w->used + (size_t)length > sizeof w->buffer)
		writer_flush(w);
	for (int i = 0; i < length; i++)
		w->buffer[w->used++] = text[i];
}
