/* cli/: the command line, one file a verb. A verb gets argv from its own name
 * on and returns the exit code: 2 for usage errors, after one line that says
 * what, where and what to do. Uses include/ only.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

int cli_run(int argc, char **argv);
int cli_disasm(int argc, char **argv);
int cli_explain(int argc, char **argv);
int cli_binfmt(int argc, char **argv);
int cli_cache(int argc, char **argv);
/* Hands a verb of machines to isomorph-system; returns only when that fails. */
int cli_system(int argc, char **argv);

/* Those verbs, in isomorph-system. */
int cli_boot(int argc, char **argv);
int cli_list(int argc, char **argv);
int cli_inspect(int argc, char **argv);
int cli_stop(int argc, char **argv);
int cli_pause(int argc, char **argv);
int cli_resume(int argc, char **argv);
int cli_console(int argc, char **argv);
int cli_shell(int argc, char **argv);
int cli_snapshot(int argc, char **argv);
int cli_image(int argc, char **argv);
int cli_remove(int argc, char **argv);

/* Says a usage error of a verb and returns 2. */
int cli_usage(const char *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
