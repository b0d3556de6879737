/* Asynchronous input and output (io_setup and its kin): the host kernel's own.
 *
 * A context is known by the address of its ring of events, which the kernel maps
 * where it likes: among the emulator's mappings. The kernel lets the ring be
 * moved by mremap and then calls the context by the new address, so it is moved
 * into the guest's space, where libaio reads it without a call. Control blocks
 * hold addresses, which are the host's at guest base 0 alone: with another base
 * these calls are those of a kernel built without CONFIG_AIO.
 */
#include <linux/aio_abi.h>
#include <sys/mman.h>

#include "process/linux/linux.h"

#define PAGE 4096u
#define SIGSET_SIZE 8u

struct ring_header { /* struct aio_ring, fs/aio.c; libaio reads it too */
	uint32_t id, count, head, tail, magic, compatible, incompatible, header_length;
};

/* Moves the host's ring into the guest's space. Returns its guest address. */
static int64_t
ring_adopt(struct thread *thread, uint64_t host)
{
	struct process *process = thread->process;
	const struct ring_header *header = (const struct ring_header *)(uintptr_t)host;
	uint64_t size = align_up(sizeof *header + (uint64_t)header->count * sizeof(struct io_event), PAGE);
	int64_t at = space_mmap(process->space, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct mapping mapping = { .prot = PROT_READ | PROT_WRITE, .flags = MAP_SHARED };
	long result;

	if (at < 0)
		return at;
	result = RAW5(SYS_mremap, host, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, guest_pointer(process, (uint64_t)at));
	if (raw_failed(result)) {
		space_munmap(process->space, (uint64_t)at, size);
		return result;
	}
	mapping.start = (uint64_t)at;
	mapping.end = (uint64_t)at + size;
	space_note(process->space, &mapping);
	return at;
}

int64_t
sys_io_setup(struct thread *thread, const uint64_t *a)
{
	uint64_t context, host = 0;
	int64_t result;

	if (thread->process->guest_base)
		return -ENOSYS;
	if (mem_read(thread, &context, a[1], sizeof context))
		return -EFAULT;
	if (context)
		return -EINVAL;
	result = RAW2(SYS_io_setup, a[0], &host);
	if (result)
		return result;
	result = ring_adopt(thread, host);
	if (result < 0) {
		RAW1(SYS_io_destroy, host);
		return result;
	}
	context = (uint64_t)result;
	if (mem_write(thread, a[1], &context, sizeof context)) {
		sys_io_destroy(thread, &context);
		return -EFAULT;
	}
	return 0;
}

int64_t
sys_io_destroy(struct thread *thread, const uint64_t *a)
{
	struct space *space = thread->process->space;
	struct mapping ring;
	bool found = space_find(space, a[0], &ring);
	long result = signal_syscall(thread, SYS_io_destroy, (long)a[0], 0, 0, 0, 0, 0);

	if (!result && found)
		space_forget(space, ring.start, ring.end - ring.start);
	return result;
}

/* Whether a control block may be handed to the host; what it will write to is
 * given back by the watch for translated code first. */
static bool
block_prepare(struct thread *thread, uint64_t address)
{
	struct iocb block;
	struct iovec iovec;

	if (mem_read(thread, &block, address, sizeof block))
		return true; /* the kernel says why not */
	if (fd_argument(thread, block.aio_fildes) != (int)block.aio_fildes)
		return false;
	if (block.aio_lio_opcode == IOCB_CMD_PREAD)
		guest_buffer(thread, block.aio_buf, block.aio_nbytes, true);
	if (block.aio_lio_opcode == IOCB_CMD_PREADV)
		for (uint64_t i = 0; i < block.aio_nbytes && i < IOVEC_MAX; i++)
			if (!mem_read(thread, &iovec, block.aio_buf + i * sizeof iovec, sizeof iovec))
				guest_buffer(thread, (uint64_t)(uintptr_t)iovec.iov_base, iovec.iov_len, true);
	guest_buffer(thread, address, sizeof block, true); /* its key is the kernel's to write */
	return true;
}

int64_t
sys_io_submit(struct thread *thread, const uint64_t *a)
{
	int64_t count = (int64_t)a[1], fit;
	uint64_t block;

	for (fit = 0; fit < count; fit++) {
		if (mem_read(thread, &block, a[2] + (uint64_t)fit * sizeof block, sizeof block))
			break;
		if (!block_prepare(thread, block)) {
			/* As the kernel, which stops at the first that it cannot take. */
			if (!fit)
				return -EBADF;
			count = fit;
		}
	}
	return signal_syscall(thread, SYS_io_submit, (long)a[0], (long)count, (long)guest_buffer(thread, a[2], 1, false),
			      0, 0, 0);
}

int64_t
sys_io_cancel(struct thread *thread, const uint64_t *a)
{
	return RAW3(SYS_io_cancel, a[0], guest_buffer(thread, a[1], 1, false),
		    guest_buffer(thread, a[2], sizeof(struct io_event), true));
}

/* ---- waiting ------------------------------------------------------------ */

static void *
events_argument(struct thread *thread, const uint64_t *a)
{
	uint64_t count = a[2] < PAGE * PAGE ? a[2] : PAGE * PAGE;

	return guest_buffer(thread, a[3], count * sizeof(struct io_event), true);
}

int64_t
sys_io_getevents(struct thread *thread, const uint64_t *a)
{
	return signal_syscall(thread, SYS_io_getevents, (long)a[0], (long)a[1], (long)a[2],
			      (long)events_argument(thread, a), (long)guest_buffer(thread, a[4], 16, true), 0);
}

int64_t
sys_io_pgetevents(struct thread *thread, const uint64_t *a)
{
	uint64_t pack[2] = { 0, 0 }, guest, mask;
	struct { const uint64_t *set; uint64_t size; } host = { NULL, SIGSET_SIZE };
	int64_t result = -EINTR;
	bool ready = true;

	if (a[5] && mem_read(thread, pack, a[5], sizeof pack))
		return -EFAULT;
	if (pack[0]) {
		if (pack[1] != SIGSET_SIZE)
			return -EINVAL;
		if (mem_read(thread, &guest, pack[0], sizeof guest))
			return -EFAULT;
		mask = host_mask(guest);
		host.set = &mask;
		ready = signal_mask_swap(thread, guest);
	}
	if (ready)
		result = signal_syscall(thread, SYS_io_pgetevents, (long)a[0], (long)a[1], (long)a[2],
					(long)events_argument(thread, a), (long)guest_buffer(thread, a[4], 16, true),
					(long)&host);
	if (host.set)
		signal_mask_unswap(thread, result);
	return result;
}
