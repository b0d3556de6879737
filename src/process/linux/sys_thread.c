/* Processes and threads: clone, exit, exec, futexes. */
#include <linux/futex.h>
#include <sched.h>

#include "host/thread.h"
#include "process/linux/linux.h"

#define PAGE 4096u

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
	const struct host_clone_args args = {
		.flags = (uint32_t)a[0] & ~(uint32_t)CSIGNAL, .exit_signal = a[0] & CSIGNAL, .stack = a[1],
		.pidfd = a[2], .parent_tid = a[2], .tls = a[3], .child_tid = a[4],
	};

	return thread_clone(thread, &args, 0);
}

#define CLONE3_SIZE_FIRST 64u /* of the first version of struct clone_args */

/* The kernel's copy_struct_from_user: a longer struct of a newer version is taken
 * when it asks for nothing that is not known. */
static int64_t
read_clone_args(struct thread *thread, struct host_clone_args *args, uint64_t address, uint64_t size)
{
	char rest[64];

	if (size > PAGE)
		return -E2BIG;
	if (size < CLONE3_SIZE_FIRST)
		return -EINVAL;
	for (uint64_t at = sizeof *args; at < size; at += sizeof rest) {
		size_t piece = size - at < sizeof rest ? (size_t)(size - at) : sizeof rest;

		if (mem_read(thread, rest, address + at, piece))
			return -EFAULT;
		for (size_t i = 0; i < piece; i++)
			if (rest[i])
				return -E2BIG;
	}
	return mem_read(thread, args, address, size < sizeof *args ? size : sizeof *args);
}

/* clone3(args, size). The host's kernel checks all but what it does not get to
 * see. */
int64_t
sys_clone3(struct thread *thread, const uint64_t *a)
{
	struct host_clone_args args = { 0 };
	int64_t result = read_clone_args(thread, &args, a[0], a[1]);

	if (result)
		return result;
	if (!args.stack != !args.stack_size || (args.flags & CLONE3_CLEAR_SIGHAND && args.flags & CLONE_SIGHAND))
		return -EINVAL;
	if (args.stack) {
		uint64_t limit = space_size(thread->process->space);

		if (args.stack > limit || args.stack_size > limit - args.stack)
			return -EINVAL;
		args.stack += args.stack_size;
	}
	if (args.flags & CLONE3_INTO_CGROUP && args.cgroup <= INT32_MAX && fd_argument(thread, args.cgroup) < 0)
		args.cgroup = INT32_MAX; /* not open either */
	return thread_clone(thread, &args, a[1] < sizeof args ? (size_t)a[1] : sizeof args);
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
