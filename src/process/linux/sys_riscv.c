/* System calls of riscv Linux alone (Documentation/arch/riscv/hwprobe.rst). */
#include <sched.h>
#include <string.h>

#include "guest/riscv64/state.h"
#include "process/linux/linux.h"
#include "process/riscv64.h"

/* ---- riscv_hwprobe ------------------------------------------------------ */

enum key {
	KEY_MVENDORID, KEY_MARCHID, KEY_MIMPID, KEY_BASE_BEHAVIOR, KEY_IMA_EXT_0, KEY_CPUPERF_0,
	KEY_ZICBOZ_BLOCK_SIZE, KEY_HIGHEST_VIRT_ADDRESS, KEY_TIME_CSR_FREQ, KEY_MISALIGNED_SCALAR_PERF,
	KEY_MISALIGNED_VECTOR_PERF, KEY_VENDOR_EXT_THEAD_0, KEY_ZICBOM_BLOCK_SIZE, KEY_COUNT
};

#define BASE_IMA 1u
#define MISALIGNED_FAST 3u
#define MISALIGNED_VECTOR_UNSUPPORTED 4u
#define WHICH_CPUS 1u

static bool
key_value(const struct thread *thread, int64_t key, uint64_t *value)
{
	static const uint64_t table[KEY_COUNT] = {
		[KEY_BASE_BEHAVIOR] = BASE_IMA,
		[KEY_CPUPERF_0] = MISALIGNED_FAST,
		[KEY_ZICBOZ_BLOCK_SIZE] = RISCV64_CACHE_BLOCK,
		[KEY_TIME_CSR_FREQ] = RISCV64_TIMEBASE_HZ,
		[KEY_MISALIGNED_SCALAR_PERF] = MISALIGNED_FAST,
		[KEY_MISALIGNED_VECTOR_PERF] = MISALIGNED_VECTOR_UNSUPPORTED,
		[KEY_ZICBOM_BLOCK_SIZE] = RISCV64_CACHE_BLOCK,
	};

	if (key < 0 || key >= KEY_COUNT)
		return false;
	*value = table[key];
	if (key == KEY_HIGHEST_VIRT_ADDRESS)
		*value = space_size(thread->process->space) - 1;
	else if (key == KEY_IMA_EXT_0)
		*value = riscv64_hwprobe_ima_ext_0(thread->process);
	else if (key == KEY_MISALIGNED_VECTOR_PERF && thread->process->options->vlen)
		*value = MISALIGNED_FAST;
	return true;
}

/* Which of the CPUs in the set have all these values: all of them or none. */
static int64_t
hwprobe_which(struct thread *thread, const uint64_t *a)
{
	uint64_t pair[2], value, online[16] = { 0 }, set[16] = { 0 };
	size_t bytes = a[2] < sizeof set ? (size_t)a[2] : sizeof set;
	bool match = true, empty = true;

	if (!a[3] || !a[2] || mem_read(thread, set, a[3], bytes))
		return a[3] && a[2] ? -EFAULT : -EINVAL;
	for (uint64_t i = 0; i < a[1]; i++) {
		if (mem_read(thread, pair, a[0] + i * 16, sizeof pair))
			return -EFAULT;
		if (!key_value(thread, (int64_t)pair[0], &value)) {
			pair[0] = UINT64_MAX;
			pair[1] = 0;
			match = false;
			if (mem_write(thread, a[0] + i * 16, pair, sizeof pair))
				return -EFAULT;
		} else if (pair[0] == KEY_IMA_EXT_0 || pair[0] == KEY_BASE_BEHAVIOR) {
			match &= (value & pair[1]) == pair[1];
		} else {
			match &= value == pair[1];
		}
	}
	RAW3(SYS_sched_getaffinity, 0, sizeof online, online);
	for (size_t i = 0; i < ARRAY_LEN(set); i++)
		empty &= !set[i];
	for (size_t i = 0; i < ARRAY_LEN(set); i++)
		set[i] = match ? online[i] & (empty ? UINT64_MAX : set[i]) : 0;
	return mem_write(thread, a[3], set, bytes);
}

int64_t
sys_riscv_hwprobe(struct thread *thread, const uint64_t *a)
{
	uint64_t pair[2];

	if (a[4] == WHICH_CPUS)
		return hwprobe_which(thread, a);
	if (a[4] || (!a[2] && a[3]))
		return -EINVAL;
	for (uint64_t i = 0; i < a[1]; i++) {
		uint64_t at = a[0] + i * sizeof pair;

		if (mem_read(thread, &pair[0], at, sizeof pair[0]))
			return -EFAULT;
		if (!key_value(thread, (int64_t)pair[0], &pair[1])) {
			pair[0] = UINT64_MAX;
			pair[1] = 0;
		}
		if (mem_write(thread, at, pair, sizeof pair))
			return -EFAULT;
	}
	return 0;
}

/* ---- PR_RISCV_V_{SET,GET}_CONTROL (Documentation/arch/riscv/vector.rst) ---- */

enum vector_control {
	VECTOR_DEFAULT,
	VECTOR_OFF,
	VECTOR_ON,
	VECTOR_CURRENT = 3,
	VECTOR_NEXT_SHIFT = 2,
	VECTOR_NEXT = 3 << VECTOR_NEXT_SHIFT,
	VECTOR_INHERIT = 1 << 4,
};

int64_t
riscv64_vector_control(const struct thread *thread)
{
	return thread->process->options->vlen ? (int64_t)(VECTOR_ON | thread->vector_next) : -EINVAL;
}

/* Where V is it is on, and cannot be turned off before the next execve. */
int64_t
riscv64_vector_set_control(struct thread *thread, uint64_t control)
{
	const uint64_t known = VECTOR_CURRENT | VECTOR_NEXT | VECTOR_INHERIT;
	uint64_t current = control & VECTOR_CURRENT, next = (control & VECTOR_NEXT) >> VECTOR_NEXT_SHIFT;

	if (!thread->process->options->vlen || control & ~known || current > VECTOR_ON)
		return -EINVAL;
	if (current == VECTOR_OFF)
		return -EPERM;
	if (next > VECTOR_ON)
		return -EINVAL;
	thread->vector_next = (uint32_t)control & (VECTOR_NEXT | VECTOR_INHERIT);
	return 0;
}

bool
riscv64_vector_ends(const struct thread *thread)
{
	return (thread->vector_next & VECTOR_NEXT) >> VECTOR_NEXT_SHIFT == VECTOR_OFF;
}

/* ---- riscv_flush_icache ------------------------------------------------- */

int64_t
sys_riscv_flush_icache(struct thread *thread, const uint64_t *a)
{
	if (a[2] & ~(uint64_t)1)
		return -EINVAL;
	if (a[0] < a[1])
		cpu_invalidate(&thread->process->cpu_space, a[0], a[1]);
	return 0;
}
