/* Asynchronous input and output by the kernel's own calls, and the ring that
 * libaio reads by itself. */
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "show.h"

#define BAD 8l

static const unsigned *
ring(aio_context_t context)
{
	return (const unsigned *)(uintptr_t)context;
}

static void
test_transfer(aio_context_t context, int fd)
{
	static char out[8192], in[8192];
	struct iovec vector[2] = { { in, 100 }, { in + 100, 100 } };
	struct iocb store = { .aio_data = 1, .aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = (unsigned)fd,
			      .aio_buf = (uintptr_t)out, .aio_nbytes = sizeof out };
	struct iocb load = { .aio_data = 2, .aio_lio_opcode = IOCB_CMD_PREADV, .aio_fildes = (unsigned)fd,
			     .aio_buf = (uintptr_t)vector, .aio_nbytes = 2, .aio_offset = 4000 };
	struct iocb *list[] = { &store };
	struct io_event event[4];
	struct timespec none = { 0, 0 };

	for (unsigned i = 0; i < sizeof out; i++)
		out[i] = (char)(i * 7);
	SHOW(syscall(SYS_io_submit, context, 1, list));
	SHOW(syscall(SYS_io_getevents, context, 1, 4, event, NULL));
	printf("%llu %d %lld %lld\n", event[0].data, event[0].obj == (uintptr_t)&store, event[0].res, event[0].res2);
	list[0] = &load;
	SHOW(syscall(SYS_io_submit, context, 1, list));
	SHOW(syscall(SYS_io_pgetevents, context, 1, 4, event, NULL, NULL));
	printf("%llu %d %lld, equal %d\n", event[0].data, event[0].obj == (uintptr_t)&load, event[0].res,
	       !memcmp(in, out + 4000, 200));
	SHOW(syscall(SYS_io_getevents, context, 0, 4, event, &none));
	SHOW(ring(context)[2] == ring(context)[3]);
}

static void
test_eventfd(aio_context_t context, int fd)
{
	char in[16];
	int event = eventfd(0, 0);
	struct iocb load = { .aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = (unsigned)fd, .aio_buf = (uintptr_t)in,
			     .aio_nbytes = sizeof in, .aio_flags = IOCB_FLAG_RESFD, .aio_resfd = (unsigned)event };
	struct iocb *list[] = { &load, &load };
	struct io_event done[2];
	uint64_t count;

	SHOW(syscall(SYS_io_submit, context, 2, list));
	SHOW(syscall(SYS_io_getevents, context, 2, 2, done, NULL));
	SHOW(read(event, &count, sizeof count));
	printf("%llu\n", (unsigned long long)count);
	close(event);
}

static void
test_poll(aio_context_t context)
{
	int pipes[2];
	struct iocb wait = { .aio_lio_opcode = IOCB_CMD_POLL, .aio_buf = 1 /* POLLIN */ };
	struct iocb *list[] = { &wait };
	struct io_event done;
	struct timespec short_time = { 0, 1000000 };

	MUST(!pipe(pipes));
	wait.aio_fildes = (unsigned)pipes[0];
	SHOW(syscall(SYS_io_submit, context, 1, list));
	SHOW(syscall(SYS_io_getevents, context, 1, 1, &done, &short_time));
	SHOW(write(pipes[1], "x", 1));
	SHOW(syscall(SYS_io_getevents, context, 1, 1, &done, NULL));
	printf("%lld\n", done.res);
	close(pipes[0]);
	close(pipes[1]);
}

static void
test_errors(aio_context_t context, int fd)
{
	aio_context_t other = 0, busy = 1;
	struct iocb block = { .aio_lio_opcode = 77, .aio_fildes = (unsigned)fd };
	struct iocb closed = { .aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = 1000 };
	struct iocb *list[] = { &block }, *bad[] = { (struct iocb *)BAD }, *shut[] = { &closed };
	struct io_event event;

	SHOW(syscall(SYS_io_setup, 0, &other));
	SHOW(syscall(SYS_io_setup, -1, &other));
	SHOW(syscall(SYS_io_setup, 1, &busy));
	SHOW(syscall(SYS_io_setup, 1, BAD));
	SHOW(syscall(SYS_io_destroy, 0l));
	SHOW(syscall(SYS_io_destroy, BAD));
	SHOW(syscall(SYS_io_submit, context, -1l, list));
	SHOW(syscall(SYS_io_submit, context, 0l, BAD));
	SHOW(syscall(SYS_io_submit, context, 1l, BAD));
	SHOW(syscall(SYS_io_submit, context, 1l, bad));
	SHOW(syscall(SYS_io_submit, context, 1l, list));
	SHOW(syscall(SYS_io_submit, context, 1l, shut));
	SHOW(syscall(SYS_io_submit, 0l, 1l, list));
	SHOW(syscall(SYS_io_getevents, context, -1l, 1l, &event, NULL));
	SHOW(syscall(SYS_io_getevents, context, 2l, 1l, &event, NULL));
	SHOW(syscall(SYS_io_getevents, context, 0l, 1l, &event, BAD));
	SHOW(syscall(SYS_io_getevents, 0l, 0l, 1l, &event, NULL));
	SHOW(syscall(SYS_io_pgetevents, context, 0l, 1l, &event, NULL, BAD));
	SHOW(syscall(SYS_io_cancel, context, &block, &event));
	SHOW(syscall(SYS_io_cancel, 0l, &block, &event));
}

int
main(void)
{
	char name[] = "/tmp/aioXXXXXX";
	aio_context_t context = 0, more[3] = { 0 };
	int fd = mkstemp(name);

	MUST(fd >= 0 && !unlink(name));
	SHOW(syscall(SYS_io_setup, 64, &context));
	SHOW(ring(context)[4] == 0xa10a10a1);
	test_transfer(context, fd);
	test_eventfd(context, fd);
	test_poll(context);
	test_errors(context, fd);
	for (int i = 0; i < 3; i++)
		SHOW(syscall(SYS_io_setup, 1000, &more[i]));
	if (!fork()) { /* contexts are not a child's */
		SHOW(syscall(SYS_io_destroy, context));
		_exit(0);
	}
	wait(NULL);
	for (int i = 0; i < 3; i++)
		SHOW(syscall(SYS_io_destroy, more[i]));
	SHOW(syscall(SYS_io_destroy, context));
	SHOW(syscall(SYS_io_destroy, context));
	return 0;
}
