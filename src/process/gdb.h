/* The debugger's stub (-g): gdb's remote protocol (gdb's manual, appendix E) on
 * one connection, all threads stopping together.
 *
 *   gdb.c         guest threads: where they stop, what they report
 *   gdb_serve.c   the service thread: connection, stops and resumptions
 *   gdb_packet.c  packets, hexadecimal
 *   gdb_command.c registers, memory, breakpoints, vCont
 *   gdb_query.c   q packets
 *   gdb_file.c    the guest's files, to be read
 *   gdb_memory.c  breakpoints in memory
 *
 * The stub has a host thread of its own, which never runs guest code and blocks
 * all signals. It stops the guest by a flag that threads look at before they enter
 * guest code, and a poll of those that are inside. A thread that is in a system
 * call counts as stopped: it goes on in the kernel and waits when it comes back.
 *
 * A thread that has something to report (a breakpoint, a step, a signal about to
 * be delivered) writes it down, wakes the service thread and waits.
 *
 * The child of a fork is not debugged: its copy loses breakpoints and connection.
 * While a vfork child runs, the breakpoints are out of the memory it shares. A
 * program that is executed goes on without the debugger.
 */
#ifndef PROCESS_GDB_H
#define PROCESS_GDB_H

#include "process/process_impl.h"

/* ---- for the rest of the folder ------------------------------------------ */

/* Listens where options.gdb says: a TCP port of the loopback device, or the path
 * of a socket. 0 or -1. Fills process->gdb. */
int gdb_listen(struct process *process, struct error *error);
/* On the first thread, signals held: starts the service thread. The guest begins
 * stopped. */
void gdb_start(struct thread *thread);

/* What gdb sets of a thread, while the guest is stopped. */
enum gdb_go { GDB_STAY, GDB_CONTINUE, GDB_STEP };
enum gdb_event { GDB_NOTHING, GDB_BREAKPOINT, GDB_STEPPED, GDB_SIGNAL };

/* In place of cpu_run: waits while gdb holds the thread, may run one instruction
 * only. gdb_ran comes after the system call or trap that stop told of. */
void gdb_run(struct thread *thread, struct cpu_stop *stop);
void gdb_ran(struct thread *thread);
/* A signal is about to be delivered: the one that shall be, or 0 for none. */
int gdb_signal(struct thread *thread, int signal, const siginfo_t *info);
/* True when the breakpoint instruction at pc was gdb's, and was reported. */
bool gdb_breakpoint(struct thread *thread, uint64_t pc);
/* The process ends: tells gdb, by 'W' and a status or 'X' and a signal. */
void gdb_ends(struct thread *thread, char kind, int value);
/* A signal's number in gdb's own order (include/gdb/signals.def of gdb). */
unsigned gdb_signal_number(int signal);
/* In the child of a fork. */
void gdb_forked(struct thread *thread);
/* Around the life of a vfork child in this address space. */
void gdb_vfork(struct process *process, bool begins);

#endif
