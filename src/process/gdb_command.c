/* What gdb asks of registers and memory, and how the guest goes on. */
#include "process/gdb_impl.h"

#include <string.h>
#include <sys/syscall.h>

#include "host/lock.h"
#include "process/signal_impl.h"

/* ---- signals by gdb's numbers (include/gdb/signals.def of gdb) ----------- */

static const uint8_t gdb_numbers[32] = { 0,  1,  2,  3,	 4,  5,	 6,  10, 8,  9,	 30, 11, 31, 13, 14, 15,
					 143, 20, 19, 17, 18, 21, 22, 16, 24, 25, 26, 27, 28, 23, 32, 12 };

unsigned
gdb_signal_number(int signal)
{
	if (signal < 32)
		return gdb_numbers[signal];
	return signal == 32 ? 77 : signal == 64 ? 78 : (unsigned)signal + 12;
}

static int
from_gdb(unsigned number)
{
	for (int signal = 1; signal <= GUEST_SIGNALS; signal++)
		if (gdb_signal_number(signal) == number)
			return signal;
	return 0;
}

void
gdb_stop_reply(struct gdb *gdb, const struct thread *thread, int signal)
{
	char text[64];
	int n = text_format(text, sizeof text, "T%02xthread:%x;%s", gdb_signal_number(signal), (unsigned)thread->tid,
			    thread->debug.event == GDB_BREAKPOINT ? "swbreak:;" : "");

	gdb->current = thread->tid;
	gdb_send(gdb, text, (size_t)n);
}

static void
pass_signals(struct gdb *gdb, const char *at)
{
	gdb->pass = 0;
	while (*at) {
		int signal = from_gdb((unsigned)hex_number(&at));

		if (signal)
			gdb->pass |= signal_bit(signal);
		if (*at != ';')
			break;
		at++;
	}
	gdb_send_text(gdb, "OK");
}

/* ---- registers ---------------------------------------------------------- */

static void
read_registers(struct gdb *gdb, const struct thread *thread)
{
	const struct debug_registers *debug = gdb->process->abi->debug;
	uint8_t value[DEBUG_REGISTER_SIZE];
	size_t n = 0;

	for (unsigned i = 0; i < debug->count; i++) {
		debug->read(thread->vcpu.frame, i, value);
		hex_append(gdb->reply, &n, value, debug->size(i));
	}
	gdb_send(gdb, gdb->reply, n);
}

static bool
write_register(struct gdb *gdb, struct thread *thread, unsigned i, const char **at)
{
	const struct debug_registers *debug = gdb->process->abi->debug;
	uint8_t value[DEBUG_REGISTER_SIZE];

	if (i >= debug->count || !hex_bytes(at, value, debug->size(i)))
		return false;
	debug->write(thread->vcpu.frame, i, value);
	thread->vcpu.frame->link_address = IR_LINK_NONE;
	thread->debug.changed = true;
	return true;
}

static bool
write_registers(struct gdb *gdb, struct thread *thread, const char *at)
{
	for (unsigned i = 0; i < gdb->process->abi->debug->count; i++)
		if (!write_register(gdb, thread, i, &at))
			return false;
	return true;
}

static void
read_register(struct gdb *gdb, const struct thread *thread, unsigned i)
{
	const struct debug_registers *debug = gdb->process->abi->debug;
	uint8_t value[DEBUG_REGISTER_SIZE];
	size_t n = 0;

	if (i >= debug->count) {
		gdb_send_text(gdb, "E16");
		return;
	}
	debug->read(thread->vcpu.frame, i, value);
	hex_append(gdb->reply, &n, value, debug->size(i));
	gdb_send(gdb, gdb->reply, n);
}

static void
ok(struct gdb *gdb, bool done)
{
	gdb_send_text(gdb, done ? "OK" : "E0e");
}

static void
registers(struct gdb *gdb, char command, const char *at)
{
	struct thread *thread = gdb_thread(gdb, gdb->current);
	unsigned i;

	if (!thread) {
		gdb_send_text(gdb, "E03");
		return;
	}
	switch (command) {
	case 'g': read_registers(gdb, thread); return;
	case 'G': ok(gdb, write_registers(gdb, thread, at)); return;
	case 'p': read_register(gdb, thread, (unsigned)hex_number(&at)); return;
	}
	i = (unsigned)hex_number(&at);
	ok(gdb, *at++ == '=' && write_register(gdb, thread, i, &at));
}

/* ---- memory ------------------------------------------------------------- */

static void
read_memory(struct gdb *gdb, const char *at)
{
	uint64_t address = hex_number(&at), size;
	uint8_t bytes[PACKET_SIZE / 2 - 8];
	size_t n = 0;

	size = *at == ',' ? (at++, hex_number(&at)) : 0;
	if (size > sizeof bytes)
		size = sizeof bytes;
	size = gdb_peek(gdb, address, bytes, size);
	if (!size) {
		gdb_send_text(gdb, "E0e");
		return;
	}
	hex_append(gdb->reply, &n, bytes, size);
	gdb_send(gdb, gdb->reply, n);
}

/* M: two digits a byte; X: bytes. */
static void
write_memory(struct gdb *gdb, const char *at, bool binary)
{
	uint64_t address = hex_number(&at), size;
	uint8_t bytes[PACKET_SIZE];

	size = *at == ',' ? (at++, hex_number(&at)) : 0;
	if (*at++ != ':' || size > sizeof bytes) {
		gdb_send_text(gdb, "E16");
		return;
	}
	if (binary && size <= gdb->text_length - (size_t)(at - gdb->text))
		ok(gdb, !gdb_poke(gdb, address, at, size));
	else
		ok(gdb, !binary && hex_bytes(&at, bytes, size) && !gdb_poke(gdb, address, bytes, size));
}

/* Z0,address,size and z0. */
static void
breakpoint(struct gdb *gdb, bool insert, const char *at)
{
	uint64_t address;

	if (at[0] != '0' || at[1] != ',') {
		gdb_send_text(gdb, ""); /* hardware and watchpoints: none */
		return;
	}
	at += 2;
	address = hex_number(&at);
	if (*at == ',')
		at++;
	ok(gdb, insert ? gdb_insert(gdb, address, (unsigned)hex_number(&at)) : gdb_remove(gdb, address));
}

/* ---- going on ----------------------------------------------------------- */

/* A signal to go on with: in the place of the one that was reported, or sent. */
static void
deliver(struct gdb *gdb, struct thread *thread, int signal)
{
	if (thread->debug.event == GDB_SIGNAL && thread->tid == gdb->reported)
		thread->debug.deliver = signal;
	else if (signal)
		RAW3(SYS_tgkill, RAW0(SYS_getpid), thread->tid, signal);
}

/* The first of the actions ;c ;C05:7 ;s:-1 … that is about the thread. */
static void
act(struct gdb *gdb, struct thread *thread, const char *at)
{
	__atomic_store_n(&thread->debug.go, GDB_STAY, __ATOMIC_SEQ_CST);
	while (*at == ';') {
		char kind = at[1];
		int signal = 0;
		bool match = true;

		at += 2;
		if (kind == 'C' || kind == 'S')
			signal = from_gdb((unsigned)hex_number(&at));
		if (*at == ':') {
			at++;
			if (!strncmp(at, "-1", 2))
				at += 2;
			else
				match = (int)hex_number(&at) == thread->tid;
		}
		if (!match)
			continue;
		deliver(gdb, thread, signal);
		__atomic_store_n(&thread->debug.go, kind == 's' || kind == 'S' ? GDB_STEP : GDB_CONTINUE,
				 __ATOMIC_SEQ_CST);
		return;
	}
}

static void
go_on(struct gdb *gdb, const char *actions)
{
	struct process *process = gdb->process;

	lock_take(&process->thread_lock);
	for (struct thread *t = process->threads; t; t = t->next)
		if (!t->vfork_child)
			act(gdb, t, actions);
	lock_drop(&process->thread_lock);
	gdb_resume(gdb);
}

/* c, C05, s, S05: those before vCont. A step is of the thread that stopped. */
static void
go_on_plain(struct gdb *gdb, const char *command)
{
	char actions[32];
	char kind = command[0];

	if (kind == 's' || kind == 'S')
		text_format(actions, sizeof actions, ";%c%.2s:%x", kind, kind == 'S' ? command + 1 : "",
			    (unsigned)gdb->current);
	else if (kind == 'C')
		text_format(actions, sizeof actions, ";C%.2s:%x;c", command + 1, (unsigned)gdb->current);
	else
		text_format(actions, sizeof actions, ";c");
	go_on(gdb, actions);
}

static bool
multi_letter(struct gdb *gdb)
{
	const char *text = gdb->text;

	if (!strcmp(text, "vCont?")) {
		gdb_send_text(gdb, "vCont;c;C;s;S");
	} else if (!strncmp(text, "vCont;", 6)) {
		go_on(gdb, text + 5);
		return true;
	} else if (!strncmp(text, "vFile:", 6)) {
		gdb_file(gdb);
	} else if (!strncmp(text, "vKill", 5)) {
		gdb_send_text(gdb, "OK");
		RAW2(SYS_kill, RAW0(SYS_getpid), SIGKILL);
	} else {
		gdb_send_text(gdb, "");
	}
	return false;
}

/* H: the thread that g, m and their kind are about. */
static void
choose_thread(struct gdb *gdb, const char *at)
{
	int tid = 0;

	if (at[0] == 'g' || at[0] == 'c') {
		const char *digits = at + 1;

		tid = *digits == '-' ? 0 : (int)hex_number(&digits);
	}
	if (!gdb_thread(gdb, tid)) {
		gdb_send_text(gdb, "E03");
		return;
	}
	if (at[0] == 'g' && tid)
		gdb->current = tid;
	gdb_send_text(gdb, "OK");
}

/* Why it is stopped, for who has just connected. */
static void
say_why(struct gdb *gdb)
{
	struct thread *thread = gdb_thread(gdb, gdb->reported ? gdb->reported : gdb->current);

	if (thread)
		gdb_stop_reply(gdb, thread, gdb->reported ? thread->debug.signal : SIGTRAP);
}

bool
gdb_command(struct gdb *gdb)
{
	const char *text = gdb->text, *at = text + 1;

	switch (text[0]) {
	case '?': say_why(gdb); break;
	case 'g': case 'G': case 'p': case 'P': registers(gdb, text[0], at); break;
	case 'm': read_memory(gdb, at); break;
	case 'M': case 'X': write_memory(gdb, at, text[0] == 'X'); break;
	case 'Z': case 'z': breakpoint(gdb, text[0] == 'Z', at); break;
	case 'H': choose_thread(gdb, at); break;
	case 'T': gdb_send_text(gdb, gdb_thread(gdb, (int)hex_number(&at)) ? "OK" : "E03"); break;
	case 'c': case 'C': case 's': case 'S': go_on_plain(gdb, text); return true;
	case 'v': return multi_letter(gdb);
	case 'D':
		gdb_send_text(gdb, "OK");
		gdb_detach(gdb);
		return true;
	case 'k':
		RAW2(SYS_kill, RAW0(SYS_getpid), SIGKILL);
		break;
	case 'Q':
		if (!strncmp(text, "QPassSignals:", 13)) {
			pass_signals(gdb, text + 13);
		} else if (!strcmp(text, "QStartNoAckMode")) {
			gdb_send_text(gdb, "OK");
			gdb->no_ack = true;
		} else {
			gdb_send_text(gdb, "");
		}
		break;
	case 'q': gdb_query(gdb); break;
	default: gdb_send_text(gdb, ""); break;
	}
	return false;
}
