/* Memory: the guest's own tree of mappings does the work (space.c). System V
 * shared memory is placed there as well. */
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>

#include "process/linux/linux.h"

#define PAGE 4096u

int64_t
sys_brk(struct thread *thread, const uint64_t *a)
{
	return space_brk(thread->process->space, a[0]);
}

int64_t
sys_mmap(struct thread *thread, const uint64_t *a)
{
	int fd = a[3] & MAP_ANONYMOUS ? -1 : (int)fd_argument(thread, a[4]);

	return space_mmap(thread->process->space, a[0], a[1], (int)a[2], (int)a[3], fd, a[5]);
}

int64_t
sys_munmap(struct thread *thread, const uint64_t *a)
{
	return space_munmap(thread->process->space, a[0], a[1]);
}

int64_t
sys_mremap(struct thread *thread, const uint64_t *a)
{
	return space_mremap(thread->process->space, a[0], a[1], a[2], (int)a[3], a[4]);
}

int64_t
sys_mprotect(struct thread *thread, const uint64_t *a)
{
	return space_mprotect(thread->process->space, a[0], a[1], (int)a[2]);
}

int64_t
sys_madvise(struct thread *thread, const uint64_t *a)
{
	return space_madvise(thread->process->space, a[0], a[1], (int)a[2]);
}

/* ---- calls about what is mapped ------------------------------------------ */

/* The emulator's own mappings are not there for the guest: a range that is not
 * wholly the guest's is told as unmapped. What the kernel refuses before it looks
 * at mappings is left to it. */
static int64_t
range_call(struct thread *thread, long nr, const uint64_t *a, long third)
{
	struct process *process = thread->process;
	uint64_t at = a[0], end = align_up(a[0] + a[1], PAGE);
	struct mapping mapping;

	if (!(a[0] & (PAGE - 1)) && end > at)
		for (; at < end; at = mapping.end)
			if (!space_find(process->space, at, &mapping))
				return -ENOMEM;
	return signal_syscall(thread, nr, (long)guest_buffer(thread, a[0], 1, false), (long)a[1], third, 0, 0, 0);
}

int64_t
sys_msync(struct thread *thread, const uint64_t *a)
{
	int flags = (int)a[2];

	if (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) || (flags & MS_ASYNC && flags & MS_SYNC))
		return -EINVAL;
	return range_call(thread, SYS_msync, a, (long)a[2]);
}

int64_t
sys_mincore(struct thread *thread, const uint64_t *a)
{
	int64_t result = range_call(thread, SYS_mincore, a, (long)guest_buffer(thread, a[2], a[1] / PAGE + 1, true));
	struct mapping mapping;

	/* The kernel tells of what comes before a gap first. */
	if (result == -ENOMEM && !(a[0] & (PAGE - 1)) && space_find(thread->process->space, a[0], &mapping) &&
	    mem_write(thread, a[2], "\1", 1))
		return -EFAULT;
	return result;
}

/* mlock takes addresses that are not aligned. */
static int64_t
lock_call(struct thread *thread, long nr, const uint64_t *a, long flags)
{
	uint64_t start = a[0] & ~(uint64_t)(PAGE - 1);
	uint64_t range[2] = { start, a[1] + (a[0] - start) };

	if (range[1] < a[1] || align_up(start + range[1], PAGE) < start)
		return RAW3(nr, a[0], a[1], flags); /* nothing is locked; by limits and rights the kernel says why */
	return range_call(thread, nr, range, flags);
}

int64_t
sys_mlock(struct thread *thread, const uint64_t *a)
{
	return lock_call(thread, SYS_mlock, a, 0);
}

int64_t
sys_mlock2(struct thread *thread, const uint64_t *a)
{
	if ((int)a[2] & ~MLOCK_ONFAULT)
		return -EINVAL;
	return lock_call(thread, SYS_mlock2, a, (long)a[2]);
}

int64_t
sys_munlock(struct thread *thread, const uint64_t *a)
{
	return lock_call(thread, SYS_munlock, a, 0);
}

/* Another part of the file that a shared mapping is of, in the place of some of
 * its pages. The host's kernel emulates it by mmap and so judges all of it. */
int64_t
sys_remap_file_pages(struct thread *thread, const uint64_t *a)
{
	struct process *process = thread->process;
	uint64_t start = a[0] & ~(uint64_t)(PAGE - 1), size = a[1] & ~(uint64_t)(PAGE - 1), at;
	struct mapping mapping;
	long result;

	if (a[2] || start + size <= start || a[3] + size / PAGE < a[3])
		return -EINVAL;
	for (at = start; at < start + size; at = mapping.end)
		if (!space_find(process->space, at, &mapping) || !(mapping.flags & MAP_SHARED))
			return -EINVAL;
	space_unwatch(process->space, start, size);
	result = RAW5(SYS_remap_file_pages, guest_pointer(process, start), size, 0, a[3], a[4]);
	if (result)
		return result;
	cpu_invalidate(&process->cpu_space, start, start + size);
	mapping.start = start;
	mapping.end = start + size;
	mapping.offset = a[3] * PAGE;
	mapping.file_base = 0;
	space_note(process->space, &mapping);
	return 0;
}

/* ---- System V shared memory --------------------------------------------- */

/* A segment's mapping is known by this device and its id plus one as inode. */
#define SHM_DEVICE UINT64_MAX

static int64_t
attach_address(struct thread *thread, uint64_t address, uint64_t flags, uint64_t size)
{
	struct space *space = thread->process->space;
	int fixed = 0;

	if (address) {
		if (address & (PAGE - 1)) {
			if (!(flags & SHM_RND))
				return -EINVAL;
			address &= ~(uint64_t)(PAGE - 1);
		}
		fixed = flags & SHM_REMAP ? MAP_FIXED : MAP_FIXED_NOREPLACE;
	} else if (flags & SHM_REMAP) {
		return -EINVAL;
	}
	/* Takes the place; the segment is then laid over it. */
	return space_mmap(space, address, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | fixed, -1, 0);
}

int64_t
sys_shmat(struct thread *thread, const uint64_t *a)
{
	struct process *process = thread->process;
	struct shmid_ds ds;
	struct mapping mapping = { .device = SHM_DEVICE, .inode = (uint64_t)(uint32_t)a[0] + 1 };
	long result = RAW3(SYS_shmctl, a[0], IPC_STAT, &ds);
	uint64_t size;
	int64_t at;

	if (result)
		return result;
	size = align_up(ds.shm_segsz, PAGE);
	at = attach_address(thread, a[1], a[2], size);
	if (at < 0)
		return at == -EEXIST ? -EINVAL : at;
	result = RAW3(SYS_shmat, a[0], guest_pointer(process, (uint64_t)at), a[2] | SHM_REMAP);
	if (raw_failed(result)) {
		space_munmap(process->space, (uint64_t)at, size);
		return result;
	}
	mapping.start = (uint64_t)at;
	mapping.end = (uint64_t)at + size;
	mapping.prot = PROT_READ | (a[2] & SHM_RDONLY ? 0 : PROT_WRITE) | (a[2] & SHM_EXEC ? PROT_EXEC : 0);
	mapping.flags = MAP_SHARED;
	space_note(process->space, &mapping);
	return at;
}

int64_t
sys_shmdt(struct thread *thread, const uint64_t *a)
{
	struct process *process = thread->process;
	uint64_t at = a[0], segment = 0;
	struct mapping part;
	long result;

	if (a[0] & (PAGE - 1))
		return -EINVAL;
	result = RAW1(SYS_shmdt, guest_pointer(process, a[0]));
	if (result)
		return result;
	/* The parts that lie where the segment was attached, whatever was put in
	 * between since: they were the kernel's to find. */
	for (; space_next(process->space, at, &part); at = part.end) {
		if (part.device != SHM_DEVICE || part.start < a[0] || part.start - a[0] != part.offset ||
		    (segment && part.inode != segment))
			continue;
		segment = part.inode;
		space_forget(process->space, part.start, part.end - part.start);
	}
	return 0;
}

int64_t
sys_shmctl(struct thread *thread, const uint64_t *a)
{
	return RAW3(SYS_shmctl, a[0], a[1], guest_buffer(thread, a[2], 128, true));
}
