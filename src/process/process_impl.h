/* process/: process VMs, private to the folder. One Linux program of another
 * ISA on the host's kernel.
 *
 *   process.c   start, options, the life of struct process
 *   keep.c      translations kept on disk
 *   space.c     the guest's mappings: tree, protection, brk, watched pages
 *   elf.c stack.c vdso.c exec.c proc_view.c     loading and what a program sees
 *   thread.c    guest threads: host thread blocks, clone, vfork, the run loop
 *   signal.c    host signals staged, guest frames delivered at safepoints
 *   core*.c     core files
 *   trace.c     ptrace between guests
 *   linux/      system calls: syscalls.tab and its handlers by concern
 *   riscv64.c aarch64.c   the ABI of a guest ISA (struct abi); abi.c lists them
 *
 * Rules. Code here runs on guest threads: raw system calls (base/raw.h), no
 * libc malloc, stdio, errno. A guest pointer is a uint64_t until
 * guest_pointer() made it a host pointer; guest memory is read and written
 * through mem_read/mem_write, which fail with -EFAULT instead of faulting.
 * System-call handlers return what the kernel would: a value or -errno.
 */
#ifndef PROCESS_PROCESS_IMPL_H
#define PROCESS_PROCESS_IMPL_H

#include <signal.h>
#include <sys/resource.h>

#include "base/raw.h"
#include "cpu/cpu.h"
#include "isomorph/process.h"
#include "process/trace.h"
#include "store/store.h"

struct process;
struct thread;

/* ---- the guest's mappings: space.c -------------------------------------- */

/* One mapping of the guest, page-aligned; neighbours that are alike may be
 * merged. */
struct mapping {
	uint64_t start, end;
	uint32_t prot;      /* PROT_* the guest asked for */
	uint32_t flags;     /* MAP_SHARED/PRIVATE, MAP_GROWSDOWN, MAPPING_… */
	uint64_t file_base; /* guest address of file offset 0 of the module it
	                       belongs to (code anchor); 0: none */
	uint64_t offset;
	uint64_t device, inode; /* 0: anonymous */
};

/* Beside the MAP_* bits in mapping.flags. */
enum {
	MAPPING_NOEXEC = 1 << 30,    /* of a file on a noexec file system */
	MAPPING_RESERVED = 1 << 29,  /* the emulator's own: not the guest's to see or touch */
	MAPPING_DONTFORK = 1 << 28,  /* MADV_DONTFORK: not in a fork's child */
	MAPPING_DONTDUMP = 1 << 27,  /* MADV_DONTDUMP: not in a core file */
};

struct space; /* tree of mappings under a futex lock; opaque outside space.c */

/* Limits: guest addresses are in [minimum, size). */
struct space *space_new(struct process *process, struct error *error);
void space_free(struct space *);
/* RLIMIT_AS, RLIMIT_DATA and RLIMIT_STACK are the guest's own, kept here (the
 * host's count the emulator too; STACK is also set at the host, which grows
 * the stack). True for these three, with *result 0 or -errno; set and old may be
 * NULL. Other resources: false, the caller asks the host. */
bool space_rlimit(struct space *, int resource, const struct rlimit *set, struct rlimit *old, int64_t *result);
uint64_t space_size(const struct space *space);
/* For address-space randomisation: up to 2^bits pages, in bytes; 0 when the
 * personality says so. */
uint64_t space_random(const struct space *space, unsigned bits);
/* mmap and friends with kernel semantics on the guest's tree. Addresses are
 * guest addresses. Return address/0 or -errno. */
int64_t space_mmap(struct space *, uint64_t address, uint64_t length, int prot, int flags, int fd, uint64_t offset);
int64_t space_munmap(struct space *, uint64_t address, uint64_t length);
int64_t space_mprotect(struct space *, uint64_t address, uint64_t length, int prot);
int64_t space_mremap(struct space *, uint64_t old, uint64_t old_length, uint64_t new_length, int flags, uint64_t new_address);
int64_t space_madvise(struct space *, uint64_t address, uint64_t length, int advice);
int64_t space_brk(struct space *, uint64_t address);
void space_set_brk(struct space *, uint64_t start);
/* A mapping made by others (shmat): records it. */
void space_note(struct space *, const struct mapping *mapping);
void space_forget(struct space *, uint64_t address, uint64_t length);
/* Copies the mapping that holds address; false if none. */
bool space_find(struct space *, uint64_t address, struct mapping *out);
/* The next mapping that ends after address, for iteration in order; never a
 * reserved one. */
bool space_next(struct space *, uint64_t address, struct mapping *out);
/* Access fault at a guest address: true if the guest may write to the page, which
 * was, or was a moment ago, watched for translated code; the watch is gone,
 * translations are invalid: retry. */
bool space_unwatch_fault(struct space *, uint64_t address);
/* Before the kernel writes to guest memory for us: lifts watches in
 * [address, address + length). Cheap when there are none there. */
void space_unwatch(struct space *, uint64_t address, uint64_t length);
void space_fork_before(struct space *);
void space_fork_after(struct space *, bool child);

/* ---- guest memory ------------------------------------------------------- */

/* Host pointer for a guest address; no check at all. */
void *guest_pointer(const struct process *process, uint64_t address);
/* Copies; 0 or -EFAULT. Never faults. Lifts code watches where they write. */
int mem_read(struct thread *thread, void *to, uint64_t from, size_t size);
int mem_write(struct thread *thread, uint64_t to, const void *from, size_t size);
/* Length of the string at address, up to limit; -EFAULT, -ENAMETOOLONG. */
int64_t mem_string(struct thread *thread, uint64_t address, char *to, size_t limit);

/* ---- the ABI of a guest ISA --------------------------------------------- */

struct abi_regs { uint64_t number; uint64_t argument[6]; };

/* Columns of syscalls.tab. */
enum abi_column { ABI_COLUMN_RISCV64, ABI_COLUMN_AARCH64 };

/* Flag of struct sigaction, where it has sa_restorer; libc's headers hide it. */
#define ABI_SA_RESTORER 0x04000000u

struct process;

struct abi {
	const struct guest *guest;
	const char *machine;     /* uname -m */
	const char *platform;    /* AT_PLATFORM or NULL */
	uint64_t (*hwcap)(const struct process *process);
	uint64_t (*hwcap2)(void);
	uint64_t address_limit;  /* user address-space size of this ISA */
	uint64_t (*signal_stack_minimum)(const struct process *process); /* AT_MINSIGSTKSZ */
	uint64_t alternate_stack_minimum; /* of sigaltstack: MINSIGSTKSZ */

	/* System calls: numbers index the table generated from syscalls.tab. */
	enum abi_column syscall_column;
	uint32_t audit_arch;     /* AUDIT_ARCH_* of linux/audit.h */
	bool sigaction_restorer; /* struct sigaction has sa_restorer */
	bool misaligned_at_data; /* si_addr of a misaligned access is its address,
	                            not that of the instruction */
	/* The guest's O_ flags as the host's, and the host's as the guest's; NULL:
	 * they are equal. */
	uint64_t (*open_flags)(uint64_t flags);
	/* What a system call clobbers, before it is made; NULL: nothing. */
	void (*syscall_enter)(struct ir_frame *frame);
	void (*syscall_read)(const struct ir_frame *frame, struct abi_regs *regs);
	void (*syscall_result)(struct ir_frame *frame, uint64_t result);
	uint64_t (*syscall_result_read)(const struct ir_frame *frame);

	/* Process start: registers for a fresh program. */
	void (*start)(const struct process *process, struct ir_frame *frame, uint64_t entry, uint64_t stack);
	/* A clone's child: return value 0, its stack (0: unchanged), its TLS. */
	void (*child)(struct ir_frame *frame, uint64_t stack, bool set_tls, uint64_t tls);

	/* Signal frames. push: writes the frame below stack (alternate stack
	 * already chosen) and sets pc, arguments; -EFAULT if it cannot.
	 * pop: the reverse, from the frame's stack pointer. masks are the
	 * kernel's 64-bit sets. */
	int (*signal_push)(struct thread *thread, int signal, const void *siginfo, uint64_t handler,
			   uint64_t restorer, uint64_t flags, uint64_t stack, uint64_t mask);
	int (*signal_pop)(struct thread *thread, uint64_t *mask);
	/* What the processor would tell of a memory fault, for thread.fault_code;
	 * code: si_code of its SIGSEGV. NULL: signal frames do not show it. */
	uint32_t (*fault_code)(const struct cpu_stop *stop, int code);
	uint64_t (*stack_pointer)(const struct ir_frame *frame);

	const struct debug_registers *debug; /* debug.h */

	/* The vdso image (a small ELF file of this ISA) and in it the address
	 * of the signal return code. */
	const uint8_t *vdso;
	size_t vdso_size;
	uint64_t vdso_sigreturn; /* offset */
	uint64_t vdso_entry;     /* unused where 0 */

	/* Text of /proc/cpuinfo for cpu n; returns its length. */
	int (*cpuinfo)(const struct process *process, char *text, size_t size, unsigned cpu);
	/* ISA-specific system calls (riscv_hwprobe, riscv_flush_icache). */
};
extern const struct abi abi_aarch64, abi_riscv64;
const struct abi *abi_of(const struct guest *guest);

/* ---- process and thread ------------------------------------------------- */

#define GUEST_SIGNALS 64

struct signal_action { /* as the guest set it */
	uint64_t handler; /* guest address, SIG_DFL 0 or SIG_IGN 1 */
	uint64_t flags;   /* SA_* */
	uint64_t restorer;
	uint64_t mask;
};

/* What CLONE_SIGHAND shares. */
struct signal_table {
	uint32_t lock;  /* host/lock.h */
	uint32_t users; /* threads */
	struct signal_action action[GUEST_SIGNALS + 1];
};

/* stack_t in the kernel's 64-bit layout. */
struct signal_stack {
	uint64_t base;
	int32_t flags;
	uint32_t pad;
	uint64_t size;
};

struct host_clone_args;

/* Stores of translations, one for each file whose code was mapped: keep.c. */
struct keep {
	struct store_home home;
	struct vec files; /* of struct keep_file */
};

struct process {
	const struct isomorph_process_options *options;
	const struct guest *guest;
	const struct abi *abi;
	struct cpu_options cpu_options;
	struct cpu_space cpu_space;
	struct space *space;
	uint64_t guest_base;

	/* what /proc/self shows */
	char exe_path[4096];      /* resolved guest program, "" unknown */
	uint64_t argument_start, argument_end, environment_start, environment_end;
	uint64_t auxv_address, auxv_size, stack_top, entry;
	uint64_t code_start, code_end, brk_start;
	char sysroot[4096];       /* "" for none */
	char self_path[4096];     /* the emulator's own binary; "" if unknown */
	int self_fd;              /* hidden descriptor on it, or -1 */

	uint64_t vdso_address, sigreturn_address;
	bool host_shows; /* the host's /proc shows the guest's arguments itself */

	struct gdb *gdb; /* gdb.h; NULL without a debugger */
	struct signal_table *signals; /* the first thread's, from signal_init */
	/* Threads of this address space, vfork children too: host/lock.h. */
	uint32_t thread_lock;
	struct thread *threads;
	unsigned thread_count;
	struct keep keep;
	struct tracees *tracees; /* threads that it traces: linux/tracee.h; NULL: none yet */
	bool writes_memory; /* has had a /proc/PID/mem open for writing */
	uint32_t dying;    /* a thread writes a core file: no other enters guest code */
	bool dumps_core;   /* the limit on core files is not 0: core.h */
	bool strace;
	uint64_t unknown_calls[16]; /* set of numbers that were logged */
};

/* Block of a guest thread: aligned to its size, so that a masked stack pointer
 * finds it from a signal handler as from C. */
#define THREAD_BLOCK_SIZE (256u << 10)
#define THREAD_PINS 8u

struct thread {
	struct process *process;
	struct vcpu vcpu;
	struct thread *next, *previous;
	struct arena arena;       /* dies with the thread (thread_free calls
	                             arena_fini): exec's vectors, which a vfork
	                             child cannot free once it has gone */
	int tid;                  /* host's, and the guest's */
	/* Where the system call that is being made may write, so that no page of
	 * it is closed meanwhile (space_watch.c). */
	struct { uint64_t start, end; } pin[THREAD_PINS];
	uint32_t pins;
	uint64_t clear_child_tid; /* guest address or 0 */
	uint64_t robust_list, robust_list_size;
	uint32_t vector_next; /* riscv64: PR_RISCV_V_SET_CONTROL's bits for after execve */

	/* signals: see signal.c */
	uint64_t mask;            /* the guest's blocked set */
	uint64_t saved_mask;      /* sigsuspend, ppoll …: restored after delivery */
	bool has_saved_mask;
	uint64_t alt_stack, alt_size; /* sigaltstack */
	uint32_t alt_flags;
	uint64_t fault_address;   /* of the last memory fault */
	uint32_t fault_code;      /* abi.fault_code of it; 0: none yet */
	struct signal_table *signals;
	uint32_t staged;          /* a staged signal's number or 0 */
	siginfo_t staged_info;
	uint64_t pending_sync;    /* synchronous signals that were sent while
	                             the guest blocks them (the host does not) */
	siginfo_t pending_info[5];
	/* seccomp: enum of linux/seccomp.h, and the newest filter (sys_seccomp.c). */
	uint32_t seccomp_mode;
	struct seccomp_filter *seccomp;
	/* Under a debugger: gdb.h. */
	struct {
		uint32_t go;     /* enum gdb_go */
		uint32_t event;  /* enum gdb_event: waits to be told, or for the answer */
		uint32_t inside; /* runs guest code */
		bool stepping;   /* one instruction, and that is to be told */
		bool changed;    /* registers were written: cpu_state_changed */
		int signal;      /* of the event */
		int deliver;     /* what becomes of it; 0: nothing */
		siginfo_t info;
	} debug;
	struct trace trace;       /* by another guest: trace.h */
	uint32_t inside;          /* in cpu_run: its frame may be inexact */
	void *block;              /* its thread block */
	bool vfork_child;         /* the parent frees it */
	bool drop_handlers;       /* CLONE_CLEAR_SIGHAND: at its start */
};

/* A system call's guest buffer as the host kernel may be handed it: NULL for 0,
 * an address no kernel accepts (EFAULT, in the kernel's own order of checks) for
 * one beyond the guest's space. write: the kernel will write size bytes there,
 * until the call has returned to the dispatch. */
void *guest_buffer(struct thread *thread, uint64_t address, uint64_t size, bool write);

/* The thread that runs on this stack (any stack of its block). */
struct thread *thread_current(void);

/* thread.c: allocates a block, thread and vCPU. */
#define THREAD_ALT_STACK_SIZE (48u << 10) /* from the block's start: a frame with all vector and tile registers takes 12 KiB */
struct thread *thread_new(struct process *process, struct error *error);
/* A block for a host thread that never runs guest code, with no vCPU and in no
 * list; it runs function(block's struct thread), which must not return, with all
 * signals blocked as the caller has them. NULL: no memory. */
struct thread *thread_service(struct process *process, void (*function)(void *thread));
void thread_free(struct thread *thread);
/* Switches to the thread's own stack and runs it; never returns. */
_Noreturn void thread_enter(struct thread *thread);
/* Flags of clone3 alone; not every libc's headers have them. */
#define CLONE3_CLEAR_SIGHAND 0x100000000ull
#define CLONE3_INTO_CGROUP 0x200000000ull

/* clone, clone3, fork, vfork with the kernel's flags. args holds guest addresses
 * and descriptors; its stack is the initial stack pointer, stack_size is not
 * used. size is clone3's, 0 for the older calls. */
int64_t thread_clone(struct thread *parent, const struct host_clone_args *args, size_t size);
_Noreturn void thread_exit(struct thread *thread, int status);
_Noreturn void process_exit(struct process *process, int status);

/* robust.c: what the kernel cannot do for an ending thread with a guest base. */
void robust_exit(struct thread *thread);

/* signal.c */
int signal_init(struct process *process, struct error *error);
/* The alternate stack as sigaltstack and uc_stack show it to a guest whose stack
 * pointer is sp; and setting it (0, -EPERM, -EINVAL, -ENOMEM). For signal_push
 * and signal_pop: get before push's stack is chosen is what the frame holds; push
 * must leave a stack pointer that it could write at or fail. */
void signal_alt_get(const struct thread *thread, uint64_t sp, struct signal_stack *out);
int signal_alt_set(struct thread *thread, uint64_t sp, const struct signal_stack *in);
/* A trap of the thread's vCPU that is a signal to the guest. */
void signal_from_trap(struct thread *thread, const struct cpu_stop *stop);
/* Delivers what is staged; called at safepoints, before guest code goes on. */
void signal_deliver(struct thread *thread);
/* The host's execveat with the dispositions and the blocked set that the guest's
 * next program must inherit. Returns only on failure, -errno, or
 * SIGNAL_INTERRUPTED (nothing done; pass it on). */
int64_t signal_execveat(struct thread *thread, int dirfd, const char *path, char **argv, char **envp, int flags);
/* A host system call that may block: made in a window of assembly so that a
 * signal that comes before or during it is seen (INTERRUPTED: not begun or to
 * be restarted: deliver first, then the guest's call is made again). */
#define SIGNAL_INTERRUPTED (-512) /* HOST_INTERRUPTED */
long signal_syscall(struct thread *thread, long nr, long a, long b, long c, long d, long e, long f);

/* Dies as the guest would by this signal (default action, core if so). info may
 * be NULL. The thread must be at a safepoint. */
_Noreturn void signal_die(struct thread *thread, int signal, const siginfo_t *info);
/* The limit on the size of core files may have changed. */
void signal_core_limit(struct thread *thread);

/* keep.c: translations that are kept from run to run. */
void keep_init(struct process *process);
/* Code of this file has been mapped. */
void keep_file(struct process *process, int fd);
/* The store of a file, NULL if it has none. */
struct store *keep_find(const struct process *process, uint64_t device, uint64_t inode);
/* Before the process ends or becomes another program. */
void keep_save(struct thread *thread);
/* In the child of a fork: what was translated so far is the parent's to keep. */
void keep_fork(struct process *process);

/* linux/: one guest system call, from the registers to the result; may not
 * return (exit, exec). */
void syscall_dispatch(struct thread *thread, const struct cpu_stop *stop);

/* linux/sys_seccomp.c: the filters of a new thread; of one that ends; and across
 * exec: a descriptor to read them from again, -1 if there are none, -errno; read
 * closes it and is false for what is none of ours. */
void seccomp_inherit(struct thread *child, const struct thread *parent);
void seccomp_fini(struct thread *thread);
int seccomp_write(const struct thread *thread);
bool seccomp_read(struct thread *thread, int fd);

/* process.c: --stats, called once before the process ends; nothing without. */
void process_stats(struct process *process);

/* process.c: what every exit and exec of the emulator itself needs to know. The
 * descriptors that are ours and that the guest may neither close nor see. */
bool process_owns_fd(const struct process *process, int fd);
/* The same as a list in ascending order; returns how many. */
#define PROCESS_FDS_MAX 5u
unsigned process_own_fds(const struct process *process, int fds[PROCESS_FDS_MAX]);
/* Moves a descriptor up, out of the guest's way, and marks it close-on-exec. -1
 * stays -1. */
int hide_fd(long fd);

/* exec_find.c: what a path leads to, as execve would: through scripts to the
 * program that the kernel would load. */
enum exec_kind { EXEC_GUEST, EXEC_HOST };
struct exec_target {
	enum exec_kind kind;
	int fd;                     /* GUEST: the program, open, close-on-exec */
	const struct guest *guest;  /* GUEST: its ISA */
	const char *path;           /* of the program, as the guest names it */
	const char *name;           /* of what was asked for (AT_EXECFN) */
	char *host_path;            /* of what was asked for */
	char **prefix;              /* scripts: what stands for argv[0] */
	size_t prefix_count;
};
/* 0 or -errno; all but fd is in the arena. dirfd and flags as execveat's. */
int64_t exec_find(const struct process *process, struct arena *arena, int dirfd, const char *path,
		  int flags, struct exec_target *target);

/* What one emulator tells the next across exec, as text in an option. */
struct handover {
	bool given;
	int self_fd;    /* the emulator's own file, or -1 */
	int program_fd; /* the program, or -1 */
	int filters_fd; /* seccomp's filters (sys_seccomp.c), or -1 */
	int traced;     /* 0, or 1 + enum trace_how */
	struct rlimit limit_as, limit_data;
};
/* exec.c: text to fields; false when it is not what exec.c wrote. */
bool handover_read(struct handover *handover, const char *text);

/* exec.c: execve of guest, host and script programs; returns only on failure
 * (-errno). */
int64_t exec_program(struct thread *thread, int dirfd, const char *path, uint64_t argv, uint64_t envp, int flags);
/* elf.c: loads the program and its interpreter; fills process->entry etc. */
struct elf_image { uint64_t entry, base, phdr, start, end, brk; unsigned phnum; uint64_t interpreter_base, interpreter_entry; uint32_t stack_flags; };
int elf_load(struct process *process, int fd, const char *path, struct elf_image *image, struct error *error);
/* stack.c: builds argv, envp, auxv; returns the stack pointer. */
int stack_build(struct process *process, const struct elf_image *image, char **argv, char **envp, uint64_t *sp, struct error *error);

/* proc_view.c: opens a guest's view of a /proc file in place of the host's
 * (/proc/self/exe, maps, auxv, cmdline, stat, /proc/cpuinfo …). Returns a
 * descriptor, -errno, or PROC_VIEW_NONE for paths that are no such view. */
enum { PROC_VIEW_NONE = -4097 };
int64_t proc_view_open(struct thread *thread, int dirfd, const char *path, int flags, int mode);
int64_t proc_view_readlink(struct thread *thread, int dirfd, const char *path, char *buffer, size_t size);
/* A guest path to the host's: the sysroot comes first for absolute paths that
 * exist there (as -L asks). Returns path itself or text in buffer. */
const char *path_to_host(const struct process *process, const char *path, char *buffer, size_t size);
/* The same for calls that do not follow a link in the last component (lstat,
 * readlink, unlink, rename, O_NOFOLLOW …). */
const char *path_to_host_nofollow(const struct process *process, const char *path, char *buffer, size_t size);
/* The absolute path of path without links, of the host; 0 or -errno. */
long path_real(const char *path, char *out, size_t size);
/* True for the names of the calling program's own file under /proc. */
bool proc_view_is_exe(const char *path);
/* The reverse, for texts that show host paths (getcwd, readlink): without the
 * sysroot's prefix where it has it. Points into path. */
const char *path_to_guest(const struct process *process, const char *path);

#endif
