/* Processes and threads: clone, exit, exec, futexes. */
#include <linux/futex.h>
#include <sched.h>

#include "process/linux/linux.h"

int64_t
sys_exit(struct thread *thread, const uint64_t *a)
{
	int64_t result = signal_hold(thread);

	if (result) /* a signal that came first has its handler run first */
		return result;
	thread_exit(thread, (int)a[0] & 0xff);
}

int64_t
sys_exit_group(struct thread *thread, const uint64_t *a)
{
	int64_t result = signal_hold(thread);

	if (result)
		return result;
	robust_exit(thread);
	if (thread->vfork_child) /* the process, with its statistics, is the parent's */
		for (;;)
			RAW1(SYS_exit_group, (int)a[0] & 0xff);
	process_exit(thread->process, (int)a[0] & 0xff);
}

/* clone(flags, stack, parent_tid, tls, child_tid): the generic order. */
int64_t
sys_clone(struct thread *thread, const uint64_t *a)
{
	return thread_clone(thread, a[0], a[1], a[2], a[3], a[4], a[0] & CSIGNAL);
}

int64_t
sys_execve(struct thread *thread, const uint64_t *a)
{
	char path[PATH_SIZE];
	int64_t length = mem_string(thread, a[0], path, sizeof path);

	if (length < 0)
		return length;
	return exec_program(thread, -100 /* AT_FDCWD */, path, a[1], a[2], 0);
}

int64_t
sys_execveat(struct thread *thread, const uint64_t *a)
{
	char path[PATH_SIZE];
	int64_t length = mem_string(thread, a[1], path, sizeof path);

	if (length < 0)
		return length;
	return exec_program(thread, (int)fd_argument(thread, a[0]), path, a[2], a[3], (int)a[4]);
}

int64_t
sys_set_tid_address(struct thread *thread, const uint64_t *a)
{
	thread->clear_child_tid = a[0];
	return RAW1(SYS_set_tid_address, guest_buffer(thread, a[0], 4, true));
}

/* The kernel walks the list by the addresses in it, which are host addresses
 * only at guest base 0; else robust.c does. */
int64_t
sys_set_robust_list(struct thread *thread, const uint64_t *a)
{
	if (!thread->process->guest_base) {
		long result = RAW2(SYS_set_robust_list, guest_buffer(thread, a[0], 1, false), a[1]);

		if (result)
			return result;
	} else if (a[1] != 24) {
		return -EINVAL;
	}
	thread->robust_list = a[0];
	thread->robust_list_size = a[1];
	return 0;
}

int64_t
sys_get_robust_list(struct thread *thread, const uint64_t *a)
{
	uint64_t size = 24;

	if (!thread->process->guest_base)
		return RAW3(SYS_get_robust_list, a[0], guest_buffer(thread, a[1], 8, true),
			    guest_buffer(thread, a[2], 8, true));
	if ((int)a[0] && (int)a[0] != thread->tid)
		return RAW2(SYS_kill, a[0], 0) == -ESRCH ? -ESRCH : -EPERM;
	if (mem_write(thread, a[1], &thread->robust_list, 8) || mem_write(thread, a[2], &size, 8))
		return -EFAULT;
	return 0;
}

/* True if argument 3 is a time and not a count. */
static bool
futex_has_timeout(int command)
{
	return command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET || command == FUTEX_LOCK_PI ||
	       command == FUTEX_LOCK_PI2 || command == FUTEX_WAIT_REQUEUE_PI;
}

static bool
futex_has_second(int command)
{
	return command == FUTEX_REQUEUE || command == FUTEX_CMP_REQUEUE || command == FUTEX_WAKE_OP ||
	       command == FUTEX_WAIT_REQUEUE_PI || command == FUTEX_CMP_REQUEUE_PI;
}

int64_t
sys_futex(struct thread *thread, const uint64_t *a)
{
	int command = (int)a[1] & FUTEX_CMD_MASK;
	bool reads = command == FUTEX_WAIT || command == FUTEX_WAKE || command == FUTEX_WAIT_BITSET ||
		     command == FUTEX_WAKE_BITSET;
	long third = (long)a[3], second = (long)a[4];

	if (futex_has_timeout(command))
		third = (long)guest_buffer(thread, a[3], 16, false);
	if (futex_has_second(command))
		second = (long)guest_buffer(thread, a[4], 4, !reads);
	return signal_syscall(thread, SYS_futex, (long)guest_buffer(thread, a[0], 4, !reads), (long)a[1],
			      (long)a[2], third, second, (long)a[5]);
}

/* The host's ptrace would show the emulator. */
int64_t
sys_ptrace(struct thread *thread, const uint64_t *a)
{
	(void)thread;
	(void)a;
	return -EPERM;
}
