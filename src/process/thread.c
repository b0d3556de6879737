/* Guest threads on the host: their blocks, the run loop, clone and exit.
 *
 * A block is THREAD_BLOCK_SIZE bytes, aligned to that, from its start:
 *
 *	alternate signal stack | guard page | C stack | struct thread
 *
 * so that a stack pointer in it, masked, names the thread. While generated code
 * runs the host's stack pointer is the shadow stack; signals then still come on
 * the block, by the alternate stack.
 *
 * Every clone is the host kernel's own with the guest's flags, so namespaces,
 * exit signals, pidfds and the words that it writes and wakes (CLONE_*_SETTID,
 * CLONE_CHILD_CLEARTID, robust lists) are the kernel's work, on guest memory,
 * which is host memory. Three shapes differ in what the child runs on:
 *   a copy of the address space (fork): on the copy of the caller's stack;
 *   the same address space, parent waiting (vfork, posix_spawn): on a block of
 *     its own, which the parent frees when the kernel lets it go on, however
 *     the child ended;
 *   the same address space (threads): on a block that it unmaps itself when it
 *     ends. One that is killed with the process leaves nothing to free.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "host/lock.h"
#include "process/gdb.h"
#include "process/signal_impl.h"

#define PAGE 4096u

/* ---- blocks ------------------------------------------------------------- */

static struct thread *
block_thread(void *block)
{
	return (struct thread *)((char *)block + THREAD_BLOCK_SIZE - align_up(sizeof(struct thread), 64));
}

static void *
block_stack_top(void *block)
{
	return block_thread(block);
}

struct thread *
thread_current(void)
{
	uintptr_t sp = (uintptr_t)__builtin_frame_address(0);

	return block_thread((void *)(sp & ~(uintptr_t)(THREAD_BLOCK_SIZE - 1)));
}

static void *
block_alloc(void)
{
	char *pages = pages_alloc(2 * THREAD_BLOCK_SIZE), *block;

	if (!pages)
		return NULL;
	block = (char *)align_up((uintptr_t)pages, THREAD_BLOCK_SIZE);
	if (block != pages)
		RAW2(SYS_munmap, pages, block - pages);
	if (block + THREAD_BLOCK_SIZE != pages + 2 * THREAD_BLOCK_SIZE)
		RAW2(SYS_munmap, block + THREAD_BLOCK_SIZE, pages + THREAD_BLOCK_SIZE - block);
	RAW3(SYS_mprotect, block + THREAD_ALT_STACK_SIZE, PAGE, PROT_NONE);
	return block;
}

static void
list_add(struct thread *thread)
{
	struct process *process = thread->process;

	lock_take(&process->thread_lock);
	thread->next = process->threads;
	if (thread->next)
		thread->next->previous = thread;
	process->threads = thread;
	process->thread_count++;
	lock_drop(&process->thread_lock);
}

/* Returns how many are left. */
static unsigned
list_remove(struct thread *thread)
{
	struct process *process = thread->process;
	unsigned left;

	lock_take(&process->thread_lock);
	if (thread->previous)
		thread->previous->next = thread->next;
	else
		process->threads = thread->next;
	if (thread->next)
		thread->next->previous = thread->previous;
	left = --process->thread_count;
	lock_drop(&process->thread_lock);
	return left;
}

static void
signals_drop(struct signal_table *table)
{
	if (!__atomic_sub_fetch(&table->users, 1, __ATOMIC_ACQ_REL))
		pages_free(table, sizeof *table);
}

struct thread *
thread_new(struct process *process, struct error *error)
{
	void *block = block_alloc();
	struct thread *thread;

	if (!block) {
		error_set(error, ENOMEM, "no memory for a thread's stacks");
		return NULL;
	}
	thread = block_thread(block);
	thread->process = process;
	thread->block = block;
	if (vcpu_init(&thread->vcpu, &process->cpu_space, &process->cpu_options, error)) {
		pages_free(block, THREAD_BLOCK_SIZE);
		return NULL;
	}
	thread->vcpu.owner = thread;
	thread->tid = (int)RAW0(SYS_gettid);
	thread->signals = process->signals;
	__atomic_add_fetch(&thread->signals->users, 1, __ATOMIC_RELAXED);
	list_add(thread);
	return thread;
}

/* All but the block. */
static void
thread_fini(struct thread *thread)
{
	vcpu_fini(&thread->vcpu);
	arena_fini(&thread->arena);
	seccomp_fini(thread);
	signals_drop(thread->signals);
}

void
thread_free(struct thread *thread)
{
	list_remove(thread);
	thread_fini(thread);
	pages_free(thread->block, THREAD_BLOCK_SIZE);
}

/* ---- running ------------------------------------------------------------ */

/* Runs guest code. Either the one who writes a core file sees us inside, or we
 * see that we may not enter; then the kernel ends us here. */
static void
run_inside(struct thread *thread, struct cpu_stop *stop)
{
	struct process *process = thread->process;

	__atomic_store_n(&thread->inside, 1, __ATOMIC_SEQ_CST);
	if (UNLIKELY(__atomic_load_n(&process->dying, __ATOMIC_SEQ_CST)) && !thread->vfork_child) {
		__atomic_store_n(&thread->inside, 0, __ATOMIC_SEQ_CST);
		for (;;)
			RAW4(SYS_ppoll, NULL, 0, NULL, NULL);
	}
	if (UNLIKELY(process->gdb != NULL))
		gdb_run(thread, stop);
	else if (UNLIKELY(thread->trace.active) && thread->trace.how == TRACE_STEP)
		cpu_step(&thread->vcpu, stop);
	else
		cpu_run(&thread->vcpu, stop);
	__atomic_store_n(&thread->inside, 0, __ATOMIC_RELEASE);
}

static _Noreturn void
run(struct thread *thread)
{
	struct cpu_stop stop;

	for (;;) {
		signal_deliver(thread);
		if (UNLIKELY(thread->trace.active))
			trace_run(thread);
		run_inside(thread, &stop);
		/* Poll, or a call or trap that a signal comes before. */
		if (stop.kind == CPU_STOP_POLL || __atomic_load_n(&thread->staged, __ATOMIC_RELAXED) ||
		    UNLIKELY(thread->trace.held != TRACE_NONE)) {
			if (UNLIKELY(thread->trace.active) && stop.kind == CPU_STOP_POLL)
				trace_ran(thread);
			continue;
		}
		if (stop.trap == IR_TRAP_SYSCALL)
			syscall_dispatch(thread, &stop);
		else
			signal_from_trap(thread, &stop);
		if (UNLIKELY(thread->process->gdb != NULL))
			gdb_ran(thread);
		if (UNLIKELY(thread->trace.active))
			trace_ran(thread);
	}
}

/* For lock_identify: all code that takes locks from here on runs on the stack of
 * a guest thread. */
static uint32_t
thread_number(void)
{
	return (uint32_t)thread_current()->tid;
}

/* First code on a thread's own stack; all signals are held. */
static void
begin(struct thread *thread)
{
	thread->tid = (int)RAW0(SYS_gettid);
	lock_identify(thread_number);
	host_signal_stack(thread->block, THREAD_ALT_STACK_SIZE);
	if (thread->drop_handlers)
		signal_drop_handlers(thread);
}

static void
start(void *argument)
{
	struct thread *thread = argument;

	begin(thread);
	signal_release(thread);
	run(thread);
}

static void
start_first(void *argument)
{
	struct thread *thread = argument;

	begin(thread);
	if (thread->process->gdb)
		gdb_start(thread);
	if (thread->trace.active)
		trace_exec(thread);
	signal_release(thread);
	run(thread);
}

void
thread_enter(struct thread *thread)
{
	/* A program starts with the mask it inherits. */
	host_signal_mask(SIGNAL_HELD, &thread->mask);
	host_stack_enter(block_stack_top(thread->block), start_first, thread);
}

struct thread *
thread_service(struct process *process, void (*function)(void *thread))
{
	void *block = block_alloc();
	struct thread *thread;
	long result;

	if (!block)
		return NULL;
	thread = block_thread(block);
	thread->process = process;
	thread->block = block;
	result = host_clone(CLONE_UNTRACED | CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
			    block_stack_top(block), NULL, NULL, function, thread);
	if (result > 0)
		return thread;
	pages_free(block, THREAD_BLOCK_SIZE);
	return NULL;
}

/* ---- clone -------------------------------------------------------------- */

static struct signal_table *
signals_copy(struct signal_table *from)
{
	struct signal_table *table = pages_alloc(sizeof *table);

	if (!table)
		return NULL;
	lock_take(&from->lock);
	memcpy(table->action, from->action, sizeof table->action);
	lock_drop(&from->lock);
	table->users = 1;
	return table;
}

/* A thread that starts as a copy of its parent, with its own block. */
static struct thread *
thread_copy(struct thread *parent, uint64_t flags)
{
	struct thread *child = thread_new(parent->process, NULL);
	struct ir_frame *to, *from = parent->vcpu.frame;

	if (!child)
		return NULL;
	signals_drop(child->signals);
	child->signals = flags & CLONE_SIGHAND ? parent->signals : signals_copy(parent->signals);
	if (!child->signals) {
		child->signals = parent->signals;
		__atomic_add_fetch(&parent->signals->users, 1, __ATOMIC_RELAXED);
		thread_free(child);
		return NULL;
	}
	if (flags & CLONE_SIGHAND)
		__atomic_add_fetch(&parent->signals->users, 1, __ATOMIC_RELAXED);
	child->mask = parent->mask;
	child->vector_next = parent->vector_next;
	child->alt_flags = SS_DISABLE;
	if (flags & CLONE_VFORK) { /* else it has no alternate stack (copy_thread) */
		child->alt_stack = parent->alt_stack;
		child->alt_size = parent->alt_size;
		child->alt_flags = parent->alt_flags;
	}
	to = child->vcpu.frame;
	memcpy(to->guest, from->guest, sizeof to->guest);
	to->pc = from->pc;
	to->mode = from->mode;
	to->fp_flags = from->fp_flags;
	to->fp_round = from->fp_round;
	cpu_state_changed(&child->vcpu);
	seccomp_inherit(child, parent);
	child->debug.go = GDB_CONTINUE;
	return child;
}

/* The host kernel's own call, with what it may see: TLS and handlers are the
 * emulator's. On top of a block the child runs start(child). */
static long
make_child(const struct host_clone_args *args, size_t size, struct thread *child)
{
	uint64_t flags = args->flags & ~(uint64_t)(CLONE_SETTLS | CLONE3_CLEAR_SIGHAND);
	struct host_clone_args host = *args;

	if (!size)
		return host_clone(flags | args->exit_signal, child ? block_stack_top(child->block) : NULL,
				  (void *)args->parent_tid, (void *)args->child_tid, start, child);
	host.flags = flags;
	host.stack = child ? (uintptr_t)child->block : 0;
	host.stack_size = child ? (uintptr_t)block_stack_top(child->block) - (uintptr_t)child->block : 0;
	host.tls = 0;
	return host_clone3(&host, size, child ? start : NULL, child);
}

static long
clone_shared(struct thread *child, const struct host_clone_args *args, size_t size)
{
	struct process *process = child->process;
	long result;

	child->vfork_child = args->flags & CLONE_VFORK;
	child->drop_handlers = args->flags & CLONE3_CLEAR_SIGHAND;
	if (child->vfork_child)
		gdb_vfork(child->process, true);
	result = make_child(args, size, child);
	if (args->flags & CLONE_VFORK)
		gdb_vfork(process, false);
	/* A vfork child has left our memory, or is dead, or never was. */
	if (result < 0 || (args->flags & CLONE_VFORK))
		thread_free(child);
	return result;
}

/* In the child of a fork: the other threads are not here. */
static void
fork_forget_others(struct thread *self)
{
	struct process *process = self->process;
	struct thread *thread = process->threads;

	while (thread) {
		struct thread *next = thread->next;

		if (thread != self) {
			vcpu_fini(&thread->vcpu);
			arena_fini(&thread->arena);
			pages_free(thread->block, THREAD_BLOCK_SIZE);
		}
		thread = next;
	}
	self->next = self->previous = NULL;
	process->threads = self;
	process->thread_count = 1;
	process->tracees = NULL; /* what it traces is the parent's; its pages are let be */
}

static long
clone_copied(struct thread *parent, const struct host_clone_args *args, size_t size)
{
	struct process *process = parent->process;
	struct signal_table *signals = parent->signals;
	long result;

	lock_take(&process->thread_lock);
	lock_take(&signals->lock);
	space_fork_before(process->space); /* outside the engine's lock: space_watch.c */
	cpu_fork_before(&process->cpu_space);
	result = make_child(args, size, NULL);
	if (!result)
		parent->tid = (int)RAW0(SYS_gettid); /* first: locks ask for it */
	cpu_fork_after(&process->cpu_space, !result);
	space_fork_after(process->space, !result);
	if (result) {
		lock_drop(&signals->lock);
		lock_drop(&process->thread_lock);
		return result;
	}
	lock_reset(&signals->lock);
	lock_reset(&process->thread_lock);
	/* The pages are the child's own now, whoever shared the table before:
	 * one use by the process, one by its thread. */
	signals->users = 2;
	process->signals = signals;
	parent->vfork_child = false;
	parent->pending_sync = 0;
	keep_fork(process);
	fork_forget_others(parent);
	gdb_forked(parent);
	if (args->flags & CLONE3_CLEAR_SIGHAND)
		signal_drop_handlers(parent);
	return 0;
}

int64_t
thread_clone(struct thread *parent, const struct host_clone_args *args, size_t size)
{
	const struct abi *abi = parent->process->abi;
	bool settls = args->flags & CLONE_SETTLS, shared = args->flags & CLONE_VM;
	uint64_t clear = args->flags & CLONE_CHILD_CLEARTID ? args->child_tid : 0;
	struct host_clone_args host = *args;
	int64_t result = signal_hold(parent);
	struct thread *child = NULL;

	if (result)
		return result;
	host.pidfd = (uintptr_t)guest_buffer(parent, args->pidfd, 4, args->flags & CLONE_PIDFD);
	host.parent_tid = (uintptr_t)guest_buffer(parent, args->parent_tid, 4, args->flags & CLONE_PARENT_SETTID);
	host.child_tid = (uintptr_t)guest_buffer(parent, args->child_tid, 4,
						 args->flags & (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID));
	host.set_tid = (uintptr_t)guest_buffer(parent, args->set_tid, 4, false);
	if (shared) {
		child = thread_copy(parent, args->flags);
		if (!child) {
			signal_release(parent);
			return -EAGAIN;
		}
		child->clear_child_tid = clear;
		abi->child(child->vcpu.frame, args->stack, settls, args->tls);
		result = clone_shared(child, &host, size);
	} else {
		result = clone_copied(parent, &host, size);
		if (!result) {
			parent->clear_child_tid = clear;
			abi->child(parent->vcpu.frame, args->stack, settls, args->tls);
			cpu_state_changed(&parent->vcpu);
		}
	}
	signal_release(parent);
	return result;
}

/* ---- the end ------------------------------------------------------------ */

void
process_exit(struct process *process, int status)
{
	keep_save(thread_current());
	gdb_ends(thread_current(), 'W', status);
	process_stats(process);
	for (;;)
		RAW1(SYS_exit_group, status);
}

void
thread_exit(struct thread *thread, int status)
{
	void *block = thread->block;

	if (thread->process->thread_count == 1)
		keep_save(thread);
	host_signal_mask(SIGNAL_HELD, NULL);
	robust_exit(thread);
	host_signal_mask(~(uint64_t)0, NULL);
	/* The kernel is about to write there, and would say nothing if it could
	 * not: whoever joins this thread would wait for ever. */
	space_unwatch(thread->process->space, thread->clear_child_tid, thread->clear_child_tid ? 4 : 0);
	if (thread->vfork_child)
		for (;;)
			RAW1(SYS_exit, status);
	if (list_remove(thread) == 0) {
		gdb_ends(thread, 'W', status);
		process_stats(thread->process);
		for (;;) /* a debugger's thread must not stay */
			RAW1(thread->process->gdb ? SYS_exit_group : SYS_exit, status);
	}
	thread_fini(thread);
	host_exit_unmap(block, THREAD_BLOCK_SIZE, status);
}

#if defined(ISOMORPH_SANITIZE) && !defined(__clang__)
/* AddressSanitizer calls this before functions that do not return, to clear
 * marks from the stack that it takes the thread to be on. It does not know the
 * stacks of guest threads and warns of them each time; nothing that we leave for
 * good is returned to, so there is nothing to clear. GCC's run time is a shared
 * library, which this definition comes before. */
void __asan_handle_no_return(void);
const char *__asan_default_options(void);

/* What the process inherits of ignored signals must be left as it is. */
const char *
__asan_default_options(void)
{
	return "handle_segv=0:handle_sigbus=0:handle_sigill=0:handle_sigfpe=0:handle_abort=0:use_sigaltstack=0";
}

void
__asan_handle_no_return(void)
{
}
#endif
