/* linux/: Linux system calls of the guest, private to the folder.
 *
 *   syscalls.tab   every call; tools/gen-syscalls makes the table of it
 *   dispatch.c     from the guest's registers to a handler or the host
 *   strace.c       -strace
 *   sys_*.c        handlers by concern
 *
 * A handler gets the guest's six argument registers and returns a value or
 * -errno as the kernel would, or SIGNAL_INTERRUPTED before anything happened,
 * and the guest's call is made again after its signal. Structs that differ
 * between the guest's ABI and the host's are converted by the handlers; those of
 * the generic 64-bit ABI (riscv64, aarch64) that differ from x86-64's are stat,
 * epoll_event, semid64_ds and sigaction, all others are equal (checked with a
 * cross compiler, see test/prog/linux/structs.c).
 */
#ifndef PROCESS_LINUX_LINUX_H
#define PROCESS_LINUX_LINUX_H

#include <errno.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "process/signal_impl.h"

#include "gen/syscall_handlers.h"

enum argument_kind {
	ARG_INT, ARG_UINT, ARG_LONG, ARG_SIZE, ARG_HEX, ARG_MODE, ARG_FD, ARG_AT, ARG_SIG, ARG_OFLAG, ARG_MMAP,
	ARG_PROT, ARG_CLONE, ARG_FCNTL, ARG_FUTEX, ARG_ATFLAG, ARG_HOW, ARG_WHENCE, ARG_RESOURCE, ARG_PRCTL,
	ARG_SOCKFAM, ARG_IOCTL, ARG_PATH, ARG_LPATH, ARG_STR, ARG_LSTR, ARG_IN, ARG_OUT, ARG_IO, ARG_IOV,
	ARG_IN_TIMESPEC, ARG_SIGSET, ARG_TIMESPEC, ARG_PTR, ARG_ADDR, ARG_OUTADDR,
};

/* Memory is size bytes, or argument[from - 1] * scale + plus when from is set. */
struct syscall_argument {
	uint8_t kind; /* enum argument_kind */
	uint8_t from, plus, scale;
	uint32_t size;
};

enum syscall_action { CALL_PASS, CALL_SAME, CALL_SYS, CALL_NONE };

struct syscall {
	const char *name;
	int64_t (*handler)(struct thread *thread, const uint64_t *a);
	int16_t host; /* the host's number, -1: it has none */
	uint8_t action, count;
	struct syscall_argument argument[6];
};

/* sys_seccomp.c: whether the thread's filters let the call be made; if not,
 * *result is what became of it. call is NULL for a number that is not in the
 * table. May end the process. */
bool seccomp_check(struct thread *thread, const struct syscall *call, const struct abi_regs *regs, int64_t *result);
/* prctl(PR_SET_SECCOMP). */
int64_t seccomp_prctl(struct thread *thread, uint64_t mode, uint64_t address);

/* What a handler returns that has set all of the guest's registers. */
#define SYSCALL_DONE (-4098)

#define PATH_SIZE 4096u
#define PATH_BUFFER (2 * PATH_SIZE) /* the guest's text and the host's */

/* The host's path for a guest's, or what makes the kernel give the right error:
 * a path that cannot be read is left for it to fail on. buffer: PATH_BUFFER
 * bytes. follow: a link in the last component is followed. */
const char *path_argument(struct thread *thread, uint64_t address, char *buffer, bool follow);

/* A descriptor argument: one of our own becomes one that is not open. */
static inline long
fd_argument(const struct thread *thread, uint64_t fd)
{
	return process_owns_fd(thread->process, (int)fd) ? -1 : (int)fd;
}

/* O_ flags, from the guest's values to the host's or back. */
static inline uint64_t
open_flags_argument(const struct thread *thread, uint64_t flags)
{
	const struct abi *abi = thread->process->abi;

	return abi->open_flags ? abi->open_flags(flags) : flags;
}

/* A mask of signals that the guest hands over, for the host's kernel. */
static inline uint64_t
host_mask(uint64_t guest)
{
	return guest & ~SIGNAL_SYNCHRONOUS;
}

/* Iovecs as the host's kernel may be given them: the guest's own array, or a
 * converted copy in local (up to IOV_MAX). write: the kernel writes there. An
 * array it cannot read is left for the kernel to fail on. */
#define IOVEC_MAX 1024u
const struct iovec *iovec_argument(struct thread *thread, uint64_t address, uint64_t count, bool write,
				   struct iovec *local);

/* strace.c: one line on the log's descriptor. result NULL: it does not return. */
void strace_call(struct thread *thread, const struct syscall *call, const uint64_t *a, const int64_t *result);

#endif
