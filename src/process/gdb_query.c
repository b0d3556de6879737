/* What gdb asks about the guest: its threads, its architecture, its files. */
#include "process/gdb_impl.h"

#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>

#include "host/lock.h"

/* The part offset,length of an object's size bytes, as qXfer wants it: m and what
 * is not the end, l and what is. */
static void
send_part(struct gdb *gdb, const char *at, const char *object, size_t size)
{
	size_t offset = (size_t)hex_number(&at), length;

	length = *at == ',' ? (at++, (size_t)hex_number(&at)) : 0;
	if (offset > size)
		offset = size;
	if (length > PACKET_SIZE / 2)
		length = PACKET_SIZE / 2;
	if (length > size - offset)
		length = size - offset;
	gdb->reply[0] = offset + length < size ? 'm' : 'l';
	memcpy(gdb->reply + 1, object + offset, length);
	gdb_send(gdb, gdb->reply, length + 1);
}

static void
send_auxv(struct gdb *gdb, const char *at)
{
	char auxv[1024];
	size_t size = gdb->process->auxv_size < sizeof auxv ? gdb->process->auxv_size : sizeof auxv;

	send_part(gdb, at, auxv, gdb_peek(gdb, gdb->process->auxv_address, auxv, size));
}

static void
send_siginfo(struct gdb *gdb, const char *at)
{
	const struct thread *thread = gdb_thread(gdb, gdb->current);

	if (thread && thread->debug.event != GDB_NOTHING)
		send_part(gdb, at, (const char *)&thread->debug.info, sizeof thread->debug.info);
	else
		gdb_send_text(gdb, "E03");
}

static void
send_exe(struct gdb *gdb, const char *at)
{
	const char *path = path_to_guest(gdb->process, gdb->process->exe_path);

	send_part(gdb, at, path, strlen(path));
}

static void
transfer(struct gdb *gdb)
{
	const char *text = gdb->text + 6; /* qXfer: */
	char xml[PACKET_SIZE];

	if (!strncmp(text, "features:read:target.xml:", 25))
		send_part(gdb, text + 25, xml, (size_t)gdb->process->abi->debug->description(xml, sizeof xml));
	else if (!strncmp(text, "auxv:read::", 11))
		send_auxv(gdb, text + 11);
	else if (!strncmp(text, "siginfo:read::", 14))
		send_siginfo(gdb, text + 14);
	else if (!strncmp(text, "exec-file:read:", 15) && strchr(text + 15, ':'))
		send_exe(gdb, strchr(text + 15, ':') + 1);
	else
		gdb_send_text(gdb, "E00");
}

static void
send_threads(struct gdb *gdb)
{
	struct process *process = gdb->process;
	size_t n = 0;

	lock_take(&process->thread_lock);
	for (struct thread *t = process->threads; t && n < PACKET_SIZE - 16; t = t->next)
		if (!t->vfork_child)
			n += (size_t)text_format(gdb->reply + n, PACKET_SIZE - n, "%c%x", n ? ',' : 'm',
						 (unsigned)t->tid);
	lock_drop(&process->thread_lock);
	gdb_send(gdb, gdb->reply, n);
}

/* The name that the kernel knows the thread by. */
static void
send_thread_name(struct gdb *gdb, const char *at)
{
	char path[48], name[32];
	long fd, size = 0;
	size_t n = 0;

	text_format(path, sizeof path, "/proc/self/task/%d/comm", (int)hex_number(&at));
	fd = RAW4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (!raw_failed(fd)) {
		size = RAW3(SYS_read, fd, name, sizeof name);
		RAW1(SYS_close, fd);
	}
	if (size > 0 && name[size - 1] == '\n')
		size--;
	hex_append(gdb->reply, &n, name, size > 0 ? (size_t)size : 0);
	gdb_send(gdb, gdb->reply, n);
}

void
gdb_query(struct gdb *gdb)
{
	const char *text = gdb->text;

	if (!strncmp(text, "qSupported", 10)) {
		int n = text_format(gdb->reply, PACKET_SIZE,
				    "PacketSize=%x;QStartNoAckMode+;QPassSignals+;swbreak+;vContSupported+;"
				    "qXfer:features:read+;qXfer:auxv:read+;qXfer:siginfo:read+;qXfer:exec-file:read+",
				    PACKET_SIZE - 16);

		gdb_send(gdb, gdb->reply, (size_t)n);
	} else if (!strncmp(text, "qXfer:", 6)) {
		transfer(gdb);
	} else if (!strcmp(text, "qfThreadInfo")) {
		send_threads(gdb);
	} else if (!strcmp(text, "qsThreadInfo")) {
		gdb_send_text(gdb, "l");
	} else if (!strncmp(text, "qThreadExtraInfo,", 17)) {
		send_thread_name(gdb, text + 17);
	} else if (!strcmp(text, "qC")) {
		gdb_send(gdb, gdb->reply,
			 (size_t)text_format(gdb->reply, PACKET_SIZE, "QC%x", (unsigned)gdb->current));
	} else if (!strncmp(text, "qAttached", 9)) {
		gdb_send_text(gdb, "0"); /* we started it: gdb ends it when it quits */
	} else {
		gdb_send_text(gdb, "");
	}
}
