/* Waiting for descriptors, with the temporary signal masks that go with it. */
#include <string.h>

#include "process/linux/linux.h"

#define POLLFD_SIZE 8u
#define SIGSET_SIZE 8u

/* The call with a mask that holds only meanwhile; nr's arguments from `v`, with
 * v[slot] to become the host's mask. set: guest address of the mask. */
static int64_t
masked_call(struct thread *thread, long nr, const long *v, unsigned slot, uint64_t set)
{
	uint64_t guest, host;
	long w[6];
	int64_t result;

	if (!set)
		return signal_syscall(thread, nr, v[0], v[1], v[2], v[3], v[4], v[5]);
	if (mem_read(thread, &guest, set, sizeof guest))
		return -EFAULT;
	host = host_mask(guest);
	for (unsigned i = 0; i < 6; i++)
		w[i] = i == slot ? (long)&host : v[i];
	if (!signal_mask_swap(thread, guest))
		result = -EINTR;
	else
		result = signal_syscall(thread, nr, w[0], w[1], w[2], w[3], w[4], w[5]);
	signal_mask_unswap(thread, result);
	return result;
}

/* The kernel looks at the time before the mask. */
static int64_t
time_check(struct thread *thread, uint64_t address)
{
	int64_t time[2];

	if (address && mem_read(thread, time, address, sizeof time))
		return -EFAULT;
	return address && (time[0] < 0 || time[1] < 0 || time[1] >= 1000000000) ? -EINVAL : 0;
}

int64_t
sys_ppoll(struct thread *thread, const uint64_t *a)
{
	long v[6] = { (long)guest_buffer(thread, a[0], (a[1] & UINT32_MAX) * POLLFD_SIZE, true), (long)a[1],
		      (long)guest_buffer(thread, a[2], 16, true), 0, (long)a[4], 0 };
	int64_t result = time_check(thread, a[2]);

	if (result)
		return result;
	if (a[3] && a[4] != SIGSET_SIZE)
		return -EINVAL;
	return masked_call(thread, SYS_ppoll, v, 3, a[3]);
}

int64_t
sys_pselect6(struct thread *thread, const uint64_t *a)
{
	uint64_t bytes = ((a[0] & UINT32_MAX) + 63) / 64 * 8, pack[2] = { 0, 0 };
	struct { const uint64_t *set; uint64_t size; } host = { NULL, SIGSET_SIZE };
	uint64_t guest, mask;
	int64_t result = 0;
	bool ready = true;

	if (a[5] && mem_read(thread, pack, a[5], sizeof pack))
		return -EFAULT;
	result = time_check(thread, a[4]);
	if (result)
		return result;
	if (pack[0]) {
		if (pack[1] != SIGSET_SIZE)
			return -EINVAL;
		if (mem_read(thread, &guest, pack[0], sizeof guest))
			return -EFAULT;
		mask = host_mask(guest);
		host.set = &mask;
		ready = signal_mask_swap(thread, guest);
	}
	result = !ready ? -EINTR
			: signal_syscall(thread, SYS_pselect6, (long)a[0],
					 (long)guest_buffer(thread, a[1], bytes, true),
					 (long)guest_buffer(thread, a[2], bytes, true),
					 (long)guest_buffer(thread, a[3], bytes, true),
					 (long)guest_buffer(thread, a[4], 16, true), (long)&host);
	if (host.set)
		signal_mask_unswap(thread, result);
	return result;
}

/* ---- epoll: the event is packed on x86 alone ---------------------------- */

struct generic_event {
	uint32_t events, pad;
	uint64_t data;
};
struct host_event {
	uint32_t events;
	uint64_t data;
} __attribute__((packed));

int64_t
sys_epoll_ctl(struct thread *thread, const uint64_t *a)
{
	struct generic_event in;
	struct host_event event;
	const void *pointer = &event;

	if (!a[3] || mem_read(thread, &in, a[3], sizeof in))
		pointer = guest_buffer(thread, a[3], 1, false);
	else
		event = (struct host_event){ in.events, in.data };
	return RAW4(SYS_epoll_ctl, fd_argument(thread, a[0]), a[1], fd_argument(thread, a[2]), pointer);
}

/* No more at a time than fit here: the kernel may return fewer than asked for,
 * and the rest stay ready. */
#define EVENTS_MAX 1024

static int64_t
epoll_wait(struct thread *thread, long nr, const uint64_t *a, long timeout)
{
	struct host_event events[EVENTS_MAX];
	struct generic_event out;
	int count = (int)a[2];
	long v[6] = { fd_argument(thread, a[0]), (long)events, count > EVENTS_MAX ? EVENTS_MAX : count, timeout, 0,
		      (long)a[5] };
	int64_t result;

	if (a[4] && a[5] != SIGSET_SIZE)
		return -EINVAL;
	result = masked_call(thread, nr, v, 4, a[4]);
	for (int64_t i = 0; i < result; i++) {
		/* cppcheck-suppress uninitvar ; the kernel wrote them */
		out = (struct generic_event){ .events = events[i].events, .data = events[i].data };
		if (mem_write(thread, a[1] + (uint64_t)i * sizeof out, &out, sizeof out))
			return i ? i : -EFAULT;
	}
	return result;
}

int64_t
sys_epoll_pwait(struct thread *thread, const uint64_t *a)
{
	return epoll_wait(thread, SYS_epoll_pwait, a, (int)a[3]);
}

int64_t
sys_epoll_pwait2(struct thread *thread, const uint64_t *a)
{
	int64_t result = time_check(thread, a[3]);

	return result ? result : epoll_wait(thread, SYS_epoll_pwait2, a, (long)guest_buffer(thread, a[3], 16, false));
}
