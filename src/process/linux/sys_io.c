/* Input and output through structs that hold pointers: iovecs, messages,
 * ioctl. */
#include <linux/ioctl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "process/linux/linux.h"

/* ---- iovecs ------------------------------------------------------------- */

/* fd, iovecs, count and up to three values. write: the kernel writes there. */
static int64_t
vector_call(struct thread *thread, long nr, const uint64_t *a, bool write)
{
	struct iovec local[IOVEC_MAX];

	return signal_syscall(thread, nr, fd_argument(thread, a[0]),
			      (long)iovec_argument(thread, a[1], a[2], write, local), (long)a[2], (long)a[3],
			      (long)a[4], (long)a[5]);
}

int64_t
sys_readv(struct thread *thread, const uint64_t *a)
{
	return vector_call(thread, SYS_readv, a, true);
}

int64_t
sys_writev(struct thread *thread, const uint64_t *a)
{
	return vector_call(thread, SYS_writev, a, false);
}

int64_t
sys_preadv(struct thread *thread, const uint64_t *a)
{
	return vector_call(thread, SYS_preadv, a, true);
}

int64_t
sys_pwritev(struct thread *thread, const uint64_t *a)
{
	return vector_call(thread, SYS_pwritev, a, false);
}

int64_t
sys_preadv2(struct thread *thread, const uint64_t *a)
{
	return vector_call(thread, SYS_preadv2, a, true);
}

int64_t
sys_pwritev2(struct thread *thread, const uint64_t *a)
{
	return vector_call(thread, SYS_pwritev2, a, false);
}

int64_t
sys_vmsplice(struct thread *thread, const uint64_t *a)
{
	return vector_call(thread, SYS_vmsplice, a, true);
}

/* The other process's addresses are those of its own guest: right when both
 * guests have base 0, as they have but in sanitizer builds. */
static int64_t
process_vm(struct thread *thread, long nr, const uint64_t *a, bool write)
{
	struct iovec local[IOVEC_MAX];

	return signal_syscall(thread, nr, (long)a[0], (long)iovec_argument(thread, a[1], a[2], write, local),
			      (long)a[2], (long)guest_buffer(thread, a[3], 1, false), (long)a[4], (long)a[5]);
}

int64_t
sys_process_vm_readv(struct thread *thread, const uint64_t *a)
{
	return process_vm(thread, SYS_process_vm_readv, a, true);
}

int64_t
sys_process_vm_writev(struct thread *thread, const uint64_t *a)
{
	return process_vm(thread, SYS_process_vm_writev, a, false);
}

/* ---- messages ----------------------------------------------------------- */

/* A guest's msghdr (equal layout, guest's pointers) as the host may be given
 * it. */
struct message {
	struct msghdr header;
	struct iovec iovec[IOVEC_MAX];
};

static bool
message_read(struct thread *thread, uint64_t address, bool write, struct message *message)
{
	struct msghdr *h = &message->header;

	if (mem_read(thread, h, address, sizeof *h))
		return false;
	h->msg_name = guest_buffer(thread, (uint64_t)(uintptr_t)h->msg_name, h->msg_namelen, write);
	h->msg_control = guest_buffer(thread, (uint64_t)(uintptr_t)h->msg_control, h->msg_controllen, write);
	h->msg_iov = (struct iovec *)(uintptr_t)iovec_argument(thread, (uint64_t)(uintptr_t)h->msg_iov,
							       h->msg_iovlen, write, message->iovec);
	return true;
}

/* What the kernel changes in the header it is given. */
static int64_t
message_write_back(struct thread *thread, uint64_t address, const struct msghdr *h)
{
	if (mem_write(thread, address + offsetof(struct msghdr, msg_namelen), &h->msg_namelen,
		      sizeof h->msg_namelen) ||
	    mem_write(thread, address + offsetof(struct msghdr, msg_controllen), &h->msg_controllen,
		      sizeof h->msg_controllen) ||
	    mem_write(thread, address + offsetof(struct msghdr, msg_flags), &h->msg_flags, sizeof h->msg_flags))
		return -EFAULT;
	return 0;
}

int64_t
sys_sendmsg(struct thread *thread, const uint64_t *a)
{
	struct message message;
	const void *header = &message.header;

	if (!message_read(thread, a[1], false, &message))
		header = guest_buffer(thread, a[1], 1, false);
	return signal_syscall(thread, SYS_sendmsg, fd_argument(thread, a[0]), (long)header, (long)a[2], 0, 0, 0);
}

int64_t
sys_recvmsg(struct thread *thread, const uint64_t *a)
{
	struct message message;
	int64_t result;

	if (!message_read(thread, a[1], true, &message))
		return signal_syscall(thread, SYS_recvmsg, fd_argument(thread, a[0]),
				      (long)guest_buffer(thread, a[1], 1, false), (long)a[2], 0, 0, 0);
	result = signal_syscall(thread, SYS_recvmsg, fd_argument(thread, a[0]), (long)&message.header, (long)a[2],
				0, 0, 0);
	if (result >= 0 && message_write_back(thread, a[1], &message.header))
		return -EFAULT;
	return result;
}

/* struct mmsghdr: a msghdr, then the length that was moved. */
#define MMSG_SIZE 64u
#define MMSG_MAX 1024u

/* Message by message, where the guest's pointers are not the host's. */
static int64_t
messages_one_by_one(struct thread *thread, const uint64_t *a, bool receive)
{
	uint64_t one[3] = { a[0], a[1], a[3] & ~(uint64_t)MSG_WAITFORONE };
	uint32_t count = a[2] < MMSG_MAX ? (uint32_t)a[2] : MMSG_MAX, done;

	for (done = 0; done < count; done++, one[1] += MMSG_SIZE) {
		int64_t result = receive ? sys_recvmsg(thread, one) : sys_sendmsg(thread, one);
		uint32_t length = (uint32_t)result;

		if (result < 0)
			return done ? done : result;
		if (mem_write(thread, one[1] + sizeof(struct msghdr), &length, sizeof length))
			return -EFAULT;
		if (a[3] & MSG_WAITFORONE)
			one[2] |= MSG_DONTWAIT;
	}
	return done;
}

/* The kernel writes through these messages by itself: lift the watches. */
static void
messages_unwatch(struct thread *thread, const uint64_t *a)
{
	struct message message;

	for (uint64_t i = 0; i < (uint32_t)a[2] && i < MMSG_MAX; i++)
		if (!message_read(thread, a[1] + i * MMSG_SIZE, true, &message))
			return;
}

int64_t
sys_sendmmsg(struct thread *thread, const uint64_t *a)
{
	if (thread->process->guest_base)
		return messages_one_by_one(thread, a, false);
	return signal_syscall(thread, SYS_sendmmsg, fd_argument(thread, a[0]),
			      (long)guest_buffer(thread, a[1], (uint32_t)a[2] * MMSG_SIZE, true), (long)a[2],
			      (long)a[3], 0, 0);
}

int64_t
sys_recvmmsg(struct thread *thread, const uint64_t *a)
{
	if (thread->process->guest_base)
		return messages_one_by_one(thread, a, true);
	messages_unwatch(thread, a);
	return signal_syscall(thread, SYS_recvmmsg, fd_argument(thread, a[0]),
			      (long)guest_buffer(thread, a[1], (uint32_t)a[2] * MMSG_SIZE, true), (long)a[2],
			      (long)a[3], (long)guest_buffer(thread, a[4], 16, true), 0);
}

/* ---- ioctl -------------------------------------------------------------- */

/* Requests from before the encoding with size and direction whose argument is a
 * plain number (or none). All others point at memory. */
static bool
ioctl_takes_number(unsigned request)
{
	switch (request) {
	case TCSBRK: case TCXONC: case TCFLSH: case TIOCEXCL: case TIOCNXCL: case TIOCSCTTY: case TIOCNOTTY:
	case TIOCSBRK: case TIOCCBRK: case TCSBRKP: case TIOCVHANGUP: case FIOCLEX: case FIONCLEX:
	case TIOCCONS:
		return true;
	}
	return false;
}

/* Numbers and structs of terminals, sockets, files and block devices are those
 * of the generic ABI on all hosts and guests so far; drivers whose 64-bit
 * structs are laid out by natural alignment are right by that as well. */
int64_t
sys_ioctl(struct thread *thread, const uint64_t *a)
{
	unsigned request = (unsigned)a[1];
	uint64_t size = _IOC_SIZE(request);
	bool encoded = _IOC_DIR(request) != _IOC_NONE;
	long argument = (long)a[2];

	if (encoded)
		argument = (long)guest_buffer(thread, a[2], size, _IOC_DIR(request) & _IOC_READ);
	else if (!ioctl_takes_number(request) && (_IOC_TYPE(request) == 'T' || _IOC_TYPE(request) == 0x89))
		argument = (long)guest_buffer(thread, a[2], 256, true);
	return signal_syscall(thread, SYS_ioctl, fd_argument(thread, a[0]), request, argument, 0, 0, 0);
}
