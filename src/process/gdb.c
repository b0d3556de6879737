/* Guest threads under a debugger: where they stop and what they report. */
#include "process/gdb_impl.h"

#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>

#include "host/lock.h"
#include "process/signal_impl.h"

/* ---- waiting ------------------------------------------------------------ */

static void
futex_wait(uint32_t *word, uint32_t value)
{
	RAW4(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL);
}

static void
futex_wake(uint32_t *word)
{
	__atomic_add_fetch(word, 1, __ATOMIC_SEQ_CST);
	RAW3(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX);
}

static bool
held(const struct gdb *gdb, const struct thread *thread)
{
	if (__atomic_load_n(&gdb->gone, __ATOMIC_SEQ_CST))
		return false;
	return __atomic_load_n(&gdb->stopped, __ATOMIC_SEQ_CST) ||
	       __atomic_load_n(&thread->debug.go, __ATOMIC_SEQ_CST) == GDB_STAY ||
	       __atomic_load_n(&thread->debug.event, __ATOMIC_SEQ_CST) != GDB_NOTHING;
}

/* Returns once the thread may go on. True if it had to wait. */
static bool
wait_held(struct gdb *gdb, struct thread *thread)
{
	bool waited = false;

	for (;;) {
		uint32_t resumes = __atomic_load_n(&gdb->resumes, __ATOMIC_SEQ_CST);

		if (!held(gdb, thread))
			return waited;
		waited = true;
		futex_wait(&gdb->resumes, resumes);
	}
}

/* Writes down what the thread has to tell and waits for the answer. A vfork child
 * is a process of its own, which nobody debugs. */
static void
report(struct thread *thread, enum gdb_event event, int signal, const siginfo_t *info)
{
	struct gdb *gdb = thread->process->gdb;
	uint64_t one = 1;

	thread->debug.stepping = false;
	thread->debug.signal = signal;
	thread->debug.deliver = 0;
	thread->debug.info = *info;
	__atomic_store_n(&thread->debug.event, event, __ATOMIC_SEQ_CST);
	RAW3(SYS_write, gdb->wake, &one, sizeof one);
	wait_held(gdb, thread);
	if (thread->debug.changed) {
		thread->debug.changed = false;
		cpu_state_changed(&thread->vcpu);
	}
}

static bool
is_debugged(const struct thread *thread)
{
	const struct gdb *gdb = thread->process->gdb;

	return gdb && !thread->vfork_child && !__atomic_load_n(&gdb->gone, __ATOMIC_SEQ_CST);
}

/* ---- running ------------------------------------------------------------ */

void
gdb_run(struct thread *thread, struct cpu_stop *stop)
{
	struct gdb *gdb = thread->process->gdb;

	if (!is_debugged(thread)) {
		cpu_run(&thread->vcpu, stop);
		return;
	}
	*stop = (struct cpu_stop){ .kind = CPU_STOP_POLL };
	if (wait_held(gdb, thread)) /* a signal may have come: look again first */
		return;
	if (thread->debug.changed) {
		thread->debug.changed = false;
		cpu_state_changed(&thread->vcpu);
	}
	thread->debug.stepping = thread->debug.go == GDB_STEP;
	/* Either the one who stops all sees us inside, or we see that we may not
	 * enter. */
	__atomic_store_n(&thread->debug.inside, 1, __ATOMIC_SEQ_CST);
	if (!held(gdb, thread)) {
		if (thread->debug.stepping)
			cpu_step(&thread->vcpu, stop);
		else
			cpu_run(&thread->vcpu, stop);
	} else {
		thread->debug.stepping = false;
	}
	__atomic_store_n(&thread->debug.inside, 0, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&gdb->stopped, __ATOMIC_SEQ_CST))
		futex_wake(&gdb->leaves);
	if (stop->kind == CPU_STOP_POLL)
		gdb_ran(thread);
}

void
gdb_ran(struct thread *thread)
{
	siginfo_t info = { .si_signo = SIGTRAP, .si_code = TRAP_TRACE };

	if (thread->debug.stepping && is_debugged(thread))
		report(thread, GDB_STEPPED, SIGTRAP, &info);
}

bool
gdb_breakpoint(struct thread *thread, uint64_t pc)
{
	siginfo_t info = { .si_signo = SIGTRAP, .si_code = TRAP_BRKPT, .si_addr = (void *)(uintptr_t)pc };

	if (!is_debugged(thread) || !gdb_has_breakpoint(thread->process->gdb, pc))
		return false;
	report(thread, GDB_BREAKPOINT, SIGTRAP, &info);
	return true;
}

int
gdb_signal(struct thread *thread, int signal, const siginfo_t *info)
{
	struct gdb *gdb = thread->process->gdb;

	if (!is_debugged(thread))
		return signal;
	if (gdb->pass & signal_bit(signal)) {
		wait_held(gdb, thread);
		return signal;
	}
	report(thread, GDB_SIGNAL, signal, info);
	if (gdb->gone)
		return signal;
	return thread->debug.deliver;
}

void
gdb_ends(struct thread *thread, char kind, int value)
{
	struct gdb *gdb = thread->process->gdb;
	char text[8];

	if (!is_debugged(thread))
		return;
	wait_held(gdb, thread);
	gdb_send(gdb, text, (size_t)text_format(text, sizeof text, "%c%02x", kind, value & 0xff));
}

/* ---- for the service thread --------------------------------------------- */

struct thread *
gdb_thread(struct gdb *gdb, int tid)
{
	struct process *process = gdb->process;
	struct thread *found = NULL, *t;

	lock_take(&process->thread_lock);
	for (t = process->threads; t; t = t->next)
		if (!t->vfork_child && (tid <= 0 || t->tid == tid))
			found = t; /* for any: the oldest */
	lock_drop(&process->thread_lock);
	return found;
}

static bool
any_inside(struct gdb *gdb)
{
	struct process *process = gdb->process;
	bool inside = false;

	lock_take(&process->thread_lock);
	for (struct thread *t = process->threads; t; t = t->next) {
		if (t->vfork_child || !__atomic_load_n(&t->debug.inside, __ATOMIC_SEQ_CST))
			continue;
		cpu_poll(&t->vcpu);
		inside = true;
	}
	lock_drop(&process->thread_lock);
	return inside;
}

void
gdb_stop_all(struct gdb *gdb)
{
	__atomic_store_n(&gdb->stopped, 1, __ATOMIC_SEQ_CST);
	for (;;) {
		uint32_t leaves = __atomic_load_n(&gdb->leaves, __ATOMIC_SEQ_CST);

		if (!any_inside(gdb))
			return;
		futex_wait(&gdb->leaves, leaves);
	}
}

void
gdb_resume(struct gdb *gdb)
{
	struct process *process = gdb->process;

	lock_take(&process->thread_lock);
	for (struct thread *t = process->threads; t; t = t->next) {
		/* What was reported is answered; a breakpoint that has gone
		 * meanwhile needs no report. */
		bool stale = t->debug.event == GDB_BREAKPOINT && !gdb_has_breakpoint(gdb, t->vcpu.frame->pc);

		if (t->tid == gdb->reported || stale)
			__atomic_store_n(&t->debug.event, GDB_NOTHING, __ATOMIC_SEQ_CST);
	}
	lock_drop(&process->thread_lock);
	gdb->reported = 0;
	__atomic_store_n(&gdb->stopped, 0, __ATOMIC_SEQ_CST);
	futex_wake(&gdb->resumes);
}

struct thread *
gdb_pending(struct gdb *gdb)
{
	struct process *process = gdb->process;
	struct thread *found = NULL;

	lock_take(&process->thread_lock);
	for (struct thread *t = process->threads; t; t = t->next)
		if (t->debug.event != GDB_NOTHING && t->debug.go != GDB_STAY)
			found = t;
	lock_drop(&process->thread_lock);
	return found;
}

void
gdb_detach(struct gdb *gdb)
{
	gdb_breakpoints(gdb, false);
	__atomic_store_n(&gdb->gone, true, __ATOMIC_SEQ_CST);
	__atomic_store_n(&gdb->stopped, 0, __ATOMIC_SEQ_CST);
	futex_wake(&gdb->resumes);
}

/* ---- forks -------------------------------------------------------------- */

void
gdb_forked(struct thread *thread)
{
	struct gdb *gdb = thread->process->gdb;

	if (!gdb)
		return;
	if (!gdb->gone)
		gdb_breakpoints(gdb, false);
	RAW1(SYS_close, gdb->connection);
	RAW1(SYS_close, gdb->wake);
	gdb->connection = gdb->wake = -1;
	gdb->gone = true;
}

void
gdb_vfork(struct process *process, bool begins)
{
	struct gdb *gdb = process->gdb;

	if (gdb && !gdb->gone)
		gdb_breakpoints(gdb, !begins);
}
