/* What a program learns and sets of the system and itself: uname, limits,
 * prctl. */
#include <linux/prctl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include "process/linux/linux.h"
#include "process/riscv64.h"

#ifndef PR_RISCV_V_SET_CONTROL /* Linux 6.6 */
#define PR_RISCV_V_SET_CONTROL 69
#define PR_RISCV_V_GET_CONTROL 70
#endif

static void
field_set(char *field, size_t size, const char *text)
{
	size_t length = strnlen(text, size - 1);

	memset(field, 0, size);
	memcpy(field, text, length);
}

int64_t
sys_uname(struct thread *thread, const uint64_t *a)
{
	const struct process *process = thread->process;
	const char *release = process->options->uname_release;
	struct utsname name;
	long result = RAW1(SYS_uname, &name);

	if (result)
		return result;
	field_set(name.machine, sizeof name.machine, process->abi->machine);
	if (release)
		field_set(name.release, sizeof name.release, release);
	return mem_write(thread, a[0], &name, sizeof name);
}

/* ---- limits ------------------------------------------------------------- */

/* RLIMIT_AS, DATA and STACK of the guest are the space's; the emulator lives in
 * the same host process and must not be counted. */
static int64_t
limit(struct thread *thread, int pid, uint64_t resource, uint64_t set, uint64_t old)
{
	struct rlimit in, out;
	bool own = !pid || pid == (int)RAW0(SYS_getpid);
	int64_t result;

	if (set && mem_read(thread, &in, set, sizeof in))
		return -EFAULT;
	if (own && set && in.rlim_cur > in.rlim_max)
		return -EINVAL;
	if (!own || !space_rlimit(thread->process->space, (int)resource, set ? &in : NULL, old ? &out : NULL, &result))
		result = RAW4(SYS_prlimit64, pid, resource, set ? &in : NULL, old ? &out : NULL);
	if (!result && own && set && resource == RLIMIT_CORE)
		signal_core_limit(thread);
	if (!result && old)
		result = mem_write(thread, old, &out, sizeof out);
	return result;
}

int64_t
sys_getrlimit(struct thread *thread, const uint64_t *a)
{
	return a[1] ? limit(thread, 0, a[0], 0, a[1]) : -EFAULT;
}

int64_t
sys_setrlimit(struct thread *thread, const uint64_t *a)
{
	return a[1] ? limit(thread, 0, a[0], a[1], 0) : -EFAULT;
}

int64_t
sys_prlimit64(struct thread *thread, const uint64_t *a)
{
	return limit(thread, (int)a[0], a[1], a[2], a[3]);
}

/* ---- prctl -------------------------------------------------------------- */

/* Those that mean the same for the guest as for the host process. */
static bool
prctl_passes(int option)
{
	switch (option) {
	case PR_SET_PDEATHSIG: case PR_GET_DUMPABLE: case PR_SET_DUMPABLE: case PR_GET_KEEPCAPS:
	case PR_SET_KEEPCAPS: case PR_GET_TIMING: case PR_SET_TIMING: case PR_GET_SECUREBITS:
	case PR_SET_SECUREBITS: case PR_CAPBSET_READ: case PR_CAPBSET_DROP: case PR_SET_TIMERSLACK:
	case PR_GET_TIMERSLACK: case PR_MCE_KILL: case PR_MCE_KILL_GET: case PR_SET_CHILD_SUBREAPER:
	case PR_SET_NO_NEW_PRIVS: case PR_GET_NO_NEW_PRIVS: case PR_SET_THP_DISABLE: case PR_GET_THP_DISABLE:
	case PR_CAP_AMBIENT: case PR_GET_SPECULATION_CTRL: case PR_SET_SPECULATION_CTRL: case PR_SET_IO_FLUSHER:
	case PR_GET_IO_FLUSHER: case PR_SET_PTRACER: case PR_TASK_PERF_EVENTS_DISABLE:
	case PR_TASK_PERF_EVENTS_ENABLE:
		return true;
	}
	return false;
}

static int64_t
prctl_pointer(struct thread *thread, const uint64_t *a, uint64_t size, bool write)
{
	return RAW5(SYS_prctl, a[0], guest_buffer(thread, a[1], size, write), a[2], a[3], a[4]);
}

int64_t
sys_prctl(struct thread *thread, const uint64_t *a)
{
	int option = (int)a[0];

	if (prctl_passes(option))
		return RAW5(SYS_prctl, a[0], a[1], a[2], a[3], a[4]);
	switch (option) {
	case PR_SET_NAME:
		return prctl_pointer(thread, a, 16, false);
	case PR_GET_NAME:
		return prctl_pointer(thread, a, 16, true);
	case PR_GET_PDEATHSIG:
	case PR_GET_CHILD_SUBREAPER:
		return prctl_pointer(thread, a, 4, true);
	case PR_GET_TID_ADDRESS:
		return mem_write(thread, a[1], &thread->clear_child_tid, 8);
	case PR_GET_SECCOMP:
		return thread->seccomp_mode;
	case PR_SET_SECCOMP:
		return seccomp_prctl(thread, a[1], a[2]);
	case PR_SET_VMA:
		return RAW5(SYS_prctl, a[0], a[1], guest_buffer(thread, a[2], 1, false), a[3],
			    guest_buffer(thread, a[4], 1, false));
	case PR_RISCV_V_SET_CONTROL:
		return riscv64_vector_set_control(thread, a[1]);
	case PR_RISCV_V_GET_CONTROL:
		return riscv64_vector_control(thread);
	case PR_SET_MM: /* would move the emulator's own bounds */
		return -EPERM;
	}
	/* The rest is other architectures' or unknown: as a kernel without it. */
	return -EINVAL;
}
