/* The extensions that the riscv64 guest tells of, in one table: hwcap, hwprobe
 * and /proc/cpuinfo are made from it. */
#ifndef PROCESS_RISCV64_H
#define PROCESS_RISCV64_H

#include <stdbool.h>
#include <stdint.h>

struct riscv64_extension {
	const char *name; /* in the order of Linux's isa string */
	int hwprobe;      /* bit of RISCV_HWPROBE_KEY_IMA_EXT_0, or -1 */
	bool vector;      /* there only where V is */
};

struct process;
struct thread;

/* Multi-letter extensions; ends with a NULL name. I M A F D C are there always. */
extern const struct riscv64_extension riscv64_extensions[];

/* Value of RISCV_HWPROBE_KEY_IMA_EXT_0. */
uint64_t riscv64_hwprobe_ima_ext_0(const struct process *process);

/* ---- riscv64_vector.c: the vector state in a signal frame, struct
 * __riscv_v_ext_state of uapi/asm/{ptrace,sigcontext}.h with its header ---- */

#define RISCV64_VECTOR_MAGIC 0x53465457u

/* Bytes that it takes, header and all, of registers of vlenb bytes; 0: none. */
uint64_t riscv64_vector_context_size(uint64_t vlenb);
/* Whether the thread has used V, so that its frames have the state. */
bool riscv64_vector_context_is(const struct thread *thread);
/* To and from the guest address `at`, its header's. 0, -EFAULT, or -EINVAL: there is
 * no such state of that size. */
int riscv64_vector_context_write(struct thread *thread, uint64_t at);
int riscv64_vector_context_read(struct thread *thread, uint64_t at, uint32_t size);

/* ---- linux/sys_riscv.c --------------------------------------------------- */

/* PR_RISCV_V_SET_CONTROL and PR_RISCV_V_GET_CONTROL. */
int64_t riscv64_vector_set_control(struct thread *thread, uint64_t control);
int64_t riscv64_vector_control(const struct thread *thread);
/* Whether the thread wants programs that it executes to be without V. */
bool riscv64_vector_ends(const struct thread *thread);

#endif
