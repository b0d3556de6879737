/* Public API of system VMs: what a machine is to be (struct isomorph_config),
 * running one in this process, and talking to machines that run elsewhere.
 *
 * Everything is named as on the command line and in a machine file: "memory",
 * "disk", "forward" … (isomorph_config_set lists them). Errors: a function that
 * can fail returns -1 (or NULL) and writes one line that says what, where and
 * what to do to error, which has room for ISOMORPH_ERROR bytes.
 */
#ifndef ISOMORPH_MACHINE_H
#define ISOMORPH_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

#define ISOMORPH_ERROR 512

/* How `isomorph boot` ends. */
enum isomorph_exit {
	ISOMORPH_EXIT_OFF = 0,      /* the guest powered off; a bare program passed */
	ISOMORPH_EXIT_FAILED = 1,   /* the host failed: one line says how */
	ISOMORPH_EXIT_USAGE = 2,    /* options that cannot be */
	ISOMORPH_EXIT_PANIC = 3,    /* the guest said that it crashed */
	ISOMORPH_EXIT_RESET = 4,    /* it resets again and again */
	ISOMORPH_EXIT_TIMEOUT = 5,  /* --timeout was over */
	ISOMORPH_EXIT_STOPPED = 6,  /* ended from outside: Ctrl-a x, `isomorph stop --now` */
	ISOMORPH_EXIT_STATUS = 100, /* plus N: powered off with code N, or test N of a
	                               bare program failed; 255 at most */
};

struct isomorph_config; /* one owner, one thread */

/* An empty configuration; NULL: out of memory. */
struct isomorph_config *isomorph_config_new(void);
void isomorph_config_free(struct isomorph_config *config);
/* Sets an option by its name without dashes; repeatable ones add. value NULL: a
 * flag. Checks the value's form, not yet what it names. */
int isomorph_config_set(struct isomorph_config *config, const char *option, const char *value, char *error);
/* Whether there is such an option, and whether it takes a value. */
bool isomorph_config_knows(const char *option, bool *value);
/* The value last set, or NULL; valid until the option is set again. */
const char *isomorph_config_get(const struct isomorph_config *config, const char *option);
/* Reads the machine file of a named machine; later isomorph_config_set calls override it, or
 * add to it where an option may be given again and has not this value yet. */
int isomorph_config_load(struct isomorph_config *config, const char *name, char *error);

/* Makes the machine, runs it with the console on this process's terminal (or
 * standard output as it is, when that is no terminal) and returns enum
 * isomorph_exit after one line on standard error unless the guest powered off.
 * With "detach" the machine goes on in a process of its own and this returns 0
 * once it runs. */
int isomorph_boot(struct isomorph_config *config);

/* Calls each(to, name) for every machine that runs (or with files only, when all). */
int isomorph_each(bool all, void (*each)(void *to, const char *name, bool runs), void *to);
/* Sends one request to a running machine and returns the reply's "return" as
 * JSON text, to be freed. arguments: a JSON object, or NULL. Waits at most
 * seconds (0: for ever). */
char *isomorph_control(const char *name, const char *command, const char *arguments, unsigned seconds, char *error);
/* Connects this terminal to one of the machine's consoles: "console" or "shell".
 * Returns an exit code, after one line on standard error if it is not 0. */
int isomorph_console(const char *name, const char *which);

/* Snapshots of a named machine. A running machine takes one by the command
 * "snapshot-save". each: when it was taken (seconds since 1970), bytes of RAM on disk. */
int isomorph_snapshot_each(const char *name, void (*each)(void *to, const char *snapshot, long when, unsigned long long bytes),
			   void *to, char *error);
int isomorph_snapshot_delete(const char *name, const char *snapshot, char *error);
/* Compares all of it with its checksums. */
int isomorph_snapshot_verify(const char *name, const char *snapshot, char *error);
/* A new machine `clone` with the snapshot as its own, of the name "default". It
 * shares RAM and disks with the other as they were; what either writes is its own.
 * Its network cards keep their addresses; ports are not forwarded. */
int isomorph_snapshot_clone(const char *name, const char *snapshot, const char *clone, char *error);
/* The configuration becomes that of the machine when the snapshot was taken;
 * isomorph_boot goes on from there. */
int isomorph_config_snapshot(struct isomorph_config *config, const char *name, const char *snapshot, char *error);

/* Base images. Makes one that is missing ("debian:trixie"; arch NULL: riscv64),
 * with progress on standard error; lists them (whole: built to the end); removes
 * one that no machine stands on. */
int isomorph_image_make(const char *image, const char *arch, char *error);
int isomorph_image_each(void (*each)(void *to, const char *name, const char *path, bool whole), void *to);
int isomorph_image_remove(const char *name, char *error);
/* A new empty qcow2 image of size bytes, or one that shows the image base where
 * nothing was written to it yet (size 0: as large as that). */
int isomorph_image_create(const char *path, unsigned long long size, const char *base, char *error);

/* Forgets a named machine that does not run: its file, overlay and snapshots. */
int isomorph_remove(const char *name, char *error);

#endif
