/* cli/: what the files of `isomorph run` share. */
#ifndef CLI_RUN_STATE_H
#define CLI_RUN_STATE_H

#include "isomorph/process.h"

/* What the name that the program was called by asks for. */
struct run_name {
	bool qemu;     /* qemu-user's options and variables */
	bool preserve; /* argv is {name, program's path, its argv[0], …}: binfmt_misc
	                  with the flag P, or a name that ends in -binfmt-P */
};
/* False: it is none of a guest's, but isomorph's own. */
bool run_name_parse(const char *path, struct run_name *name);

/* Options on their way, and lists that they add to. */
struct run_state {
	struct isomorph_process_options options;
	struct run_name name;
	char **set, **unset;
	size_t set_count, unset_count, room; /* room: of each list */
	bool done; /* --help, -version: nothing to run */
};

struct run_option {
	const char *name;
	enum { RUN_FLAG, RUN_TEXT, RUN_CALL, RUN_CALL_VALUE } kind;
	size_t field; /* FLAG: a bool, TEXT: a string, of the options */
	int (*call)(struct run_state *s, const char *value);
};

/* Those that qemu's names change or add; ends with a NULL name. */
extern const struct run_option run_qemu_options[];
int run_qemu_environment(struct run_state *s);

/* The option at argv[*i]; moves *i past it and its value. 0 or an exit code. */
int run_take_option(struct run_state *s, int argc, char **argv, int *i);
/* value stays borrowed. */
int run_set_variable(struct run_state *s, const char *value);
int run_unset_variable(struct run_state *s, const char *value);
int run_set_vlen(struct run_state *s, const char *value);

#endif
