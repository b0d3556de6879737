/* Core files of the guest (core(5)).
 *
 *   core.c       when one is written and where; the host's own must not be
 *   core_file.c  what is in it, as Linux's fs/binfmt_elf.c writes it
 *
 * A thread that dies by a signal whose default action is a core stops the others
 * out of guest code, so that their registers are exact, and writes the file
 * itself. One in a system call stays there, as it does in Linux.
 *
 * The limit on core files is looked at when the program starts and when it sets it;
 * while it is 0, signals that nobody handles are left to the host's kernel.
 */
#ifndef PROCESS_CORE_H
#define PROCESS_CORE_H

#include "process/process_impl.h"

/* True for signals whose default action writes a core. */
bool core_signal(int signal);
/* The process's limit in bytes. */
uint64_t core_limit(void);
/* Writes the guest's core if there is to be one, and sees to it that the host
 * writes none of the emulator in its place. The caller then ends the process by
 * signal; where it can be done its wait status will tell of the core. */
void core_dump(struct thread *thread, int signal, const siginfo_t *info);

/* Writes at most limit bytes to fd. The other threads are out of guest code; a
 * vfork child's core has its own registers only. Uses thread->arena. True if
 * all was written. */
bool core_write(struct thread *thread, int fd, uint64_t limit, int signal, const siginfo_t *info);

#endif
