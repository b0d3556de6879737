/* The stub's own thread: waits for gdb, then for what gdb or the guest has to
 * say. */
#include "process/gdb_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "process/signal_impl.h"

/* ---- the connection ----------------------------------------------------- */

static int
listen_port(unsigned long port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
				       .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (!bind(fd, (struct sockaddr *)&address, sizeof address) && !listen(fd, 1))
		return fd;
	close(fd);
	return -1;
}

static int
listen_path(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof address.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (!bind(fd, (struct sockaddr *)&address, sizeof address) && !listen(fd, 1))
		return fd;
	close(fd);
	return -1;
}

int
gdb_listen(struct process *process, struct error *error)
{
	const char *where = process->options->gdb;
	unsigned long port;
	struct gdb *gdb;
	char *end;

	if (!where)
		return 0;
	gdb = pages_alloc(sizeof *gdb);
	if (!gdb)
		return error_set(error, ENOMEM, "no memory for the debugger's stub");
	port = strtoul(where, &end, 10);
	gdb->process = process;
	gdb->path = *end ? where : NULL;
	if (!*end && (!port || port > 65535))
		return error_set(error, EINVAL, "-g %s: a port from 1 to 65535, or a path, is wanted", where);
	gdb->listener = hide_fd(gdb->path ? listen_path(where) : listen_port(port));
	gdb->wake = hide_fd(eventfd(0, EFD_CLOEXEC));
	gdb->connection = -1;
	if (gdb->listener < 0)
		return error_set(error, errno, "-g %s: %s", where, strerror(errno));
	gdb->stopped = 1;
	process->gdb = gdb;
	return 0;
}

static bool
accept_gdb(struct gdb *gdb)
{
	long fd;

	do
		fd = RAW4(SYS_accept4, gdb->listener, NULL, NULL, SOCK_CLOEXEC);
	while (fd == -EINTR);
	RAW1(SYS_close, gdb->listener);
	gdb->listener = -1;
	if (gdb->path)
		RAW1(SYS_unlink, gdb->path);
	if (raw_failed(fd))
		return false;
	if (!gdb->path) {
		int on = 1;

		RAW5(SYS_setsockopt, fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof on);
	}
	gdb->connection = hide_fd(fd);
	return true;
}

/* ---- stops -------------------------------------------------------------- */

static void
report(struct gdb *gdb, const struct thread *thread)
{
	gdb->reported = thread->tid;
	gdb_stop_reply(gdb, thread, thread->debug.signal);
}

/* gdb's user wants the guest to stop: no thread has an event of its own. */
static void
report_interrupt(struct gdb *gdb)
{
	const struct thread *thread = gdb_thread(gdb, 0);

	if (thread)
		gdb_stop_reply(gdb, thread, SIGINT);
}

/* The guest runs: until it has stopped again. False: gdb has gone. */
static bool
wait_for_stop(struct gdb *gdb)
{
	for (;;) {
		struct pollfd fds[2] = { { gdb->connection, POLLIN, 0 }, { gdb->wake, POLLIN, 0 } };
		const struct thread *pending = gdb_pending(gdb);
		uint64_t count;

		if (pending) {
			gdb_stop_all(gdb);
			report(gdb, pending);
			return true;
		}
		RAW5(SYS_ppoll, fds, 2, NULL, NULL, 0);
		if (fds[1].revents)
			RAW3(SYS_read, gdb->wake, &count, sizeof count);
		if (!fds[0].revents)
			continue;
		if (!gdb_receive(gdb, false))
			return false;
		if (gdb->text[0] == 3) {
			gdb_stop_all(gdb);
			report_interrupt(gdb);
			return true;
		}
	}
}

static void
serve(void *argument)
{
	struct thread *server = argument;
	struct gdb *gdb = server->process->gdb;

	gdb->server = server;
	server->tid = (int)RAW0(SYS_gettid);
	host_signal_stack(server->block, THREAD_ALT_STACK_SIZE);
	if (accept_gdb(gdb)) {
		while (!gdb->gone && gdb_receive(gdb, true))
			if (gdb_command(gdb) && !gdb->gone && !wait_for_stop(gdb))
				break;
	}
	/* gdb has gone: the guest goes on without it. */
	if (!gdb->gone)
		gdb_detach(gdb);
	RAW1(SYS_close, gdb->connection);
	gdb->connection = -1;
	for (;;)
		RAW1(SYS_exit, 0);
}

void
gdb_start(struct thread *thread)
{
	struct gdb *gdb = thread->process->gdb;

	gdb->current = thread->tid;
	thread->debug.go = GDB_CONTINUE;
	if (!thread_service(thread->process, serve))
		fatal("no memory for the debugger's stub");
}
