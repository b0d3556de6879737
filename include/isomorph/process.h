/* Public API of process VMs: run one Linux program of another ISA.
 *
 * All strings are borrowed until isomorph_process_run returns. Not
 * thread-safe: one process VM is the host process it runs in.
 */
#ifndef ISOMORPH_PROCESS_H
#define ISOMORPH_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct isomorph_process_options {
	const char *program;      /* path; searched as execve does (no PATH) */
	const char *argv0;        /* -0: guest's argv[0]; NULL: as argv says */
	char **argv;              /* argv[0] is the program's name */
	char **envp;
	const char *sysroot;      /* -L: prefix tried for absolute paths of the
	                             ELF interpreter and libraries; NULL: none */
	const char *accel;        /* "translate", "interpret", "lockstep" */
	const char *dump;         /* -d stages, comma-separated; NULL: none */
	const char *log_file;     /* -D; NULL: standard error */
	bool strace;
	bool stats;
	bool force_faults;
	bool guest_base;          /* guest memory in a window of its own, not at
	                             its own addresses */
	unsigned baseline;        /* 2: only x86-64-v2 host features, 3: v3; 0: all */
	unsigned lockstep_sample; /* 1: every region */
	unsigned max_insns;       /* per region; 0: default */
	unsigned tier;            /* 1 or 2: the highest tier of translation */
	unsigned loop_heat;       /* jumps back after which tier 2 looks at a loop */
	unsigned vlen;            /* riscv64: bits of a vector register, 128 or 256;
	                             0: there is no V */
	uint64_t stack_bytes;     /* 0: RLIMIT_STACK */
	const char *uname_release;/* NULL: host's */
	const char *gdb;          /* -g: a TCP port of the loopback device, or the
	                             path of a socket: waits there for gdb; NULL */
	const char *cache;        /* directory of the translations that are kept,
	                             "off": none; NULL: the default one, if the
	                             user has a directory for caches */
	int execfd;               /* AT_EXECFD from binfmt, or -1 */
	const char *handover;     /* what one emulator tells the next across
	                             exec; NULL at a first start */
};

/* Runs the program; returns only when it could not be started: the exit code
 * a shell would give (126 not executable, 127 not found, 125 no resources),
 * after one line on standard error. The guest's own exit ends the host
 * process with the same status or signal. */
int isomorph_process_run(const struct isomorph_process_options *options);

#endif
