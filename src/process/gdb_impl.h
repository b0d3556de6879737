/* The stub's insides; gdb.h tells how it works. */
#ifndef PROCESS_GDB_IMPL_H
#define PROCESS_GDB_IMPL_H

#include "process/debug.h"
#include "process/gdb.h"

#define PACKET_SIZE 0x4000u
#define BREAKPOINTS_MAX 1024u

struct gdb_breakpoint {
	uint64_t address;
	uint32_t size;     /* of the instruction; 0: a free slot */
	bool in;           /* memory has the trap */
	uint8_t original[4];
};

struct gdb {
	struct process *process;
	struct thread *server;  /* the service thread's block; runs no guest code */
	int listener, connection, wake; /* wake: an eventfd; descriptors are hidden */
	const char *path;       /* of the socket, removed at the first connection; or NULL */

	uint32_t stopped;       /* no thread enters guest code */
	uint32_t resumes;       /* futex: counts resumptions */
	uint32_t leaves;        /* futex: counts threads that left guest code while stopped */
	bool gone;              /* detached, or the connection broke: nothing stops any more */

	uint32_t send_lock;     /* for `out` */
	bool no_ack;
	uint64_t pass;          /* signals that are not reported */
	int current;            /* the thread that register packets are about */
	int reported;           /* the thread of the last stop reply, or 0 */

	struct gdb_breakpoint breakpoint[BREAKPOINTS_MAX];
	unsigned slots;         /* of breakpoint, that were ever used */

	char in[PACKET_SIZE], out[PACKET_SIZE + 8], reply[PACKET_SIZE], text[PACKET_SIZE];
	size_t in_used, text_length;
};

/* ---- gdb.c ---- */
struct thread *gdb_thread(struct gdb *gdb, int tid); /* 0: any; NULL: not there */
void gdb_stop_all(struct gdb *gdb);
/* Lets the threads go that are not to stay; the events of those that go are
 * answered. */
void gdb_resume(struct gdb *gdb);
/* A thread with something to report that is not to stay; NULL: none. */
struct thread *gdb_pending(struct gdb *gdb);
void gdb_detach(struct gdb *gdb);

/* ---- gdb_packet.c ---- */
/* The next packet's text into gdb->text, or a lone 0x03 as "\3". False: the
 * connection is closed. wait: until there is one; else "" if none is there. */
bool gdb_receive(struct gdb *gdb, bool wait);
/* Frames and sends text. Any thread. */
void gdb_send(struct gdb *gdb, const char *text, size_t length);
void gdb_send_text(struct gdb *gdb, const char *text);
/* Hexadecimal: appends bytes to text at *length; parses digits at *at. */
void hex_append(char *text, size_t *length, const void *bytes, size_t size);
uint64_t hex_number(const char **at);
/* Reads size bytes of two digits each; false at another character. */
bool hex_bytes(const char **at, void *bytes, size_t size);

/* ---- gdb_memory.c ---- */
/* As a debugger pokes: whatever the protection. 0 or -errno. */
int gdb_poke(struct gdb *gdb, uint64_t address, const void *data, size_t size);
/* How much could be read from address on. */
size_t gdb_peek(struct gdb *gdb, uint64_t address, void *data, size_t size);
bool gdb_insert(struct gdb *gdb, uint64_t address, unsigned size);
bool gdb_remove(struct gdb *gdb, uint64_t address);
bool gdb_has_breakpoint(const struct gdb *gdb, uint64_t address);
/* All of them into or out of memory. */
void gdb_breakpoints(struct gdb *gdb, bool in);

/* ---- gdb_command.c ---- */
/* Does what gdb->text says. True: the guest goes on (a reply comes later). */
bool gdb_command(struct gdb *gdb);
void gdb_stop_reply(struct gdb *gdb, const struct thread *thread, int signal);

/* ---- gdb_file.c: vFile packets ---- */
void gdb_file(struct gdb *gdb);

/* ---- gdb_query.c ---- */
void gdb_query(struct gdb *gdb);

#endif
