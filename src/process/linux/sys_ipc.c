/* System V semaphores and message queues: the control calls, whose argument is
 * a pointer, a number or nothing by the command, and whose semid_ds differs. */
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>

#include "process/linux/linux.h"

int64_t
sys_msgctl(struct thread *thread, const uint64_t *a)
{
	return RAW3(SYS_msgctl, a[0], a[1], guest_buffer(thread, a[2], 128, true));
}

struct perm { /* ipc64_perm, equal in both */
	uint8_t bytes[48];
};
struct generic_semid { /* asm-generic/sembuf.h, 64-bit */
	struct perm perm;
	int64_t otime, ctime;
	uint64_t nsems, unused[2];
};
struct host_semid { /* arch/x86/include/uapi/asm/sembuf.h */
	struct perm perm;
	int64_t otime;
	uint64_t unused1;
	int64_t ctime;
	uint64_t unused2, nsems, unused[2];
};
_Static_assert(sizeof(struct generic_semid) == 88 && sizeof(struct host_semid) == 104, "as compilers lay it out");

static int64_t
semaphore_stat(struct thread *thread, const uint64_t *a)
{
	struct host_semid host;
	struct generic_semid out = { 0 };
	long result = RAW4(SYS_semctl, a[0], a[1], a[2], &host);

	if (result < 0)
		return result;
	out.perm = host.perm;
	out.otime = host.otime;
	out.ctime = host.ctime;
	out.nsems = host.nsems;
	return mem_write(thread, a[3], &out, sizeof out) ? -EFAULT : result;
}

int64_t
sys_semctl(struct thread *thread, const uint64_t *a)
{
	struct host_semid host = { 0 };

	switch ((int)a[2]) {
	case IPC_STAT:
	case SEM_STAT:
	case SEM_STAT_ANY:
		return semaphore_stat(thread, a);
	case IPC_SET: /* of the struct only the permissions count */
		if (mem_read(thread, &host.perm, a[3], sizeof host.perm))
			return -EFAULT;
		return RAW4(SYS_semctl, a[0], a[1], a[2], &host);
	case GETALL:
	case SETALL: /* at most SEMMSL 16-bit values */
		return RAW4(SYS_semctl, a[0], a[1], a[2], guest_buffer(thread, a[3], 64000, (int)a[2] == GETALL));
	case IPC_INFO:
	case SEM_INFO:
		return RAW4(SYS_semctl, a[0], a[1], a[2], guest_buffer(thread, a[3], sizeof(struct seminfo), true));
	}
	return RAW4(SYS_semctl, a[0], a[1], a[2], a[3]);
}
