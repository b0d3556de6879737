/* seccomp: filters of system calls, interpreted for the guest.
 *
 * The host's kernel would show a filter the emulator's own calls under the host's
 * numbers. So a thread's filters are kept and asked here (dispatch.c), with the
 * guest's numbers, audit architecture and program counter. They form a chain, the
 * newest first, that clone hands on and that nothing takes away; exec writes it to
 * a memfd for the emulator that comes next. Programs of the host that a guest
 * executes go unfiltered.
 *
 * There are no listeners (SECCOMP_RET_USER_NOTIF is ENOSYS, as without one), no
 * tracers (SECCOMP_RET_TRACE likewise), no audit log.
 */
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/mman.h>

#include "host/lock.h"
#include "process/linux/bpf.h"
#include "process/linux/linux.h"

/* Of one thread's filters together, four more counted for each (kernel/seccomp.c). */
#define INSNS_MAX 32768u

struct seccomp_filter {
	struct seccomp_filter *previous; /* older */
	uint32_t users;                  /* threads, and a newer filter */
	uint32_t length;
	struct sock_filter program[];
};

/* ---- chains ------------------------------------------------------------- */

static size_t
filter_size(uint32_t length)
{
	return sizeof(struct seccomp_filter) + length * sizeof(struct sock_filter);
}

static void
filter_hold(struct seccomp_filter *filter)
{
	if (filter)
		__atomic_add_fetch(&filter->users, 1, __ATOMIC_RELAXED);
}

static void
filter_drop(struct seccomp_filter *filter)
{
	while (filter && !__atomic_sub_fetch(&filter->users, 1, __ATOMIC_ACQ_REL)) {
		struct seccomp_filter *previous = filter->previous;

		pages_free(filter, filter_size(filter->length));
		filter = previous;
	}
}

void
seccomp_inherit(struct thread *child, const struct thread *parent)
{
	child->seccomp_mode = parent->seccomp_mode;
	child->seccomp = parent->seccomp;
	filter_hold(child->seccomp);
}

void
seccomp_fini(struct thread *thread)
{
	filter_drop(thread->seccomp);
	thread->seccomp = NULL;
}

static bool
is_ancestor(const struct seccomp_filter *old, const struct seccomp_filter *of)
{
	while (of && of != old)
		of = of->previous;
	return of == old;
}

/* The filter becomes the thread's newest; its one use passes to the thread. */
static void
filter_push(struct thread *thread, struct seccomp_filter *filter)
{
	filter->previous = thread->seccomp;
	filter->users = 1;
	thread->seccomp = filter;
	thread->seccomp_mode = SECCOMP_MODE_FILTER;
}

/* ---- setting ------------------------------------------------------------ */

static bool
may_filter(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	if (RAW5(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		return true;
	return !RAW2(SYS_capget, &header, data) && (data[0].effective >> CAP_SYS_ADMIN & 1);
}

/* Reads and checks the guest's struct sock_fprog. */
static int64_t
filter_read(struct thread *thread, uint64_t address, struct seccomp_filter **out)
{
	struct { uint16_t length; uint64_t program; } given;
	struct seccomp_filter *filter;
	uint32_t total = 0;

	if (mem_read(thread, &given, address, sizeof given))
		return -EFAULT;
	if (!given.length || given.length > BPF_MAXINSNS)
		return -EINVAL;
	if (!may_filter())
		return -EACCES;
	filter = pages_alloc(filter_size(given.length));
	if (!filter)
		return -ENOMEM;
	filter->length = given.length;
	for (const struct seccomp_filter *f = thread->seccomp; f; f = f->previous)
		total += f->length + 4;
	if (mem_read(thread, filter->program, given.program, given.length * sizeof(struct sock_filter))) {
		pages_free(filter, filter_size(given.length));
		return -EFAULT;
	}
	if (!bpf_check(filter->program, filter->length) || total + filter->length > INSNS_MAX) {
		pages_free(filter, filter_size(given.length));
		return total + given.length > INSNS_MAX ? -ENOMEM : -EINVAL;
	}
	*out = filter;
	return 0;
}

/* SECCOMP_FILTER_FLAG_TSYNC: the number of a thread whose filters are not ours or
 * older, or 0. The caller holds the list's lock. */
static int
cannot_follow(const struct thread *self)
{
	for (const struct thread *t = self->process->threads; t; t = t->next)
		if (t != self && t->seccomp_mode &&
		    (t->seccomp_mode != SECCOMP_MODE_FILTER || !is_ancestor(t->seccomp, self->seccomp)))
			return t->tid;
	return 0;
}

static void
follow(struct thread *self)
{
	for (struct thread *t = self->process->threads; t; t = t->next) {
		struct seccomp_filter *old = t->seccomp;

		if (t == self)
			continue;
		/* The other thread may be walking the old chain: it is part of the
		 * new one and stays. */
		filter_hold(self->seccomp);
		__atomic_store_n(&t->seccomp, self->seccomp, __ATOMIC_RELEASE);
		t->seccomp_mode = SECCOMP_MODE_FILTER;
		filter_drop(old);
	}
}

static int64_t
set_filter(struct thread *thread, uint64_t flags, uint64_t address)
{
	const uint64_t known = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW |
			       SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
	struct seccomp_filter *filter = NULL;
	int64_t result;
	int other = 0;

	if (flags & ~known)
		return -EINVAL;
	result = filter_read(thread, address, &filter);
	if (result)
		return result;
	if (thread->seccomp_mode == SECCOMP_MODE_STRICT) {
		pages_free(filter, filter_size(filter->length));
		return -EINVAL;
	}
	lock_take(&thread->process->thread_lock);
	if (flags & SECCOMP_FILTER_FLAG_TSYNC)
		other = cannot_follow(thread);
	if (!other)
		filter_push(thread, filter);
	if (!other && (flags & SECCOMP_FILTER_FLAG_TSYNC))
		follow(thread);
	lock_drop(&thread->process->thread_lock);
	if (!other)
		return 0;
	pages_free(filter, filter_size(filter->length));
	return flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH ? -ESRCH : other;
}

static int64_t
set_strict(struct thread *thread)
{
	if (thread->seccomp_mode == SECCOMP_MODE_FILTER)
		return -EINVAL;
	thread->seccomp_mode = SECCOMP_MODE_STRICT;
	return 0;
}

static int64_t
action_available(struct thread *thread, uint64_t address)
{
	uint32_t action;

	if (mem_read(thread, &action, address, sizeof action))
		return -EFAULT;
	switch (action) {
	case SECCOMP_RET_KILL_PROCESS: case SECCOMP_RET_KILL_THREAD: case SECCOMP_RET_TRAP: case SECCOMP_RET_ERRNO:
	case SECCOMP_RET_TRACE: case SECCOMP_RET_LOG: case SECCOMP_RET_ALLOW:
		return 0;
	}
	return -EOPNOTSUPP;
}

int64_t
sys_seccomp(struct thread *thread, const uint64_t *a)
{
	static const uint16_t sizes[3] = { sizeof(struct seccomp_notif), sizeof(struct seccomp_notif_resp),
					   sizeof(struct seccomp_data) };

	switch ((uint32_t)a[0]) {
	case SECCOMP_SET_MODE_STRICT:
		return a[1] || a[2] ? -EINVAL : set_strict(thread);
	case SECCOMP_SET_MODE_FILTER:
		return set_filter(thread, (uint32_t)a[1], a[2]);
	case SECCOMP_GET_ACTION_AVAIL:
		return (uint32_t)a[1] ? -EINVAL : action_available(thread, a[2]);
	case SECCOMP_GET_NOTIF_SIZES:
		return (uint32_t)a[1] ? -EINVAL : mem_write(thread, a[2], sizes, sizeof sizes);
	}
	return -EINVAL;
}

int64_t
seccomp_prctl(struct thread *thread, uint64_t mode, uint64_t address)
{
	switch (mode) {
	case SECCOMP_MODE_STRICT:
		return set_strict(thread);
	case SECCOMP_MODE_FILTER:
		return set_filter(thread, 0, address);
	}
	return -EINVAL;
}

/* ---- asking ------------------------------------------------------------- */

/* The strictest answer of the chain; between equals the newest filter's. */
static uint32_t
ask(const struct seccomp_filter *filter, const struct seccomp_data *data)
{
	uint32_t answer = SECCOMP_RET_ALLOW;

	for (; filter; filter = filter->previous) {
		uint32_t one = bpf_run(filter->program, data);

		/* Actions are ordered as signed numbers: the lower, the stricter. */
		if ((int32_t)(one & SECCOMP_RET_ACTION_FULL) < (int32_t)(answer & SECCOMP_RET_ACTION_FULL))
			answer = one;
	}
	return answer;
}

static _Noreturn void
end(struct thread *thread, bool process)
{
	signal_hold(thread);
	if (process || thread->process->thread_count == 1)
		signal_die(thread, SIGSYS, NULL);
	thread_exit(thread, SIGSYS);
}

/* SIGSYS with what the filter says (sigaction(2): si_call_addr, …). */
static int64_t
trap(struct thread *thread, const struct seccomp_data *data, uint32_t answer)
{
	siginfo_t info = {
		.si_signo = SIGSYS,
		.si_code = 1, /* SYS_SECCOMP */
		.si_errno = (int)(answer & SECCOMP_RET_DATA),
		.si_call_addr = (void *)(uintptr_t)data->instruction_pointer,
		.si_syscall = data->nr,
		.si_arch = data->arch,
	};

	if (signal_hold(thread))
		return SIGNAL_INTERRUPTED;
	signal_force(thread, SIGSYS, &info);
	signal_release(thread);
	return SYSCALL_DONE;
}

static bool
strict_allows(const struct syscall *call)
{
	return call && (call->host == SYS_read || call->host == SYS_write || call->host == SYS_exit ||
			call->host == SYS_rt_sigreturn);
}

bool
seccomp_check(struct thread *thread, const struct syscall *call, const struct abi_regs *regs, int64_t *result)
{
	const struct seccomp_filter *filter = __atomic_load_n(&thread->seccomp, __ATOMIC_ACQUIRE);
	struct seccomp_data data = {
		.nr = (int)regs->number,
		.arch = thread->process->abi->audit_arch,
		.instruction_pointer = thread->vcpu.frame->pc,
	};
	uint32_t answer;

	if (thread->seccomp_mode == SECCOMP_MODE_STRICT) {
		if (!strict_allows(call)) {
			signal_hold(thread);
			signal_die(thread, SIGKILL, NULL);
		}
		return true;
	}
	memcpy(data.args, regs->argument, sizeof data.args);
	answer = ask(filter, &data);
	switch (answer & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
	case SECCOMP_RET_LOG:
		return true;
	case SECCOMP_RET_ERRNO:
		answer &= SECCOMP_RET_DATA;
		*result = -(int64_t)(answer < 4095 ? answer : 4095);
		return false;
	case SECCOMP_RET_TRAP:
		*result = trap(thread, &data, answer);
		return false;
	case SECCOMP_RET_USER_NOTIF:
	case SECCOMP_RET_TRACE:
		*result = -ENOSYS;
		return false;
	case SECCOMP_RET_KILL_THREAD:
		end(thread, false);
	}
	end(thread, true);
}

/* ---- across exec -------------------------------------------------------- */

/* Newest first. */
static bool
chain_write(int fd, const struct seccomp_filter *filter)
{
	for (; filter; filter = filter->previous) {
		size_t size = filter->length * sizeof filter->program[0];

		if (RAW3(SYS_write, fd, &filter->length, sizeof filter->length) != sizeof filter->length ||
		    RAW3(SYS_write, fd, filter->program, size) != (long)size)
			return false;
	}
	return true;
}

int
seccomp_write(const struct thread *thread)
{
	long fd;

	if (!thread->seccomp)
		return -1;
	fd = RAW2(SYS_memfd_create, "filters", 0);
	if (raw_failed(fd))
		return (int)fd;
	if (!chain_write((int)fd, thread->seccomp) || raw_failed(RAW3(SYS_lseek, fd, 0, 0))) {
		RAW1(SYS_close, fd);
		return -ENOMEM;
	}
	return (int)fd;
}

bool
seccomp_read(struct thread *thread, int fd)
{
	struct seccomp_filter **oldest = &thread->seccomp;
	uint32_t length;

	while (RAW3(SYS_read, fd, &length, sizeof length) == sizeof length) {
		size_t size = length * sizeof(struct sock_filter);
		struct seccomp_filter *filter = length && length <= BPF_MAXINSNS ? pages_alloc(filter_size(length)) : NULL;

		if (!filter || RAW3(SYS_read, fd, filter->program, size) != (long)size ||
		    !bpf_check(filter->program, length))
			return false;
		filter->length = length;
		filter->users = 1;
		*oldest = filter;
		oldest = &filter->previous;
		thread->seccomp_mode = SECCOMP_MODE_FILTER;
	}
	RAW1(SYS_close, fd);
	return true;
}
