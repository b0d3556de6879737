/* The tracer's side of ptrace between guests: the threads that it traces. Only the
 * host thread that attached may ask the kernel about one. */
#ifndef PROCESS_LINUX_TRACEE_H
#define PROCESS_LINUX_TRACEE_H

#include "process/linux/linux.h"
#include "process/trace.h"

struct tracee {
	int tid;          /* 0: a free entry */
	bool trapped;     /* its stop is a trap (trace.h), else the host's */
	bool seized;
	bool told;        /* the host has its options */
	uint32_t options; /* PTRACE_O_ of the guest */
	uint64_t thread;  /* address of its struct thread, 0: not known (it is being
	                     executed, or no emulator) */
};

/* All of them; entries do not move. */
#define TRACEES_MAX 4096u
struct tracees {
	uint32_t lock;
	unsigned count; /* entries that were ever used */
	struct tracee entry[TRACEES_MAX];
};

/* The entry of a thread; add: a new one if there is none. NULL: none, no room. */
struct tracee *tracee_find(struct process *process, int tid, bool add);
void tracee_drop(struct process *process, int tid);
/* The options that the host is to have for the guest's. */
uint32_t tracee_host_options(uint32_t options);
/* A thread was found stopped with a wait status. True: the guest is to see it, by
 * *status. False: it goes on already. Also for stops that are not ptrace's. */
bool tracee_stopped(struct process *process, int tid, int *status);
/* Between a stopped thread's memory and ours; 0 or -errno. */
long tracee_read(const struct tracee *tracee, uint64_t from, void *to, size_t size);
long tracee_write(const struct tracee *tracee, uint64_t to, const void *from, size_t size);
/* Its struct trace. */
long tracee_get(const struct tracee *tracee, struct trace *trace);
long tracee_set(const struct tracee *tracee, const struct trace *trace);

#endif
